// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The kinds of objects that Tollgate reads from files.
package enum ResourceKind: String, Sendable, Hashable, CaseIterable, Codable {
    case authConfig = "AuthConfig"
    case serviceToken = "ServiceToken"
    case subscription = "Subscription"
    case toolManifest = "ToolManifest"
    case secret = "Secret"
    case configMap = "ConfigMap"

    /// The four kinds of Tollgate's own API group.
    package static let own: [ResourceKind] = [.authConfig, .serviceToken, .subscription, .toolManifest]

    /// The API group of the own kinds.
    package static let group = "tollgate.dev"

    /// Group and version as a manifest names them.
    package var apiVersion: String { isOwn ? "tollgate.dev/v1alpha1" : "v1" }

    /// Whether this is one of the four.
    package var isOwn: Bool { Self.own.contains(self) }

    /// The name in URLs: `authconfigs`.
    package var plural: String { rawValue.lowercased() + "s" }
}

/// Which object: kind, namespace and name are unique together.
package struct ObjectKey: Sendable, Hashable, Codable, CustomStringConvertible {
    package let kind: ResourceKind
    package let namespace: String
    package let name: String

    /// Takes the three parts.
    package init(kind: ResourceKind, namespace: String, name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// `AuthConfig/acme/api`.
    package var description: String { "\(kind.rawValue)/\(namespace)/\(name)" }
}

extension ObjectKey: Comparable {
    /// By kind, namespace and name, each by its bytes.
    package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
        if left.namespace != right.namespace {
            return left.namespace.utf8.lexicographicallyPrecedes(right.namespace.utf8)
        }
        return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}
