// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import ResourceModel

/// A resource of the fake API server: what it is called and which of the server's customs apply to it.
package struct ServedResource: Sendable {
    package let resource: APIResource
    /// Whether `/status` is apart from the rest.
    let hasStatus: Bool
    let hasScale: Bool
    /// Whether `metadata.generation` counts changes of what is neither metadata nor status.
    let hasGeneration: Bool
    /// Whether PUT works without a resourceVersion.
    let allowsUnconditionalUpdate: Bool
    /// Whether PUT and apply make what is not there.
    let createsOnUpdate: Bool
    /// Field selectors beside name and namespace.
    let selectableFields: Set<String>
    /// Our own kind, whose schema and defaults the server knows.
    let ownKind: ResourceKind?

    /// Takes the name and the customs; those of an ordinary built-in kind where nothing else is said.
    package init(
        _ resource: APIResource, hasStatus: Bool = false, hasScale: Bool = false, hasGeneration: Bool = false,
        allowsUnconditionalUpdate: Bool = true, createsOnUpdate: Bool = false, selectableFields: Set<String> = []
    ) {
        self.resource = resource
        self.hasStatus = hasStatus
        self.hasScale = hasScale
        self.hasGeneration = hasGeneration
        self.allowsUnconditionalUpdate = allowsUnconditionalUpdate
        self.createsOnUpdate = createsOnUpdate
        self.selectableFields = selectableFields
        ownKind = nil
    }

    /// One of the four kinds.
    package init(own kind: ResourceKind) {
        resource = .of(kind)
        hasStatus = true
        hasScale = false
        hasGeneration = true
        allowsUnconditionalUpdate = false
        createsOnUpdate = false
        switch kind {
        case .serviceToken: selectableFields = ["spec.tenant"]
        case .subscription: selectableFields = ["spec.tenant", "spec.plan"]
        default: selectableFields = []
        }
        ownKind = kind
    }

    var group: String { resource.group }
    var plural: String { resource.plural }
    var kind: String { resource.kind }
    var apiVersion: String { resource.apiVersion }

    /// `authconfigs.tollgate.dev`, `configmaps`.
    var qualifiedPlural: String { group.isEmpty ? plural : "\(plural).\(group)" }
    /// `AuthConfig.tollgate.dev`, `ConfigMap`.
    var qualifiedKind: String { group.isEmpty ? kind : "\(kind).\(group)" }
    /// Whatever the version: `tollgate.dev/authconfigs`.
    var id: String { "\(group)/\(plural)" }

    /// What the fake serves when nothing else is said: all that Tollgate uses.
    package static let usual: [ServedResource] =
        ResourceKind.own.map(ServedResource.init(own:)) + [
            ServedResource(.secrets, selectableFields: ["type"]), ServedResource(.configMaps),
            ServedResource(.namespaces, hasStatus: true, selectableFields: ["status.phase"]),
            ServedResource(.pods, hasStatus: true, selectableFields: ["status.phase", "spec.nodeName"]),
            ServedResource(.deployments, hasStatus: true, hasScale: true, hasGeneration: true),
            ServedResource(.replicaSets, hasStatus: true, hasScale: true, hasGeneration: true),
            ServedResource(.leases, allowsUnconditionalUpdate: false, createsOnUpdate: true), ServedResource(.events),
            ServedResource(.tokenReviews),
            ServedResource(APIResource(group: "", version: "v1", plural: "serviceaccounts", kind: "ServiceAccount")),
            ServedResource(APIResource(group: "", version: "v1", plural: "services", kind: "Service"), hasStatus: true),
            ServedResource(
                APIResource(group: "apps", version: "v1", plural: "statefulsets", kind: "StatefulSet"),
                hasStatus: true, hasScale: true, hasGeneration: true),
            ServedResource(
                APIResource(group: "", version: "v1", plural: "nodes", kind: "Node", isNamespaced: false),
                hasStatus: true),
            ServedResource(
                APIResource(
                    group: "autoscaling", version: "v2", plural: "horizontalpodautoscalers",
                    kind: "HorizontalPodAutoscaler"), hasStatus: true),
        ]
}
