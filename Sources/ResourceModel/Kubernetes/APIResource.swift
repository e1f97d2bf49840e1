// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A resource of the Kubernetes API: what a URL names by group, version and plural.
package struct APIResource: Sendable, Hashable {
    /// The API group; empty for the core group.
    package let group: String
    package let version: String
    /// The name in URLs: `authconfigs`.
    package let plural: String
    /// The name in objects: `AuthConfig`.
    package let kind: String
    package let isNamespaced: Bool

    /// Takes the parts.
    package init(group: String, version: String, plural: String, kind: String, isNamespaced: Bool = true) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// As objects name it: `v1`, `apps/v1`.
    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// Where its URLs begin: `/api/v1`, `/apis/apps/v1`.
    package var basePath: String { group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)" }

    /// `/apis/tollgate.dev/v1alpha1/namespaces/acme/authconfigs`, with the name behind it where there is one. The parts of a name are
    /// checked by whoever made it: an object's own name never holds a slash.
    package func path(namespace: String?, name: String? = nil, subresource: String? = nil) -> String {
        var path = basePath
        if isNamespaced, let namespace { path += "/namespaces/\(namespace)" }
        path += "/\(plural)"
        if let name { path += "/\(name)" }
        if let subresource { path += "/\(subresource)" }
        return path
    }
}

extension APIResource {
    package static let authConfigs = of(.authConfig)
    package static let serviceTokens = of(.serviceToken)
    package static let subscriptions = of(.subscription)
    package static let toolManifests = of(.toolManifest)
    package static let secrets = of(.secret)
    package static let configMaps = of(.configMap)
    package static let namespaces = APIResource(
        group: "", version: "v1", plural: "namespaces", kind: "Namespace", isNamespaced: false)
    package static let pods = APIResource(group: "", version: "v1", plural: "pods", kind: "Pod")
    package static let deployments = APIResource(
        group: "apps", version: "v1", plural: "deployments", kind: "Deployment")
    package static let statefulSets = APIResource(
        group: "apps", version: "v1", plural: "statefulsets", kind: "StatefulSet")
    package static let nodes = APIResource(
        group: "", version: "v1", plural: "nodes", kind: "Node", isNamespaced: false)
    package static let replicaSets = APIResource(
        group: "apps", version: "v1", plural: "replicasets", kind: "ReplicaSet")
    package static let leases = APIResource(
        group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease")
    package static let events = APIResource(group: "events.k8s.io", version: "v1", plural: "events", kind: "Event")
    package static let tokenReviews = APIResource(
        group: "authentication.k8s.io", version: "v1", plural: "tokenreviews", kind: "TokenReview",
        isNamespaced: false)

    /// The resource of a kind that Tollgate reads.
    package static func of(_ kind: ResourceKind) -> APIResource {
        APIResource(
            group: kind.isOwn ? ResourceKind.group : "", version: kind.isOwn ? "v1alpha1" : "v1", plural: kind.plural,
            kind: kind.rawValue)
    }
}

/// One object of the API.
package struct APIObjectReference: Sendable, Hashable, CustomStringConvertible {
    package let resource: APIResource
    /// Nil for what belongs to no namespace.
    package let namespace: String?
    package let name: String

    /// Takes the parts.
    package init(_ resource: APIResource, namespace: String?, name: String) {
        self.resource = resource
        self.namespace = namespace
        self.name = name
    }

    /// `AuthConfig acme/api`.
    package var description: String { "\(resource.kind) \(namespace.map { "\($0)/" } ?? "")\(name)" }
}
