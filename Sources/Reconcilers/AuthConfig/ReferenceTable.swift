// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// The Secrets and ConfigMaps that objects refer to, by namespace and name.
struct ReferenceTable {
    private let find: (ObjectKey) -> ManifestObject?
    /// Whether only labelled objects are seen: what is missing may be there without the label.
    private let needsLabel: Bool

    /// - Parameter find: gives the Secret or ConfigMap that is there now; nil when there is none.
    init(needsLabel: Bool = false, find: @escaping (ObjectKey) -> ManifestObject?) {
        self.needsLabel = needsLabel
        self.find = find
    }

    /// What an AuthConfig refers to: a change of one of these is a change of the AuthConfig.
    static func references(of spec: AuthConfigSpec, namespace: String) -> [ObjectKey] {
        spec.issuers.flatMap { issuer in
            [
                issuer.secretRef.map { ObjectKey(kind: .secret, namespace: namespace, name: $0.name) },
                issuer.jwksRef.map { ObjectKey(kind: .configMap, namespace: namespace, name: $0.name) },
            ].compactMap(\.self)
        }
    }

    /// The bytes of a Secret's key.
    ///
    /// - Throws: `unresolved` naming what is missing.
    func secret(_ name: String, key: String, namespace: String, place: String) throws(CompileFault) -> [UInt8] {
        guard case .secret(let secret)? = find(ObjectKey(kind: .secret, namespace: namespace, name: name)) else {
            throw missing("\(place): there is no Secret \(namespace)/\(name)")
        }
        guard let bytes = secret.data[key] else {
            throw .unresolved("\(place): Secret \(namespace)/\(name) has no key \(key)")
        }
        return bytes.revealed
    }

    /// The text of a ConfigMap's key.
    ///
    /// - Throws: `unresolved` naming what is missing.
    func configMapText(_ name: String, key: String, namespace: String, place: String) throws(CompileFault) -> String {
        guard case .configMap(let map)? = find(ObjectKey(kind: .configMap, namespace: namespace, name: name)) else {
            throw missing("\(place): there is no ConfigMap \(namespace)/\(name)")
        }
        guard let text = map.data[key] else {
            throw .unresolved("\(place): ConfigMap \(namespace)/\(name) has no key \(key)")
        }
        return text
    }

    private func missing(_ message: String) -> CompileFault {
        needsLabel ? .unlabelled("\(message) with label tollgate.dev/managed=true") : .unresolved(message)
    }
}
