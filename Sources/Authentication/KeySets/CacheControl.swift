// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What a `Cache-Control` header means for a key set.
package enum CacheControl {
    private static let bounds: ClosedRange<Int64> = 30...86_400

    /// The time to live in seconds: the smaller of the setting and `max-age`, either alone where the other is missing (a setting of 0 is missing),
    /// never under 30 seconds or over 24 hours. `no-cache` counts as no header.
    package static func timeToLive(settingSeconds: Int64, header: String?) -> Int64 {
        let chosen =
            switch (settingSeconds, header.flatMap(maxAge)) {
            case (let setting, nil): setting
            case (0, let maxAge?): maxAge
            case (let setting, let maxAge?): min(setting, maxAge)
            }
        return min(max(chosen, bounds.lowerBound), bounds.upperBound)
    }

    private static func maxAge(_ header: String) -> Int64? {
        var result: Int64?
        for directive in header.split(separator: ",") {
            let parts = directive.split(separator: "=", maxSplits: 1)
            let name = parts.first.map { ASCII.lowercased(ASCII.trimmed($0)) }
            if name == "no-cache" { return nil }
            guard name == "max-age", parts.count == 2, result == nil else { continue }
            let value = ASCII.trimmed(parts[1].filter { $0 != "\"" })
            guard !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { continue }
            result = Int64(value) ?? .max
        }
        return result
    }
}
