// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Durations as settings and objects write them: `30s`, `5m`, `24h`, and where a setting says so `150ms` or a plain number of seconds.
package enum DurationText {
    /// Reads `0s` to `9999999h` with the unit `ms`, `s`, `m` or `h`.
    ///
    /// - Parameter plainSeconds: whether a number without a unit (a fraction too) is taken as seconds.
    /// - Returns: nil for anything else.
    package static func parse(_ text: some StringProtocol, plainSeconds: Bool = false) -> Duration? {
        let trimmed = ASCII.trimmed(text)
        let digits = trimmed.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, digits.utf8.count <= 7, let number = Int64(digits) else { return nil }
        switch trimmed.dropFirst(digits.count) {
        case "ms": return .milliseconds(number)
        case "s": return .seconds(number)
        case "m": return .seconds(number * 60)
        case "h": return .seconds(number * 3600)
        case "" where plainSeconds: return .seconds(number)
        case let rest where plainSeconds && rest.first == ".":
            guard rest.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }), let value = Double(trimmed) else {
                return nil
            }
            return .milliseconds(Int64(value * 1000))
        default: return nil
        }
    }
}

extension Duration {
    /// Whole seconds, cut.
    package var wholeSeconds: Int64 { components.seconds }

    /// Whole microseconds, cut.
    package var wholeMicroseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
