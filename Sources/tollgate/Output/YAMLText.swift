// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// JSON as block YAML: texts that YAML could read as something else are quoted as JSON quotes them.
enum YAMLText {
    /// The document, without a line feed at its end.
    static func text(of value: JSONValue) -> String {
        var lines: [String] = []
        append(value, indent: 0, lead: "", to: &lines)
        return lines.joined(separator: "\n")
    }

    private static func append(_ value: JSONValue, indent: Int, lead: String, to lines: inout [String]) {
        let space = String(repeating: " ", count: indent)
        switch value {
        case .object(let object) where !object.isEmpty:
            if !lead.isEmpty, !lead.hasSuffix("- ") { lines.append(lead) }
            var first = lead.hasSuffix("- ")
            for member in object.members {
                let start = first ? lead : space
                first = false
                appendMember(member, start: start, indent: indent, to: &lines)
            }
        case .array(let elements) where !elements.isEmpty:
            if !lead.isEmpty { lines.append(lead.hasSuffix("- ") ? String(lead.dropLast()) : lead) }
            for element in elements { append(element, indent: indent + 2, lead: space + "- ", to: &lines) }
        default:
            let separator = lead.isEmpty || lead.hasSuffix(" ") ? "" : " "
            lines.append(lead + separator + scalar(value))
        }
    }

    private static func appendMember(
        _ member: JSONObject.Member, start: String, indent: Int, to lines: inout [String]
    ) {
        let lead = start + key(member.name) + ":"
        if case .array = member.value {
            append(member.value, indent: indent, lead: lead, to: &lines)
        } else {
            append(member.value, indent: indent + 2, lead: lead, to: &lines)
        }
    }

    private static func key(_ name: String) -> String { isPlain(name) ? name : JSONValue.string(name).jsonText }

    private static func scalar(_ value: JSONValue) -> String {
        if case .string(let text) = value, isPlain(text) { return text }
        return value.jsonText
    }

    /// Texts of letters, digits and a few signs that begin with a letter and are no YAML word.
    private static func isPlain(_ text: String) -> Bool {
        let words: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        guard let first = text.utf8.first, (0x41...0x5A).contains(first) || (0x61...0x7A).contains(first),
            !words.contains(ASCII.lowercased(text))
        else { return false }
        return text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "/")
        }
    }
}
