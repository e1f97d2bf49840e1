// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What an action is done to, with every label put in.
package struct HealingTarget: Sendable, Hashable {
    /// The kinds that actions know.
    package enum Kind: String, Sendable, CaseIterable {
        case deployment = "Deployment"
        case statefulSet = "StatefulSet"
        case pod = "Pod"
        case node = "Node"

        /// Whether objects of the kind lie in a namespace.
        package var isNamespaced: Bool { self != .node }

        /// As commands write it.
        package var word: String {
            switch self {
            case .deployment: "deployment"
            case .statefulSet: "statefulset"
            case .pod: "pod"
            case .node: "node"
            }
        }
    }

    package let kind: Kind
    /// Nil for Nodes.
    package let namespace: String?
    package let name: String

    /// Takes the parts.
    package init(kind: Kind, namespace: String?, name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// `deployment/crm/crm-api`, `node/n1`.
    package var text: String { ([kind.word] + (namespace.map { [$0] } ?? []) + [name]).joined(separator: "/") }

    /// Reads what `text` writes.
    package init?(text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let kind = Kind.allCases.first(where: { $0.word == parts[0] }),
            parts.count == (kind.isNamespaced ? 3 : 2)
        else { return nil }
        self.init(kind: kind, namespace: kind.isNamespaced ? parts[1] : nil, name: parts[parts.count - 1])
    }
}

/// A target as a rule writes it: each part a fixed text or one label of the alert.
package struct TargetTemplate: Sendable, Hashable {
    /// A fixed text or `${labels.x}`.
    package enum Part: Sendable, Hashable {
        case text(String)
        case label(String)

        /// The text for these labels; nil when the label is not there.
        func value(_ labels: [String: String]) -> String? {
            switch self {
            case .text(let text): text
            case .label(let name): labels[name]
            }
        }
    }

    package let kind: HealingTarget.Kind
    package let namespace: Part?
    package let name: Part

    /// Takes the parts.
    package init(kind: HealingTarget.Kind, namespace: Part?, name: Part) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// The target for the labels of an alert; nil when a label is missing or no name, or the namespace is not one of those allowed.
    package func resolve(_ labels: [String: String], allowed: Set<String>) -> HealingTarget? {
        guard let name = name.value(labels), KubernetesNames.isSubdomain(name) else { return nil }
        guard kind.isNamespaced else { return HealingTarget(kind: kind, namespace: nil, name: name) }
        guard let namespace = namespace?.value(labels), KubernetesNames.isLabel(namespace),
            allowed.contains(namespace)
        else { return nil }
        return HealingTarget(kind: kind, namespace: namespace, name: name)
    }
}

/// The names that Kubernetes accepts (RFC 1123).
enum KubernetesNames {
    /// A namespace: 1 to 63 of `[a-z0-9-]`, no hyphen at either end.
    static func isLabel(_ text: String) -> Bool {
        let bytes = text.utf8
        return (1...63).contains(bytes.count) && bytes.first != 0x2D && bytes.last != 0x2D
            && bytes.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    /// An object name: labels with dots between them, 253 bytes at most.
    static func isSubdomain(_ text: String) -> Bool {
        text.utf8.count <= 253
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isLabel(String($0)) }
    }
}
