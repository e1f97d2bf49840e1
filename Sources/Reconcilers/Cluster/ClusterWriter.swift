// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ControllerRuntime
internal import Essentials
internal import ResourceModel

/// Writes to objects that people made: status and finalizer, nothing else. Only the leader writes.
struct ClusterWriter: Sendable {
    static let finalizer = "tollgate.dev/cleanup"

    let api: any KubernetesAPI
    let fence: any LeadershipFence
    let writes: OwnWrites

    /// Writes a status if it says something else than the present one.
    ///
    /// - Returns: whether it was written.
    func status(_ status: JSONValue, of object: ClusterObject) async throws(KubernetesError) -> Bool {
        guard !StatusDocument.agree(status, object.status) else { return false }
        try check()
        let document: JSONValue = [
            "apiVersion": .string(object.key.kind.apiVersion), "kind": .string(object.key.kind.rawValue),
            "metadata": [
                "name": .string(object.key.name), "namespace": .string(object.key.namespace),
                // An object of the same name that was made since is not meant.
                "uid": .string(object.uid),
            ], "status": status,
        ]
        note(try await api.patch(object.reference, subresource: "status", .apply(document, force: true)), of: object)
        return true
    }

    /// Makes sure that the object cannot vanish before it was cleaned up.
    func addFinalizer(to object: ClusterObject) async throws(KubernetesError) {
        guard !object.finalizers.contains(Self.finalizer) else { return }
        try check()
        let path = "/metadata/finalizers"
        let operations: [JSONValue] =
            object.finalizers.isEmpty
            ? [["op": "add", "path": .string(path), "value": [.string(Self.finalizer)]]]
            : [
                ["op": "test", "path": .string(path), "value": .strings(object.finalizers)],
                ["op": "add", "path": .string("\(path)/-"), "value": .string(Self.finalizer)],
            ]
        let guarded = [Self.sameVersion(object)] + operations
        note(try await api.patch(object.reference, subresource: nil, .json(.array(guarded))), of: object)
    }

    /// Lets the object go.
    func removeFinalizer(from object: ClusterObject) async throws(KubernetesError) {
        guard let index = object.finalizers.firstIndex(of: Self.finalizer) else { return }
        try check()
        let path = "/metadata/finalizers/\(index)"
        let operations: JSONValue = [
            ["op": "test", "path": .string(path), "value": .string(Self.finalizer)],
            ["op": "remove", "path": .string(path)],
        ]
        note(try await api.patch(object.reference, subresource: nil, .json(operations)), of: object)
    }

    private static func sameVersion(_ object: ClusterObject) -> JSONValue {
        ["op": "test", "path": "/metadata/resourceVersion", "value": .string(object.resourceVersion)]
    }

    /// The lease is looked at just before each write.
    private func check() throws(KubernetesError) {
        guard fence.isLeading else {
            throw KubernetesError(.cancelled, message: "this replica does not lead any more")
        }
    }

    private func note(_ document: JSONValue, of before: ClusterObject) {
        if let object = ClusterObject(document, kind: before.key.kind, before: before) { writes.note(object) }
    }
}
