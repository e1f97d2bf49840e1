// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The parameters of a query string, decoded once. `+` stays `+`, as in the zone of a time; but for `q`, in which forms and most clients
/// write blanks so.
struct QueryItems: Sendable {
    private(set) var items: [(name: String, value: String)] = []

    /// Reads the text behind the first `?`.
    init(target: String) {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return }
        for part in target.utf8[target.utf8.index(after: mark)...].split(separator: UInt8(ascii: "&")).prefix(64) {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = Self.decode(pair[0])
            items.append((name, pair.count > 1 ? Self.decode(pair[1], plusIsBlank: name == "q") : ""))
        }
    }

    /// The value of a parameter; the first where there are several.
    subscript(name: String) -> String? { items.first { $0.name == name }?.value }

    /// Whether the parameter stands there, with or without a value.
    func has(_ name: String) -> Bool { items.contains { $0.name == name } }

    /// Every parameter as a member with a text.
    ///
    /// - Throws: `request.malformed` for unknown parameters, `request.invalid` for one that came twice.
    func object(known: Set<String>) throws(Refusal) -> JSONObject {
        var object = JSONObject()
        var reader = FieldReader()
        for item in items {
            guard known.contains(item.name) else {
                throw Refusal(
                    .requestMalformed, message: "Unknown parameter: \(item.name.prefix(64))",
                    details: ["unknown": .strings([String(item.name.prefix(64))])])
            }
            if object[item.name] != nil { reader.fault(item.name, "given twice") }
            object[item.name] = .string(item.value)
        }
        try reader.finish()
        return object
    }

    /// Bytes that are no escape stay as they are; what is not UTF-8 is repaired.
    private static func decode(_ text: Substring.UTF8View.SubSequence, plusIsBlank: Bool = false) -> String {
        var bytes: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            index = text.index(after: index)
            guard byte == UInt8(ascii: "%"), index < text.endIndex, let high = Hex.digitValue(text[index]),
                text.index(after: index) < text.endIndex, let low = Hex.digitValue(text[text.index(after: index)])
            else {
                bytes.append(plusIsBlank && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                continue
            }
            bytes.append(high << 4 | low)
            index = text.index(index, offsetBy: 2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
