// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The OpenAPI v3 form of a schema, as a CustomResourceDefinition carries it.
enum StructuralSchema {
    static func document(_ schema: Schema) -> JSONValue {
        var members = JSONObject()
        members["description"] = schema.description.map(JSONValue.string)
        addShape(schema.shape, to: &members)
        members["default"] = schema.defaultValue
        let rules =
            schema.rules.compactMap { rule in rule.expression.map { self.rule($0, rule.message, at: rule.member) } }
            + schema.transitions.map { rule($0.expression, $0.message, at: $0.member) }
        if !rules.isEmpty { members["x-kubernetes-validations"] = .array(rules) }
        return .object(members)
    }

    private static func rule(_ expression: String, _ message: String, at member: String?) -> JSONValue {
        ["rule": .string(expression), "message": .string(member.map { "\($0) \(message)" } ?? message)]
    }

    private static func addShape(_ shape: Schema.Shape, to members: inout JSONObject) {
        switch shape {
        case .object(let properties):
            members["type"] = "object"
            let required = properties.filter(\.isRequired).map(\.name)
            if !required.isEmpty { members["required"] = .strings(required) }
            members["properties"] = .object(JSONObject(properties.map { ($0.name, document($0.schema)) }))
        case .list(let element, let min, let max, let kind): addList(element, min, max, kind, to: &members)
        case .map(let value, let max):
            members["type"] = "object"
            members["maxProperties"] = .int(Int64(max))
            members["additionalProperties"] = document(value)
        case .text(let rule): addText(rule, to: &members)
        case .integer(let min, let max):
            members["type"] = "integer"
            members["format"] = "int64"
            members["minimum"] = min.map(JSONValue.int)
            members["maximum"] = max.map(JSONValue.int)
        case .boolean: members["type"] = "boolean"
        case .anyObject:
            members["type"] = "object"
            members["x-kubernetes-preserve-unknown-fields"] = true
        case .anything: members["x-kubernetes-preserve-unknown-fields"] = true
        case .credits:
            members["x-kubernetes-int-or-string"] = true
            members["maxLength"] = 32
        }
    }

    private static func addList(
        _ element: Schema, _ min: Int, _ max: Int, _ kind: Schema.ListKind, to members: inout JSONObject
    ) {
        members["type"] = "array"
        if min > 0 { members["minItems"] = .int(Int64(min)) }
        members["maxItems"] = .int(Int64(max))
        switch kind {
        case .set: members["x-kubernetes-list-type"] = "set"
        case .map(let key):
            members["x-kubernetes-list-type"] = "map"
            members["x-kubernetes-list-map-keys"] = .strings([key])
        case .atomic: members["x-kubernetes-list-type"] = "atomic"
        }
        members["items"] = document(element)
    }

    private static func addText(_ rule: Schema.TextRule, to members: inout JSONObject) {
        members["type"] = "string"
        if !rule.oneOf.isEmpty {
            members["enum"] = .strings(rule.oneOf)
            return
        }
        if rule.isInstant {
            members["format"] = "date-time"
            return
        }
        if rule.min > 0 { members["minLength"] = .int(Int64(rule.min)) }
        members["maxLength"] = .int(Int64(rule.max))
        members["pattern"] = rule.pattern.map { .string($0.expression) }
    }
}
