// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Writes YAML that reads the same everywhere: block style, members in their order, texts in double quotes wherever plain could be doubted.
struct YAMLText {
    private(set) var text = ""

    /// The document of a value.
    static func document(_ value: JSONValue) -> String {
        var writer = YAMLText()
        writer.write(value, indent: 0)
        return writer.text
    }

    private mutating func write(_ value: JSONValue, indent: Int) {
        let margin = String(repeating: " ", count: indent)
        switch value {
        case .object(let object):
            for member in object.members { write(member, margin: margin, indent: indent) }
        case .array(let elements):
            for element in elements { write(element: element, margin: margin, indent: indent) }
        default: text += margin + Self.scalar(value) + "\n"
        }
    }

    private mutating func write(_ member: JSONObject.Member, margin: String, indent: Int) {
        text += margin + Self.scalar(.string(member.name)) + ":"
        if Self.isBlock(member.value) {
            text += "\n"
            write(member.value, indent: indent + 2)
        } else {
            text += " " + Self.scalar(member.value) + "\n"
        }
    }

    private mutating func write(element: JSONValue, margin: String, indent: Int) {
        guard Self.isBlock(element) else {
            text += margin + "- " + Self.scalar(element) + "\n"
            return
        }
        var inner = YAMLText()
        inner.write(element, indent: indent + 2)
        text += margin + "- " + inner.text.dropFirst(indent + 2)
    }

    private static func isBlock(_ value: JSONValue) -> Bool {
        switch value {
        case .object(let object): !object.isEmpty
        case .array(let elements): !elements.isEmpty
        default: false
        }
    }

    private static func scalar(_ value: JSONValue) -> String {
        guard case .string(let text) = value, isPlain(text) else { return value.jsonText }
        return text
    }

    private static let words: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first | 0x20)
        else { return false }
        return !words.contains(text.lowercased())
            && text.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x2F, 0x5F: true
                default: false
                }
            }
    }
}
