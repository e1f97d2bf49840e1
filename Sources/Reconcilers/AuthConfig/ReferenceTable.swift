// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// The Secrets and ConfigMaps that objects refer to, by namespace and name.
struct ReferenceTable {
    private var secrets: [ObjectKey: Secret] = [:]
    private var configMaps: [ObjectKey: ConfigMap] = [:]
    /// Whether only labelled objects are seen: what is missing may be there without the label.
    private let needsLabel: Bool

    init(_ objects: some Sequence<ManifestObject>, needsLabel: Bool = false) {
        self.needsLabel = needsLabel
        for object in objects {
            switch object {
            case .secret(let secret): secrets[secret.key] = secret
            case .configMap(let map): configMaps[map.key] = map
            default: break
            }
        }
    }

    /// The bytes of a Secret's key.
    ///
    /// - Throws: `unresolved` naming what is missing.
    func secret(_ name: String, key: String, namespace: String, place: String) throws(CompileFault) -> [UInt8] {
        guard let secret = secrets[ObjectKey(kind: .secret, namespace: namespace, name: name)] else {
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
        guard let map = configMaps[ObjectKey(kind: .configMap, namespace: namespace, name: name)] else {
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
