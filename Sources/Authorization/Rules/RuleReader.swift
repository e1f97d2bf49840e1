// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads rules from their documents, collecting what is wrong with them.
struct RuleReader {
    private(set) var problems: [RuleProblem] = []
    /// What the patterns of the whole list may still cost.
    private var instructions = Self.maximumInstructions

    private static let maximumRules = 64
    private static let maximumConditions = 16
    private static let maximumValues = 64
    private static let maximumInstructions = 4096

    mutating func read(_ documents: [JSONValue]) -> [RuleSet.Rule] {
        if documents.count > Self.maximumRules { problem("", "has \(documents.count) rules; at most 64 are allowed") }
        var names: Set<String> = []
        var rules: [RuleSet.Rule] = []
        for (index, document) in documents.enumerated() {
            let path = "[\(index)]"
            guard let object = document.objectValue else {
                problem(path, "is a \(document.kindName); write an object with name, effect and when")
                continue
            }
            checkMembers(object, ["name", "effect", "when"], path)
            guard let name = object["name"]?.stringValue, !name.isEmpty else {
                problem("\(path).name", "is missing or no text")
                continue
            }
            if !names.insert(name).inserted { problem("\(path).name", "\"\(name)\" is there twice") }
            let effect = object["effect"]?.stringValue
            if effect != "allow", effect != "deny" { problem("\(path).effect", "is neither allow nor deny") }
            let conditions = conditions(object["when"], "\(path).when")
            rules.append(
                RuleSet.Rule(
                    name: name, denies: effect == "deny", conditions: conditions, reason: "denied by rule \(name)"))
        }
        return rules
    }

    private mutating func conditions(_ value: JSONValue?, _ path: String) -> [RuleCondition] {
        guard let list = value?.arrayValue, (1...Self.maximumConditions).contains(list.count) else {
            problem(path, "is no list of 1 to 16 conditions")
            return []
        }
        return list.enumerated().compactMap { index, condition in
            let path = "\(path)[\(index)]"
            guard let object = condition.objectValue else {
                problem(
                    path, "is a \(condition.kindName); write an object with attribute, operator and value or values")
                return nil
            }
            checkMembers(object, ["attribute", "operator", "value", "values"], path)
            guard let name = object["attribute"]?.stringValue, let attribute = RuleAttribute(name) else {
                problem(
                    "\(path).attribute",
                    "names no attribute: \(object["attribute"]?.stringValue ?? "it is missing")")
                return nil
            }
            guard let test = test(object, attribute, path) else { return nil }
            return RuleCondition(attribute: attribute, test: test)
        }
    }

    private mutating func test(
        _ object: JSONObject, _ attribute: RuleAttribute, _ path: String
    ) -> RuleCondition.Test? {
        let name = object["operator"]?.stringValue ?? ""
        switch name {
        case "eq", "neq":
            guard let value = scalar(object, path) else { return nil }
            let values = comparable([value], attribute, "\(path).value")
            return name == "eq" ? .equal(values) : .notEqual(values)
        case "in", "notIn":
            guard let values = list(object, path) else { return nil }
            for (index, value) in values.enumerated() where !Self.isScalar(value) {
                problem("\(path).values[\(index)]", "is a \(value.kindName); write a text, number or boolean")
            }
            let comparable = comparable(values, attribute, "\(path).values")
            return name == "in" ? .equal(comparable) : .notEqual(comparable)
        case "prefix":
            return text(object, path).map { .prefix($0) }
        case "matches":
            guard let text = text(object, path) else { return nil }
            return pattern(text, "\(path).value").map { .matches($0) }
        case "exists":
            guard let wanted = single(object, path)?.boolValue else {
                problem("\(path).value", "is neither true nor false")
                return nil
            }
            return .exists(wanted)
        case "gt", "lt":
            guard let bound = bound(object, attribute, path) else { return nil }
            return name == "gt" ? .above(bound) : .below(bound)
        case "cidr":
            return list(object, path).map { .inside(blocks($0, path)) }
        default:
            problem("\(path).operator", "names no operator: \(name.isEmpty ? "it is missing" : name)")
            return nil
        }
    }

    /// Brings what is compared for equality to the form that the attribute has: one time and one address can be written in several ways.
    private mutating func comparable(_ values: [JSONValue], _ attribute: RuleAttribute, _ path: String) -> [JSONValue] {
        guard attribute == .time || attribute == .remoteIP else { return values }
        return values.filter(Self.isScalar).map { value in
            if attribute == .time {
                if value.stringValue.flatMap({ Timestamp(rfc3339: $0) }) != nil { return value }
                problem(path, "is no time such as 2026-03-01T12:00:00Z")
            } else {
                if let address = value.stringValue.flatMap({ IPAddress($0) }) { return .string(address.description) }
                problem(path, "is no address such as 192.0.2.1; blocks of addresses go with cidr")
            }
            return value
        }
    }

    private mutating func pattern(_ text: String, _ path: String) -> LinearPattern? {
        do throws(PatternError) {
            let pattern = try LinearPattern(text)
            instructions -= pattern.size
            if instructions < 0 { problem(path, "makes the patterns of this AuthConfig too large together") }
            return pattern
        } catch {
            problem(path, "is no usable pattern: \(error.message)")
            return nil
        }
    }

    private mutating func bound(_ object: JSONObject, _ attribute: RuleAttribute, _ path: String) -> JSONValue? {
        guard let value = single(object, path) else { return nil }
        if attribute == .time {
            guard let text = value.stringValue, Timestamp(rfc3339: text) != nil else {
                problem("\(path).value", "is no time such as 2026-03-01T12:00:00Z")
                return nil
            }
            return value
        }
        switch value {
        case .int, .double: return value
        default:
            problem("\(path).value", "is a \(value.kindName); gt and lt compare numbers, and request.time with times")
            return nil
        }
    }

    private mutating func blocks(_ values: [JSONValue], _ path: String) -> [CIDR] {
        values.enumerated().compactMap { index, value in
            if let block = value.stringValue.flatMap({ CIDR($0) }) { return block }
            problem("\(path).values[\(index)]", "is no block of addresses such as 10.0.0.0/8")
            return nil
        }
    }

    private mutating func text(_ object: JSONObject, _ path: String) -> String? {
        guard let value = single(object, path) else { return nil }
        guard let text = value.stringValue else {
            problem("\(path).value", "is a \(value.kindName); write a text")
            return nil
        }
        return text
    }

    private mutating func scalar(_ object: JSONObject, _ path: String) -> JSONValue? {
        guard let value = single(object, path) else { return nil }
        guard Self.isScalar(value) else {
            problem("\(path).value", "is a \(value.kindName); write a text, number or boolean")
            return nil
        }
        return value
    }

    private mutating func single(_ object: JSONObject, _ path: String) -> JSONValue? {
        if object["values"] != nil { problem("\(path).values", "does not go with this operator; write value") }
        guard let value = object["value"] else {
            problem("\(path).value", "is missing")
            return nil
        }
        return value
    }

    private mutating func list(_ object: JSONObject, _ path: String) -> [JSONValue]? {
        if object["value"] != nil { problem("\(path).value", "does not go with this operator; write values") }
        guard let values = object["values"]?.arrayValue, (1...Self.maximumValues).contains(values.count) else {
            problem("\(path).values", "is no list of 1 to 64 values")
            return nil
        }
        return values
    }

    private static func isScalar(_ value: JSONValue) -> Bool {
        switch value {
        case .string, .int, .double, .bool: true
        case .null, .array, .object: false
        }
    }

    private mutating func checkMembers(_ object: JSONObject, _ known: Set<String>, _ path: String) {
        for name in object.names where !known.contains(name) { problem("\(path).\(name)", "is not known") }
    }

    private mutating func problem(_ path: String, _ text: String) {
        problems.append(RuleProblem(path: path, message: text))
    }
}
