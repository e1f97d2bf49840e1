// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What stands around `spec`.
enum EnvelopeSchema {
    private static let byKind = Dictionary(uniqueKeysWithValues: ResourceKind.allCases.map { ($0, make($0)) })

    /// The whole document of a kind.
    static func envelope(_ kind: ResourceKind) -> Schema { byKind[kind] ?? make(kind) }

    /// What `spec` of one of the four kinds looks like.
    static func spec(_ kind: ResourceKind) -> Schema? {
        switch kind {
        case .authConfig: AuthConfigSpec.schema
        case .serviceToken: ServiceTokenSpec.schema
        case .subscription: SubscriptionSpec.schema
        case .toolManifest: ToolManifestSpec.schema
        case .secret, .configMap: nil
        }
    }

    private static func make(_ kind: ResourceKind) -> Schema {
        var properties = [
            Property("apiVersion", .text(), required: true), Property("kind", .text(), required: true),
            Property("metadata", metadata, required: true),
        ]
        if let spec = spec(kind) {
            properties += [Property("spec", spec, required: true), Property("status", .anything())]
        }
        let size = 1 << 20
        let keys = Rule(nil, "has a key of another form; write \(TextPattern.dataKey.shape)") {
            $0.objectValue?.names.allSatisfy(TextPattern.dataKey.accepts) ?? true
        }
        let entries = Schema.map(nil, of: .text(max: size), max: 1024).with(keys)
        if kind == .secret {
            properties += ["data", "stringData"].map { Property($0, entries) }
            properties += [Property("type", .text(max: 253)), Property("immutable", .boolean())]
        }
        if kind == .configMap {
            properties += ["data", "binaryData"].map { Property($0, entries) }
            properties.append(Property("immutable", .boolean()))
        }
        return .object(nil, properties)
    }

    private static let metadata = Schema.object(
        nil,
        [
            Property("name", .text(min: 1, max: 253, pattern: .dnsSubdomain), required: true),
            Property("namespace", .text(min: 1, max: 63, pattern: .dnsLabel)),
            Property("labels", .map(nil, of: .text(max: 63), max: 1024)),
            Property("annotations", .map(nil, of: .text(max: 262_144), max: 1024)),
            Property("creationTimestamp", .instant()),
        ]
            + [
                "generation", "uid", "resourceVersion", "managedFields", "finalizers", "ownerReferences", "selfLink",
                "deletionTimestamp", "deletionGracePeriodSeconds",
            ].map { Property($0, .anything()) })
}
