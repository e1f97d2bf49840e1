// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The CustomResourceDefinitions of the four kinds, made from the schemas that also check objects.
package enum CustomResourceDefinitions {
    /// The name of the file that holds the definition of a kind: `tollgate.dev_authconfigs.yaml`.
    package static func fileName(_ kind: ResourceKind) -> String { "\(ResourceKind.group)_\(kind.plural).yaml" }

    /// The definition of one of the four kinds as YAML text; the same text each time. Empty for other kinds.
    package static func yaml(_ kind: ResourceKind) -> String {
        guard let document = document(kind) else { return "" }
        return "# Made by `tollgate crds`; do not edit.\n---\n" + YAMLText.document(document)
    }

    /// All four definitions in one text.
    package static var yaml: String { ResourceKind.own.map(yaml).joined() }

    private struct Column {
        var name: String
        var path: String
        var type = "string"
        var isWide = false
    }

    private static let ready = Column(name: "Ready", path: #".status.conditions[?(@.type=="Ready")].status"#)
    private static let reason = Column(
        name: "Reason", path: #".status.conditions[?(@.type=="Ready")].reason"#, isWide: true)
    private static let age = Column(name: "Age", path: ".metadata.creationTimestamp", type: "date")

    private static func columns(_ kind: ResourceKind) -> [Column] {
        switch kind {
        case .authConfig:
            [
                Column(name: "Hosts", path: ".spec.hosts"), Column(name: "Mode", path: ".spec.mode"), ready, age,
                Column(name: "Linked", path: ".status.linked", isWide: true), reason,
            ]
        case .serviceToken:
            [
                Column(name: "Tenant", path: ".spec.tenant"), Column(name: "Identifier", path: ".status.identifier"),
                Column(name: "Expires", path: ".status.expiresAt"),
                Column(name: "Next Rotation", path: ".status.nextRotationAt"), ready, age,
                Column(name: "Secret", path: ".spec.secretName", isWide: true), reason,
            ]
        case .subscription:
            [
                Column(name: "Tenant", path: ".spec.tenant"), Column(name: "Plan", path: ".status.plan"),
                Column(name: "State", path: ".status.state"),
                Column(name: "Remaining", path: ".status.creditsRemaining", type: "integer"),
                Column(name: "Period End", path: ".status.periodEnd"), ready, age,
            ]
        case .toolManifest:
            [
                Column(name: "Tool", path: ".status.toolId"), Column(name: "Version", path: ".status.version"),
                Column(name: "Key", path: ".status.keyId"),
                Column(name: "Verified", path: #".status.conditions[?(@.type=="Verified")].status"#), ready, age,
            ]
        case .secret, .configMap: []
        }
    }

    private static let shortNames: [ResourceKind: String] = [
        .authConfig: "tgauth", .serviceToken: "tgtoken", .subscription: "tgsub", .toolManifest: "tgtool",
    ]

    private static func selectableFields(_ kind: ResourceKind) -> [String] {
        switch kind {
        case .serviceToken: [".spec.tenant"]
        case .subscription: [".spec.tenant", ".spec.plan"]
        default: []
        }
    }

    private static func document(_ kind: ResourceKind) -> JSONValue? {
        guard let spec = EnvelopeSchema.spec(kind), let shortName = shortNames[kind] else { return nil }
        return [
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": ["name": .string("\(kind.plural).\(ResourceKind.group)")],
            "spec": [
                "group": .string(ResourceKind.group),
                "scope": "Namespaced",
                "names": [
                    "kind": .string(kind.rawValue), "listKind": .string(kind.rawValue + "List"),
                    "plural": .string(kind.plural), "singular": .string(kind.rawValue.lowercased()),
                    "shortNames": [.string(shortName)], "categories": ["tollgate"],
                ],
                "versions": [version(kind, spec)],
            ],
        ]
    }

    private static func version(_ kind: ResourceKind, _ spec: Schema) -> JSONValue {
        let whole = Schema.object(
            spec.description,
            [
                Property("apiVersion", Schema(.text(plain))), Property("kind", Schema(.text(plain))),
                Property("metadata", .object(nil, [])), Property("spec", spec, required: true),
                Property("status", StatusSchema.schema(kind)),
            ])
        var members: JSONObject = [
            "name": "v1alpha1", "served": true, "storage": true, "subresources": ["status": [:]],
            "additionalPrinterColumns": .array(columns(kind).map(column)),
        ]
        let fields = selectableFields(kind)
        if !fields.isEmpty { members["selectableFields"] = .array(fields.map { ["jsonPath": .string($0)] }) }
        members["schema"] = ["openAPIV3Schema": tidied(StructuralSchema.document(whole))]
        return .object(members)
    }

    private static let plain = Schema.TextRule(min: 0, max: 0, pattern: nil, oneOf: [], isInstant: false)

    /// The three members of every object are the API server's own: only their type is said.
    private static func tidied(_ document: JSONValue) -> JSONValue {
        guard var root = document.objectValue, var properties = root["properties"]?.objectValue else { return document }
        properties["apiVersion"] = ["type": "string"]
        properties["kind"] = ["type": "string"]
        properties["metadata"] = ["type": "object"]
        root["properties"] = .object(properties)
        return .object(root)
    }

    private static func column(_ column: Column) -> JSONValue {
        var members: JSONObject = [
            "name": .string(column.name), "type": .string(column.type), "jsonPath": .string(column.path),
        ]
        if column.isWide { members["priority"] = 1 }
        return .object(members)
    }
}
