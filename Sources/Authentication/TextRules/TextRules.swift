// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How values from settings, bodies and tokens become sets of texts. Both rules trim, drop blanks, merge doubles, keep case and sort by bytes;
/// both refuse more than 256 members, members over 256 bytes and more than 8 levels.
package enum TextRules {
    /// The rule for scopes, workspaces, audiences, algorithms, project ids and address blocks: text is split at commas and white space,
    /// unless it is a JSON list or object, whose strings stay whole.
    package static func stringSet(_ value: JSONValue) throws(TextRuleFault) -> [String] {
        try stringSet(union: [value])
    }

    /// The union of several values under the string-set rule.
    package static func stringSet(union values: [JSONValue]) throws(TextRuleFault) -> [String] {
        var collector = TextSetCollector(rule: .strings)
        for value in values { try collector.add(value) }
        return collector.sorted
    }

    /// The rule for roles and groups: text is split at commas only, strings in lists stay whole, objects give nothing.
    package static func nameSet(_ value: JSONValue) throws(TextRuleFault) -> [String] { try nameSet(union: [value]) }

    /// The union of several values under the name-set rule.
    package static func nameSet(union values: [JSONValue]) throws(TextRuleFault) -> [String] {
        var collector = TextSetCollector(rule: .names)
        for value in values { try collector.add(value) }
        return collector.sorted
    }
}

/// Collects the members of one set.
private struct TextSetCollector {
    enum Rule { case strings, names }

    private static let maximumMembers = 256
    private static let maximumMemberBytes = 256
    private static let maximumDepth = 8

    let rule: Rule
    private var members: Set<[UInt8]> = []

    init(rule: Rule) { self.rule = rule }

    var sorted: [String] {
        members.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
    }

    mutating func add(_ value: JSONValue) throws(TextRuleFault) {
        try walk(value, depth: 0, keepsStringsWhole: false)
    }

    private mutating func walk(_ value: JSONValue, depth: Int, keepsStringsWhole: Bool) throws(TextRuleFault) {
        switch value {
        case .null: return
        case .bool, .int, .double: try insert(value.jsonText)
        case .string(let text):
            if keepsStringsWhole { try insert(text) } else { try split(text, depth: depth) }
        case .array(let elements):
            guard depth < Self.maximumDepth else { throw .tooDeep }
            for element in elements {
                try walk(element, depth: depth + 1, keepsStringsWhole: keepsStringsWhole || rule == .names)
            }
        case .object(let object):
            guard depth < Self.maximumDepth else { throw .tooDeep }
            guard rule == .strings else { return }
            for member in object.members {
                try walk(member.value, depth: depth + 1, keepsStringsWhole: keepsStringsWhole)
            }
        }
    }

    /// The text rule.
    private mutating func split(_ text: String, depth: Int) throws(TextRuleFault) {
        let trimmed = ASCII.trimmed(text)
        if let first = trimmed.utf8.first, first == UInt8(ascii: "[") || first == UInt8(ascii: "{"),
            let document = try Self.document(trimmed)
        {
            return try walk(document, depth: depth, keepsStringsWhole: true)
        }
        let separatesAtBlanks = rule == .strings
        let parts = trimmed.utf8.split { byte in
            byte == UInt8(ascii: ",") || (separatesAtBlanks && ASCII.isWhiteSpace(byte))
        }
        for part in parts { try insert(String(Substring(part))) }
    }

    /// The JSON document that the text is, or nil when it is only text that begins like one.
    private static func document(_ text: String) throws(TextRuleFault) -> JSONValue? {
        do {
            return try JSONParser.parse(text: text)
        } catch {
            guard error.code == .tooDeep else { return nil }
            throw .tooDeep
        }
    }

    private mutating func insert(_ text: String) throws(TextRuleFault) {
        let member = ASCII.trimmed(text)
        guard !member.isEmpty else { return }
        guard member.utf8.count <= Self.maximumMemberBytes else { throw .memberTooLong }
        members.insert(Array(member.utf8))
        guard members.count <= Self.maximumMembers else { throw .tooManyMembers }
    }
}
