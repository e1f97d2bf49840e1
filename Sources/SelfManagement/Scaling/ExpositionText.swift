// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Reads single metrics out of Prometheus text.
package enum ExpositionText {
    /// The sum of all samples of that name; nil when there is none.
    package static func sum(of name: String, in text: some StringProtocol) -> Double? {
        var sum: Double?
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            let rest = line.dropFirst(name.count)
            let after: Substring
            switch rest.first {
            case "{":
                guard let close = rest.lastIndex(of: "}") else { continue }
                after = Substring(rest[rest.index(after: close)...])
            case " ": after = Substring(rest)
            default: continue
            }
            guard let word = after.split(separator: " ").first, let value = Double(word), value.isFinite else {
                continue
            }
            sum = (sum ?? 0) + value
        }
        return sum
    }
}
