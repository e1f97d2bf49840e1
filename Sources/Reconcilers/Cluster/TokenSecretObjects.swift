// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ControllerRuntime
internal import Essentials
internal import Foundation
internal import ResourceModel

/// Token texts as Secrets of an API server, each owned by its ServiceToken. A Secret of another owner is never touched.
struct TokenSecretObjects: TokenTextKeeping {
    let api: any KubernetesAPI
    let fence: any LeadershipFence
    let caches: ClusterCaches
    let writes: OwnWrites

    func look(_ secret: TokenSecret) async throws -> TokenSecretState {
        guard let present = try await find(secret) else { return .absent }
        guard isOwn(present, secret) else {
            return .foreign(
                "Secret \(secret.name) was not made for this ServiceToken: delete it, or name another in spec.secretName"
            )
        }
        guard case .secret(let object)? = present.object else { return .own(nil) }
        return .own(object.data[secret.key].map { Redacted(String(decoding: $0.revealed, as: UTF8.self)) })
    }

    func prepare(_ secret: TokenSecret) throws {
        guard fence.isLeading else { throw KubernetesError(.cancelled, message: "this replica does not lead any more") }
    }

    func write(_ text: Redacted<String>, secret: TokenSecret) async throws {
        guard fence.isLeading, let owner = secret.owner else {
            throw KubernetesError(.cancelled, message: "this replica does not lead any more")
        }
        var data: JSONObject = [:]
        if let expiresAt = secret.expiresAt { data["expires_at"] = Self.base64(expiresAt.rfc3339) }
        data["identifier"] = Self.base64(secret.identifier)
        data[secret.key] = Self.base64(text.revealed)
        let document: JSONValue = [
            "apiVersion": "v1", "kind": "Secret",
            "metadata": [
                "name": .string(secret.name), "namespace": .string(secret.namespace),
                "labels": ["app.kubernetes.io/managed-by": "tollgate", "tollgate.dev/managed": "true"],
                "ownerReferences": [
                    [
                        "apiVersion": .string(ResourceKind.serviceToken.apiVersion),
                        "kind": .string(ResourceKind.serviceToken.rawValue), "name": .string(owner.name),
                        "uid": .string(owner.uid), "controller": true, "blockOwnerDeletion": true,
                    ]
                ],
            ], "type": "tollgate.dev/service-token", "data": .object(data),
        ]
        let result = try await store(document, secret)
        if let object = ClusterObject(result, kind: .secret) { writes.note(object) }
    }

    /// Makes the Secret or replaces its text.
    private func store(_ document: JSONValue, _ secret: TokenSecret) async throws(KubernetesError) -> JSONValue {
        var present = known(secret)
        if present == nil {
            do throws(KubernetesError) {
                return try await api.create(
                    document, in: .secrets, namespace: secret.namespace, name: nil, subresource: nil)
            } catch  where error.code == .alreadyExists {
                present = try await live(secret)
            }
        }
        guard present.map({ isOwn($0, secret) }) ?? true else {
            throw KubernetesError(.conflict, message: "Secret \(secret.name) was not made for this ServiceToken")
        }
        return try await api.patch(reference(secret), subresource: nil, .apply(document, force: true))
    }

    func remove(_ secret: TokenSecret) async throws {
        guard let present = try await live(secret), isOwn(present, secret) else { return }
        do throws(KubernetesError) {
            try await api.delete(reference(secret), DeleteConditions(uid: present.uid))
        } catch  where error.code == .notFound {
            return
        }
    }

    /// The cached Secret where there is one that is not older than the own write, else what the server says: others are seen by label only.
    private func find(_ secret: TokenSecret) async throws(KubernetesError) -> ClusterObject? {
        if let known = known(secret) { return known }
        return try await live(secret)
    }

    private func known(_ secret: TokenSecret) -> ClusterObject? {
        let key = ObjectKey(kind: .secret, namespace: secret.namespace, name: secret.name)
        return writes.latest(caches.get(key), of: key)
    }

    private func live(_ secret: TokenSecret) async throws(KubernetesError) -> ClusterObject? {
        do throws(KubernetesError) {
            return ClusterObject(try await api.get(reference(secret), subresource: nil), kind: .secret)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    private func isOwn(_ present: ClusterObject, _ secret: TokenSecret) -> Bool {
        present.controllerUID != nil && present.controllerUID == secret.owner?.uid
    }

    private func reference(_ secret: TokenSecret) -> APIObjectReference {
        APIObjectReference(.secrets, namespace: secret.namespace, name: secret.name)
    }

    private static func base64(_ text: String) -> JSONValue { .string(Data(text.utf8).base64EncodedString()) }
}
