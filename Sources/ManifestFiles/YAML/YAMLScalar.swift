// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What plain texts of YAML 1.1 mean, as `kubectl` reads them.
enum YAMLScalar {
    private static let words: [String: JSONValue] = {
        var words: [String: JSONValue] = ["": .null, "~": .null, "null": .null, "Null": .null, "NULL": .null]
        for text in ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"] { words[text] = true }
        for text in ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"] {
            words[text] = false
        }
        return words
    }()

    /// The value of a scalar.
    static func value(_ text: String, isPlain: Bool, tag: String?, line: Int) throws(YAMLFault) -> JSONValue {
        guard let tag, tag != "!" else {
            return isPlain && tag == nil ? try plain(text, line: line) : .string(text)
        }
        let name = tag.hasPrefix("tag:yaml.org,2002:") ? tag.dropFirst(18) : ""
        let resolved = try plain(text, line: line)
        switch (name, resolved) {
        case ("str", _): return .string(text)
        case ("bool", .bool), ("int", .int), ("float", .double), ("null", .null): return resolved
        case ("float", .int(let number)): return .double(Double(number))
        default: throw YAMLFault(code: .badTag, line: line, message: "this tag is not read or does not fit; remove it")
        }
    }

    private static func plain(_ text: String, line: Int) throws(YAMLFault) -> JSONValue {
        guard let first = text.utf8.first else { return .null }
        switch first {
        case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            return try number(text, line: line) ?? .string(text)
        default: return text.utf8.count <= 5 ? words[text] ?? .string(text) : .string(text)
        }
    }

    private static func number(_ text: String, line: Int) throws(YAMLFault) -> JSONValue? {
        if [".nan", ".inf"].contains(text.lowercased().drop { "+-".contains($0) }) {
            throw YAMLFault(code: .badNumber, line: line, message: "infinite and undefined numbers are not read")
        }
        let digits = String(text.filter { $0 != "_" })
        if let integer = integer(digits) { return .int(integer) }
        guard isDecimal(digits), let number = Double(digits), number.isFinite else { return nil }
        return .double(number)
    }

    /// Decimal, `0x`, `0o`, `0b`, and octal with a zero in front.
    private static func integer(_ text: String) -> Int64? {
        let sign = text.hasPrefix("-") ? "-" : ""
        let body = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        guard let first = body.utf8.first, (0x30...0x39).contains(first) else { return nil }
        guard first == 0x30, body.utf8.count > 1 else { return Int64(sign + body) }
        let radixes: [Character: Int] = ["x": 16, "X": 16, "o": 8, "O": 8, "b": 2, "B": 2]
        let second = body[body.index(after: body.startIndex)]
        let radix = radixes[second]
        let rest = body.dropFirst(radix == nil ? 1 : 2)
        guard rest.utf8.first.map({ $0 != 0x2B && $0 != 0x2D }) == true else { return nil }
        return Int64(sign + rest, radix: radix ?? 8)
    }

    /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
    private static func isDecimal(_ text: String) -> Bool {
        var bytes = text.utf8[...]
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        func isSign(_ byte: UInt8?) -> Bool { byte == 0x2B || byte == 0x2D }
        if isSign(bytes.first) { bytes.removeFirst() }
        let whole = bytes.prefix(while: isDigit)
        bytes = bytes[whole.endIndex...]
        if bytes.first == 0x2E {
            bytes.removeFirst()
            let fraction = bytes.prefix(while: isDigit)
            guard !whole.isEmpty || !fraction.isEmpty else { return false }
            bytes = bytes[fraction.endIndex...]
        } else if whole.isEmpty {
            return false
        }
        guard let first = bytes.first else { return true }
        guard first == 0x65 || first == 0x45 else { return false }
        bytes.removeFirst()
        if isSign(bytes.first) { bytes.removeFirst() }
        return !bytes.isEmpty && bytes.allSatisfy(isDigit)
    }

    /// The text that a member name becomes.
    static func memberName(_ value: JSONValue, line: Int) throws(YAMLFault) -> String {
        switch value {
        case .string(let text): return text
        case .bool(let value): return value ? "true" : "false"
        case .int(let number): return String(number)
        case .double(let number): return "\(number)"
        case .null, .array, .object:
            throw YAMLFault(
                code: .badKey, line: line, message: "a \(value.kindName) cannot be a member's name; write a text")
        }
    }

    /// A name as messages show it: short, one line.
    static func shown(_ name: String) -> String {
        "\""
            + String(name.unicodeScalars.prefix(64).filter { $0.value >= 0x20 && $0.value != 0x7F }.map(Character.init))
            + "\""
    }
}
