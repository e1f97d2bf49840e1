// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import Synchronization

/// An API server of a few lines: lists and watches answer from a script, Leases and Events are kept with their versions.
final class ScriptedAPI: KubernetesAPI {
    enum Line: Sendable {
        case page([JSONValue], version: String, token: String? = nil)
        case events([WatchEvent])
        case fail(KubernetesError)
        /// Events, then nothing until the task is cancelled.
        case hang([WatchEvent])
    }

    struct State {
        var lists: [Line] = []
        var watches: [Line] = []
        var listQueries: [ListQuery] = []
        var watchQueries: [WatchQuery] = []
        var objects: [String: JSONValue] = [:]
        var version: Int64 = 100
        var fault: KubernetesError?
        var writes: [String] = []
    }

    let state = Mutex(State())
    private let never = Signal()

    func get(_ object: APIObjectReference, subresource: String?) async throws(KubernetesError) -> JSONValue {
        try fail()
        guard let found = state.withLock({ $0.objects["\(object)"] }) else {
            throw KubernetesError(.notFound, status: 404, message: "there is no \(object)")
        }
        return found
    }

    func list(_ query: ListQuery, each: (JSONValue) -> Void) async throws(KubernetesError) -> ListPage {
        let line = state.withLock { state -> Line? in
            state.listQueries.append(query)
            return state.lists.isEmpty ? nil : state.lists.removeFirst()
        }
        switch line {
        case .page(let items, let version, let token)?:
            for item in items { each(item) }
            return ListPage(resourceVersion: version, continueToken: token)
        case .fail(let error)?: throw error
        default:
            await never.wait()
            throw KubernetesError(.cancelled, message: "cancelled")
        }
    }

    func watch(_ query: WatchQuery, each: (WatchEvent) async -> WatchStep) async throws(KubernetesError) {
        let line = state.withLock { state -> Line? in
            state.watchQueries.append(query)
            return state.watches.isEmpty ? nil : state.watches.removeFirst()
        }
        switch line {
        case .events(let events)?:
            for event in events { if await each(event) == .stop { return } }
        case .hang(let events)?:
            for event in events { if await each(event) == .stop { return } }
            await Signal().wait()
            throw KubernetesError(.cancelled, message: "cancelled")
        case .fail(let error)?: throw error
        default:
            await Signal().wait()
            throw KubernetesError(.cancelled, message: "cancelled")
        }
    }

    func create(
        _ object: JSONValue, in resource: APIResource, namespace: String?, name: String?, subresource: String?
    ) async throws(KubernetesError) -> JSONValue {
        try fail()
        let reference = APIObjectReference(
            resource, namespace: namespace, name: object["metadata"]?["name"]?.stringValue ?? "")
        let stored = state.withLock { state -> JSONValue? in
            guard state.objects["\(reference)"] == nil else { return nil }
            return store(object, reference, "create", &state)
        }
        guard let stored else { throw KubernetesError(.alreadyExists, status: 409, message: "\(reference) exists") }
        return stored
    }

    func replace(_ object: JSONValue, at reference: APIObjectReference, subresource: String?)
        async throws(KubernetesError) -> JSONValue
    {
        try fail()
        let stored = state.withLock { state -> JSONValue? in
            let present = state.objects["\(reference)"]?["metadata"]?["resourceVersion"]
            guard present == object["metadata"]?["resourceVersion"] else { return nil }
            return store(object, reference, "replace", &state)
        }
        guard let stored else { throw KubernetesError(.conflict, status: 409, message: "\(reference) was changed") }
        return stored
    }

    func patch(_ reference: APIObjectReference, subresource: String?, _ patch: PatchBody)
        async throws(KubernetesError) -> JSONValue
    {
        try fail()
        guard case .merge(let change) = patch else { throw KubernetesError(.badRequest, message: "not scripted") }
        let stored = state.withLock { state -> JSONValue? in
            guard var object = state.objects["\(reference)"]?.objectValue else { return nil }
            for member in change.objectValue?.members ?? [] { object[member.name] = member.value }
            return store(.object(object), reference, "patch", &state)
        }
        guard let stored else { throw KubernetesError(.notFound, status: 404, message: "there is no \(reference)") }
        return stored
    }

    func delete(_ reference: APIObjectReference, _ conditions: DeleteConditions) async throws(KubernetesError) {
        state.withLock { $0.objects["\(reference)"] = nil }
    }

    func versions(ofGroup group: String) async throws(KubernetesError) -> [String] { [] }

    private func fail() throws(KubernetesError) {
        if let fault = state.withLock(\.fault) { throw fault }
    }

    private func store(
        _ object: JSONValue, _ reference: APIObjectReference, _ verb: String, _ state: inout State
    ) -> JSONValue {
        state.version += 1
        var object = object.objectValue ?? [:]
        var metadata = object["metadata"]?.objectValue ?? [:]
        metadata["resourceVersion"] = .string("\(state.version)")
        object["metadata"] = .object(metadata)
        state.objects["\(reference)"] = .object(object)
        state.writes.append("\(verb) \(reference)")
        return .object(object)
    }
}

/// A document with metadata and one value.
func makeItem(_ name: String, version: Int, uid: String? = nil, value: Int64 = 0) -> JSONValue {
    [
        "metadata": [
            "name": .string(name), "namespace": "acme", "uid": .string(uid ?? "uid-\(name)"),
            "resourceVersion": .string("\(version)"),
        ], "value": .int(value),
    ]
}
