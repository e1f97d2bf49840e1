// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The `spec` of one of the four kinds.
package protocol ResourceSpec: Sendable, Hashable, Codable {
    /// Which kind it belongs to.
    static var kind: ResourceKind { get }
    /// What it must look like.
    static var schema: Schema { get }
}

/// An object of one of the four kinds, checked and with its defaults.
package struct CustomResource<Spec: ResourceSpec>: Sendable, Hashable {
    package var metadata: ObjectMeta
    package let spec: Spec
    /// The same `spec` as a document, defaults included: what generations and changes are told by.
    package let specDocument: JSONValue
    /// What the manifest carries as status; nothing reads it but what shows objects.
    package var status: JSONValue?

    init(metadata: ObjectMeta, spec: Spec, specDocument: JSONValue, status: JSONValue?) {
        self.metadata = metadata
        self.spec = spec
        self.specDocument = specDocument
        self.status = status
    }

    /// The same object with nothing but what was read out of its documents.
    var withoutDocuments: Self {
        CustomResource(metadata: metadata, spec: spec, specDocument: .null, status: nil)
    }

    /// Which object this is.
    package var key: ObjectKey { ObjectKey(kind: Spec.kind, namespace: metadata.namespace, name: metadata.name) }

    /// Everything that forbids to replace `old` by `new`; empty when the change is allowed.
    package static func validateUpdate(old: Self, new: Self) -> [FieldProblem] {
        SchemaValidator.validateUpdate(
            from: old.specDocument, to: new.specDocument, against: Spec.schema, at: FieldPath([.member("spec")]))
    }
}

extension CustomResource: Codable {
    private enum CodingKeys: String, CodingKey { case apiVersion, kind, metadata, spec, status }

    package init(from decoder: any Decoder) throws {
        let document = try JSONValue(from: decoder)
        let result = ResourceDecoder.decode(document, defaultNamespace: "default")
        guard result.problems.isEmpty, let object = result.object?.custom(Spec.self) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath,
                    debugDescription: result.problems.map(\.description).joined(separator: "; ")))
        }
        self = object
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Spec.kind.apiVersion, forKey: .apiVersion)
        try container.encode(Spec.kind, forKey: .kind)
        try container.encode(metadata, forKey: .metadata)
        try container.encode(specDocument, forKey: .spec)
        try container.encodeIfPresent(status, forKey: .status)
    }
}

/// What a host demands.
package typealias AuthConfig = CustomResource<AuthConfigSpec>
/// A token in a Secret.
package typealias ServiceToken = CustomResource<ServiceTokenSpec>
/// An account's plan.
package typealias Subscription = CustomResource<SubscriptionSpec>
/// A signed permission to run a tool.
package typealias ToolManifest = CustomResource<ToolManifestSpec>
