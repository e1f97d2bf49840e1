// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// What the CustomResourceDefinitions make the server do: defaults, pruning, validation.
enum OwnKindRules {
    /// The object as it is stored.
    ///
    /// - Throws: 422 with a cause for each field, or (strict) 400 for unknown fields.
    static func admit(
        _ object: JSONValue, replacing old: JSONValue?, resource: ServedResource, name: String, strict: Bool
    ) throws(APIStatus) -> JSONValue {
        guard let kind = resource.ownKind, let schema = schema(kind) else { return object }
        guard let spec = object["spec"] else {
            throw .required(resource, name, field: "spec", "")
        }
        let path = FieldPath([.member("spec")])
        var checked = SchemaValidator.validate(spec, against: schema, at: path)
        let unknown = checked.problems.filter { $0.message.hasPrefix("is not a field of this object") }
        if !unknown.isEmpty {
            if strict {
                let fields = unknown.map { "unknown field \"\($0.path)\"" }.joined(separator: ", ")
                throw .badRequest(
                    "\(kind.rawValue) in version \"v1alpha1\" cannot be handled as a \(kind.rawValue): strict decoding "
                        + "error: \(fields)")
            }
            // Pruned, as the server does, and looked at again: rules are asked only where the form is right.
            checked = SchemaValidator.validate(checked.value, against: schema, at: path)
        }
        var problems = checked.problems.filter { !unsaid(schema).contains($0.message) }
        if problems.isEmpty, let before = old?["spec"] {
            problems = SchemaValidator.validateUpdate(from: before, to: checked.value, against: schema, at: path)
        }
        guard problems.isEmpty else {
            throw .invalid(
                resource, name,
                problems.map {
                    APIStatus.Cause(
                        reason: "FieldValueInvalid", message: "Invalid value: \($0.message)", field: $0.path)
                })
        }
        var result = object
        result.set("spec", to: checked.value)
        return result
    }

    private static func schema(_ kind: ResourceKind) -> Schema? {
        switch kind {
        case .authConfig: AuthConfigSpec.schema
        case .serviceToken: ServiceTokenSpec.schema
        case .subscription: SubscriptionSpec.schema
        case .toolManifest: ToolManifestSpec.schema
        case .secret, .configMap: nil
        }
    }

    /// The messages of rules that CEL cannot say: the server does not know them.
    private static func unsaid(_ schema: Schema) -> Set<String> {
        var messages = Set(schema.rules.filter { $0.expression == nil }.map(\.message))
        switch schema.shape {
        case .object(let properties): for property in properties { messages.formUnion(unsaid(property.schema)) }
        case .list(let element, _, _, _): messages.formUnion(unsaid(element))
        case .map(let element, _): messages.formUnion(unsaid(element))
        default: break
        }
        return messages
    }
}
