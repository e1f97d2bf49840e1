// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A label selector and a field selector in the server's own syntax.
struct ObjectSelector: Sendable, Hashable {
    private enum Operator: Hashable {
        case equals, differs, isIn, isNotIn, exists, isAbsent
    }

    private struct Requirement: Hashable {
        let key: String
        let operation: Operator
        let values: Set<String>
    }

    private var labels: [Requirement] = []
    private var fields: [Requirement] = []

    /// Reads both.
    init(labels: String?, fields: String?, resource: ServedResource) throws(APIStatus) {
        for text in Self.split(labels ?? "") { self.labels.append(try Self.label(text)) }
        for text in Self.split(fields ?? "") {
            let requirement = try Self.equality(text)
            guard
                ["metadata.name", "metadata.namespace"].contains(requirement.key)
                    || resource.selectableFields.contains(requirement.key)
            else { throw .badRequest("field label not supported: \(requirement.key)") }
            self.fields.append(requirement)
        }
    }

    /// Whether an object is selected.
    func matches(_ object: JSONValue) -> Bool {
        let own = object["metadata"]?["labels"]
        return labels.allSatisfy { Self.holds($0, own?[$0.key]?.stringValue) }
            && fields.allSatisfy { field in
                var value: JSONValue? = object
                for step in field.key.split(separator: ".") { value = value?[String(step)] }
                return Self.holds(field, value?.stringValue ?? "")
            }
    }

    private static func holds(_ requirement: Requirement, _ value: String?) -> Bool {
        switch requirement.operation {
        case .equals, .isIn: value.map(requirement.values.contains) ?? false
        case .differs, .isNotIn: value.map { !requirement.values.contains($0) } ?? true
        case .exists: value != nil
        case .isAbsent: value == nil
        }
    }

    /// At commas outside of parentheses.
    private static func split(_ text: String) -> [String] {
        var parts: [String] = []
        var part = ""
        var depth = 0
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
        }
        parts.append(part)
        return parts.map(trimmed).filter { !$0.isEmpty }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private static func equality(_ text: String) throws(APIStatus) -> Requirement {
        for (sign, operation) in [("!=", Operator.differs), ("==", .equals), ("=", .equals)] {
            guard let range = text.firstRange(of: sign) else { continue }
            return Requirement(
                key: trimmed(text[..<range.lowerBound]), operation: operation,
                values: [trimmed(text[range.upperBound...])])
        }
        throw .badRequest("invalid selector: '\(text)'; can't understand '\(text)'")
    }

    private static func label(_ text: String) throws(APIStatus) -> Requirement {
        if text.contains("=") { return try equality(text) }
        if text.hasPrefix("!") {
            return Requirement(key: trimmed(text.dropFirst()), operation: .isAbsent, values: [])
        }
        let words = text.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { return Requirement(key: text, operation: .exists, values: []) }
        let rest = trimmed(words[1])
        for (word, operation) in [("in", Operator.isIn), ("notin", .isNotIn)] where rest.hasPrefix(word) {
            let list = trimmed(rest.dropFirst(word.count))
            guard list.hasPrefix("("), list.hasSuffix(")") else { continue }
            return Requirement(
                key: String(words[0]), operation: operation,
                values: Set(list.dropFirst().dropLast().split(separator: ",").map { trimmed($0) }))
        }
        throw .badRequest(
            "unable to parse requirement: found '\(rest.prefix { $0 != " " })', expected: in, notin, =, ==, !=, gt, lt")
    }
}
