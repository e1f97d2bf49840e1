// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Checks values against a schema, fills in defaults, and finds every problem in one pass.
package struct SchemaValidator {
    /// What was found so far.
    package private(set) var problems: [FieldProblem] = []
    private var steps: [FieldPath.Step] = []

    /// How many problems one object reports at most.
    private static let maxProblems = 200

    private init(at steps: [FieldPath.Step]) { self.steps = steps }

    /// The value with its defaults, and everything that is wrong with it.
    ///
    /// Null members count as absent, as the API server prunes them.
    package static func validate(_ value: JSONValue, against schema: Schema, at path: FieldPath = FieldPath())
        -> (value: JSONValue, problems: [FieldProblem])
    {
        var validator = SchemaValidator(at: path.steps)
        let value = validator.check(value, schema)
        return (value, validator.problems)
    }

    /// Everything that forbids to replace the first value by the second. Both have the schema's form and their defaults.
    package static func validateUpdate(
        from old: JSONValue, to new: JSONValue, against schema: Schema, at path: FieldPath = FieldPath()
    ) -> [FieldProblem] {
        var validator = SchemaValidator(at: path.steps)
        validator.checkUpdate(old, new, schema)
        return validator.problems
    }

    private mutating func report(_ message: String, at member: String? = nil) {
        guard problems.count < Self.maxProblems else { return }
        let location = FieldPath(steps)
        problems.append(FieldProblem(member.map(location.member) ?? location, message))
    }

    private mutating func check(_ value: JSONValue, _ schema: Schema) -> JSONValue {
        let before = problems.count
        let result = checkShape(value, schema)
        // As on the API server, conditions are asked only about values of the right form.
        guard problems.count == before else { return result }
        for rule in schema.rules where !rule.holds(result) { report(rule.message, at: rule.member) }
        return result
    }

    private mutating func checkShape(_ value: JSONValue, _ schema: Schema) -> JSONValue {
        switch (schema.shape, value) {
        case (.object(let properties), .object(let object)): return .object(check(object, properties))
        case (.list(let element, let min, let max, let kind), .array(let elements)):
            return .array(check(elements, element, min: min, max: max, kind: kind))
        case (.map(let element, let max), .object(let object)): return .object(check(object, each: element, max: max))
        case (.text(let rule), .string(let text)): check(text, rule)
        case (.integer(let min, let max), .int(let number)): check(number, min: min, max: max)
        case (.boolean, .bool), (.anyObject, .object), (.credits, .int), (.credits, .string), (.anything, _): break
        default: report("is a \(value.kindName); write \(schema.wanted)")
        }
        return value
    }

    private mutating func check(_ object: JSONObject, _ properties: [Property]) -> JSONObject {
        var members: [JSONObject.Member] = []
        members.reserveCapacity(properties.count)
        var known = 0
        for property in properties {
            let given = object[property.name]
            if given != nil { known += 1 }
            let written: JSONValue? = given?.isNull == true ? Optional.none : given
            if let value = written ?? property.schema.defaultValue {
                steps.append(.member(property.name))
                members.append(JSONObject.Member(name: property.name, value: check(value, property.schema)))
                steps.removeLast()
            } else if property.isRequired {
                report("is missing; write \(property.schema.wanted)", at: property.name)
            }
        }
        if known < object.count {
            let names = properties.map(\.name)
            for member in object.members where !names.contains(member.name) {
                report(Self.unknownField(member.name, known: names), at: member.name)
            }
        }
        return JSONObject(uniqueMembers: members)
    }

    /// What is said about a field that there is not.
    static func unknownField(_ name: String, known: [String]) -> String {
        let near = known.first {
            $0.lowercased() == name.lowercased() || EditDistance.between($0, name, atMost: 2) != nil
        }
        if let near { return "is not a field of this object; did you mean \(near)?" }
        return "is not a field of this object; remove it, or use one of: \(known.joined(separator: ", "))"
    }

    private mutating func check(
        _ elements: [JSONValue], _ schema: Schema, min: Int, max: Int, kind: Schema.ListKind
    ) -> [JSONValue] {
        if elements.count < min { report("has \(elements.count) elements; write at least \(min)") }
        guard elements.count <= max else {
            report("has \(elements.count) elements; at most \(max) are allowed")
            return elements
        }
        var checked: [JSONValue] = []
        checked.reserveCapacity(elements.count)
        var seen: Set<String> = []
        for (index, element) in elements.enumerated() {
            steps.append(.element(index))
            checked.append(check(element, schema))
            switch kind {
            case .set:
                if let text = element.stringValue, !seen.insert(text).inserted {
                    report("stands in this list already; remove one of the two")
                }
            case .map(let key):
                if let text = element[key]?.stringValue, !seen.insert(text).inserted {
                    report("has the same \(key) as an earlier element; give each its own", at: key)
                }
            case .atomic: break
            }
            steps.removeLast()
        }
        return checked
    }

    private mutating func check(_ object: JSONObject, each schema: Schema, max: Int) -> JSONObject {
        guard object.count <= max else {
            report("has \(object.count) members; at most \(max) are allowed")
            return object
        }
        var members: [JSONObject.Member] = []
        for member in object.members where !member.value.isNull {
            steps.append(.member(member.name))
            members.append(JSONObject.Member(name: member.name, value: check(member.value, schema)))
            steps.removeLast()
        }
        return JSONObject(uniqueMembers: members)
    }

    private mutating func check(_ text: String, _ rule: Schema.TextRule) {
        let length = text.unicodeScalars.count
        if !rule.oneOf.isEmpty {
            guard !rule.oneOf.contains(text) else { return }
            return report("is another text; write one of: \(rule.oneOf.joined(separator: ", "))")
        }
        if rule.isInstant {
            guard Timestamp(rfc3339: text) == nil else { return }
            return report("is no time; write one of RFC 3339, such as 2026-03-01T12:00:00Z")
        }
        if length < rule.min {
            return report(
                length == 0 ? "is empty; write a text" : "has \(length) characters; write at least \(rule.min)")
        }
        if length > rule.max { return report("has \(length) characters; at most \(rule.max) are allowed") }
        if let pattern = rule.pattern, !pattern.accepts(text) {
            report("is a text of \(length) characters of another form; write \(pattern.shape)")
        }
    }

    private mutating func check(_ number: Int64, min: Int64?, max: Int64?) {
        if let min, number < min { report("is \(number); write a number of at least \(min)") }
        if let max, number > max { report("is \(number); write a number of at most \(max)") }
    }

    private mutating func checkUpdate(_ old: JSONValue, _ new: JSONValue, _ schema: Schema) {
        for transition in schema.transitions where !transition.holds(old, new) {
            report(transition.message, at: transition.member)
        }
        switch (schema.shape, old, new) {
        case (.object(let properties), .object(let old), .object(let new)):
            for property in properties {
                guard let before = old[property.name], let after = new[property.name] else { continue }
                steps.append(.member(property.name))
                checkUpdate(before, after, property.schema)
                steps.removeLast()
            }
        case (.list(let element, _, _, .map(let key)), .array(let old), .array(let new)):
            for (index, after) in new.enumerated() {
                guard let name = after[key], let before = old.first(where: { $0[key] == name }) else { continue }
                steps.append(.element(index))
                checkUpdate(before, after, element)
                steps.removeLast()
            }
        default: break
        }
    }
}

extension Schema {
    /// What to write here, as an error message says it.
    var wanted: String {
        switch shape {
        case .object, .map, .anyObject: "an object"
        case .list(let element, _, _, _):
            if case .text = element.shape { "a list of texts" } else { "a list" }
        case .text(let rule):
            if !rule.oneOf.isEmpty {
                "one of: \(rule.oneOf.joined(separator: ", "))"
            } else if rule.isInstant {
                "a time such as \"2026-03-01T12:00:00Z\""
            } else {
                rule.pattern?.shape ?? "a text (in quotes if it looks like a number or boolean)"
            }
        case .integer: "an integer"
        case .boolean: "true or false"
        case .credits: "an integer, or a decimal text such as \"12.5\""
        case .anything: "a value"
        }
    }
}
