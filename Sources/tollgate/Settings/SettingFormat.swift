// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// How the text of a setting is read: a name for the table, what is expected, and the reading itself.
struct SettingFormat<Value: Sendable>: Sendable {
    /// The kind of value, as the table shows it.
    let type: String
    /// What a value must look like, as a problem says it.
    let expected: String
    /// The unit of the value, where it has one.
    let unit: String?
    /// Reads a text that is not blank; nil when it is no such value.
    let read: @Sendable (String) -> Value?

    init(_ type: String, expected: String, unit: String? = nil, read: @escaping @Sendable (String) -> Value?) {
        self.type = type
        self.expected = expected
        self.unit = unit
        self.read = read
    }
}

extension SettingFormat where Value == Bool {
    /// `true`, `1`, `yes`, `on` or `false`, `0`, `no`, `off`, in any case.
    static var flag: SettingFormat {
        SettingFormat("flag", expected: "true or false") { text in
            switch ASCII.lowercased(ASCII.trimmed(text)) {
            case "true", "1", "yes", "on": true
            case "false", "0", "no", "off": false
            default: nil
            }
        }
    }
}

extension SettingFormat where Value == Int {
    /// A whole number in a range.
    static func count(_ range: ClosedRange<Int>) -> SettingFormat {
        SettingFormat("number", expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            let digits = ASCII.trimmed(text)
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits) else { return nil }
            return range.contains(number) ? number : nil
        }
    }

    /// A size: a plain number of bytes, or one with `KiB`, `MiB` or `GiB`.
    static func bytes(_ range: ClosedRange<Int>) -> SettingFormat {
        SettingFormat(
            "size", expected: "bytes from \(range.lowerBound) to \(range.upperBound), also as 64KiB, 128MiB, 1GiB",
            unit: "bytes"
        ) { text in
            let trimmed = ASCII.trimmed(text)
            let digits = trimmed.prefix { $0.isASCII && $0.isNumber }
            let factors = ["": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30]
            guard digits.utf8.count <= 15, let number = Int(digits),
                let factor = factors[ASCII.lowercased(ASCII.trimmed(trimmed.dropFirst(digits.count)))]
            else { return nil }
            let (size, overflow) = number.multipliedReportingOverflow(by: factor)
            return !overflow && range.contains(size) ? size : nil
        }
    }
}

extension SettingFormat where Value == Duration {
    /// A duration with its unit (`150ms`, `30s`, `5m`, `24h`) in a range; a plain `0` where nought is in it.
    static func duration(_ range: ClosedRange<Duration>, shown: String) -> SettingFormat {
        SettingFormat("duration", expected: "a duration with its unit, such as 150ms, 30s or 5m, \(shown)") { text in
            let trimmed = ASCII.trimmed(text)
            guard let duration = trimmed == "0" ? .zero : DurationText.parse(trimmed), range.contains(duration) else {
                return nil
            }
            return duration
        }
    }
}

extension SettingFormat where Value == String {
    /// Any text that is not blank, trimmed.
    static var text: SettingFormat {
        SettingFormat("text", expected: "a text") { ASCII.trimmed($0) }
    }

    /// A path; `~` at its beginning is the home directory.
    static func path(_ what: String = "a path of at most 4096 bytes") -> SettingFormat {
        SettingFormat("path", expected: what) { text in
            let path = ASCII.trimmed(text)
            return path.utf8.count <= 4096 && !path.utf8.contains(0) ? path : nil
        }
    }

    /// A text that a check accepts, trimmed.
    static func text(
        _ type: String, expected: String, where accepts: @escaping @Sendable (String) -> Bool
    ) -> SettingFormat {
        SettingFormat(type, expected: expected) { text in
            let trimmed = ASCII.trimmed(text)
            return accepts(trimmed) ? trimmed : nil
        }
    }

    /// Text that another component reads: here it only has to be there. It is neither trimmed nor changed.
    static func raw(_ type: String, expected: String, unit: String? = nil) -> SettingFormat {
        SettingFormat(type, expected: expected, unit: unit) { $0 }
    }
}

extension SettingFormat where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of the names of an enumeration, in any case.
    static var choice: SettingFormat {
        let names = Value.allCases.map(\.rawValue)
        return SettingFormat("choice", expected: "one of " + names.joined(separator: ", ")) { text in
            Value(rawValue: ASCII.lowercased(ASCII.trimmed(text)))
        }
    }
}

extension SettingFormat where Value == Redacted<[UInt8]> {
    /// A key as raw text of at least so many bytes.
    static func key(atLeast count: Int) -> SettingFormat {
        SettingFormat("secret", expected: "at least \(count) bytes", unit: nil) { text in
            text.utf8.count >= count ? Redacted(Array(text.utf8)) : nil
        }
    }
}
