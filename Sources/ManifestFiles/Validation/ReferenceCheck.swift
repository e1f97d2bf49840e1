// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Checks that what objects refer to is there, under the same namespace.
struct ReferenceCheck {
    private(set) var problems: [ManifestProblem] = []
    private var secrets: [ObjectKey: Secret] = [:]
    private var maps: [ObjectKey: ConfigMap] = [:]

    init(_ files: [FileSnapshot]) {
        for case .some(let object) in files.flatMap(\.objects).map(\.decoded.object) {
            if case .secret(let secret) = object { secrets[object.key] = secret }
            if case .configMap(let map) = object { maps[object.key] = map }
        }
        for file in files {
            for entry in file.objects {
                guard case .authConfig(let config) = entry.decoded.object else { continue }
                check(config, entry, file.path)
            }
        }
    }

    private mutating func check(_ config: AuthConfig, _ entry: FileObject, _ file: String) {
        for (index, issuer) in config.spec.issuers.enumerated() {
            let place = FieldPath([.member("spec"), .member("issuers"), .element(index)])
            let namespace = config.metadata.namespace
            if let reference = issuer.secretRef {
                let key = ObjectKey(kind: .secret, namespace: namespace, name: reference.name)
                let keys = secrets[key].map { Set($0.data.keys) }
                check(reference, key, keys, at: place.member("secretRef"), (config, entry, file))
            }
            if let reference = issuer.jwksRef {
                let key = ObjectKey(kind: .configMap, namespace: namespace, name: reference.name)
                let keys = maps[key].map { Set($0.data.keys).union($0.binaryData.keys) }
                check(reference, key, keys, at: place.member("jwksRef"), (config, entry, file))
            }
        }
    }

    private mutating func check(
        _ reference: AuthConfigSpec.KeyReference, _ key: ObjectKey, _ keys: Set<String>?, at place: FieldPath,
        _ owner: (config: AuthConfig, entry: FileObject, file: String)
    ) {
        let fault: (place: FieldPath, message: String)
        if let keys {
            warnIfUnlabelled(key, owner, at: place)
            guard !keys.contains(reference.key) else { return }
            fault = (place.member("key"), "\(key) has no such key; add it there, or name another")
        } else {
            fault = (place.member("name"), "\(key) is not in these files; add it, or name another")
        }
        problems.append(
            ManifestProblem(
                file: owner.file,
                line: owner.entry.document.lines.line(of: fault.place, in: owner.entry.document.value),
                object: owner.config.key.description, field: fault.place.description, message: fault.message))
    }

    /// In a cluster only labelled Secrets and ConfigMaps are read.
    private mutating func warnIfUnlabelled(
        _ key: ObjectKey, _ owner: (config: AuthConfig, entry: FileObject, file: String), at place: FieldPath
    ) {
        let labels = secrets[key]?.metadata.labels ?? maps[key]?.metadata.labels ?? [:]
        guard labels["tollgate.dev/managed"] != "true" else { return }
        problems.append(
            ManifestProblem(
                .warning, file: owner.file,
                line: owner.entry.document.lines.line(of: place, in: owner.entry.document.value),
                object: owner.config.key.description, field: place.description,
                message:
                    "\(key) lacks the label tollgate.dev/managed: \"true\", without which a cluster does not show it"))
    }
}
