// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import ControllerRuntime
package import Essentials
package import ResourceModel

/// The API with a look at the Lease just before each write: who does not lead any more writes nothing.
package struct FencedAPI: KubernetesAPI {
    private let api: any KubernetesAPI
    private let fence: any LeadershipFence

    package init(_ api: any KubernetesAPI, fence: any LeadershipFence) {
        self.api = api
        self.fence = fence
    }

    private func check() throws(KubernetesError) {
        guard fence.isLeading, !Task.isCancelled else {
            throw KubernetesError(.cancelled, message: "this replica does not lead any more")
        }
    }

    package func get(_ object: APIObjectReference, subresource: String?) async throws(KubernetesError) -> JSONValue {
        try await api.get(object, subresource: subresource)
    }

    package func list(_ query: ListQuery, each: (JSONValue) -> Void) async throws(KubernetesError) -> ListPage {
        try await api.list(query, each: each)
    }

    package func watch(
        _ query: WatchQuery, each: (WatchEvent) async -> WatchStep
    ) async throws(KubernetesError) {
        try await api.watch(query, each: each)
    }

    package func create(
        _ object: JSONValue, in resource: APIResource, namespace: String?, name: String?, subresource: String?
    ) async throws(KubernetesError) -> JSONValue {
        try check()
        return try await api.create(
            object, in: resource, namespace: namespace, name: name, subresource: subresource)
    }

    package func replace(
        _ object: JSONValue, at reference: APIObjectReference, subresource: String?
    ) async throws(KubernetesError) -> JSONValue {
        try check()
        return try await api.replace(object, at: reference, subresource: subresource)
    }

    package func patch(
        _ reference: APIObjectReference, subresource: String?, _ patch: PatchBody
    ) async throws(KubernetesError) -> JSONValue {
        try check()
        return try await api.patch(reference, subresource: subresource, patch)
    }

    package func delete(
        _ reference: APIObjectReference, _ conditions: DeleteConditions
    ) async throws(KubernetesError) {
        try check()
        try await api.delete(reference, conditions)
    }

    package func versions(ofGroup group: String) async throws(KubernetesError) -> [String] {
        try await api.versions(ofGroup: group)
    }
}
