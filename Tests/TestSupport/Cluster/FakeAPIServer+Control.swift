// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import ResourceModel
internal import Synchronization

/// What a test does to the cluster without going through HTTP.
extension FakeAPIServer {
    /// Makes an object, or replaces the one of that name, as its namespace's owner would with kubectl. Status is kept as given.
    ///
    /// - Returns: what was stored.
    /// - Throws: `APIStatus` with the server's refusal.
    @discardableResult
    package func add(_ object: JSONValue) throws -> JSONValue {
        try state.withLock { state in
            guard
                let resource = state.cluster.resource(
                    kind: object["kind"]?.stringValue ?? "", apiVersion: object["apiVersion"]?.stringValue ?? "")
            else { throw APIStatus.unknownPath }
            defer { tell(&state) }
            let namespace = object["metadata"]?["namespace"]?.stringValue ?? "default"
            let name = ClusterState.ObjectName(
                namespace: resource.resource.isNamespaced ? namespace : "",
                name: object["metadata"]?["name"]?.stringValue ?? "")
            let options = options(manager: "test")
            var stored: JSONValue
            if let old = state.cluster.stored(resource, name) {
                var new = object
                new.set("metadata", "resourceVersion", to: old.document["metadata"]?["resourceVersion"])
                new.set("metadata", "uid", to: nil)
                stored = try state.cluster.replace(new, at: name, of: resource, subresource: nil, options)
            } else {
                stored = try state.cluster.create(object, in: resource, namespace: name.namespace, options)
            }
            guard resource.hasStatus, let status = object["status"] else { return stored }
            stored.set("status", to: status)
            return try state.cluster.replace(stored, at: name, of: resource, subresource: "status", options)
        }
    }

    /// Changes an object by a merge patch.
    @discardableResult
    package func change(
        _ reference: APIObjectReference, subresource: String? = nil, manager: String = "test", merging patch: JSONValue
    ) throws -> JSONValue {
        try state.withLock { state in
            defer { tell(&state) }
            let (resource, name) = try locate(reference, state)
            return try state.cluster.patch(
                name, of: resource, subresource: subresource, options(manager: manager)
            ) { DocumentPatch.merge(patch, into: $0) }
        }
    }

    /// Deletes an object; with finalizers it is only marked.
    package func delete(_ reference: APIObjectReference) throws {
        try state.withLock { state in
            defer { tell(&state) }
            let (resource, name) = try locate(reference, state)
            _ = try state.cluster.delete(name, of: resource, nil, options(manager: "test"))
        }
    }

    /// An object as it is stored now.
    package func object(_ reference: APIObjectReference) -> JSONValue? {
        state.withLock { state in
            // What is not served is not there either.
            guard let (resource, name) = try? locate(reference, state) else { return nil }
            return state.cluster.stored(resource, name)?.document
        }
    }

    /// All objects of a resource, ordered by namespace and name.
    package func objects(_ resource: APIResource, namespace: String? = nil) -> [JSONValue] {
        state.withLock { state in
            guard let served = state.cluster.served.first(where: { $0.resource == resource }) else { return [] }
            return state.cluster.all(served, namespace: namespace)
        }
    }

    /// Deletes what belongs to owners that are gone, as the garbage collector does some time later.
    package func collectGarbage() throws {
        try state.withLock { state in
            defer { tell(&state) }
            let all = state.cluster.served.flatMap { resource in
                state.cluster.all(resource, namespace: nil).map { (resource, $0) }
            }
            let uids = Set(all.compactMap { $0.1["metadata"]?["uid"]?.stringValue })
            for (resource, object) in all {
                let owners = object["metadata"]?["ownerReferences"]?.arrayValue?.compactMap { $0["uid"]?.stringValue }
                guard let owners, !owners.isEmpty, owners.allSatisfy({ !uids.contains($0) }) else { continue }
                let name = ClusterState.ObjectName(
                    namespace: object["metadata"]?["namespace"]?.stringValue ?? "",
                    name: object["metadata"]?["name"]?.stringValue ?? "")
                _ = try state.cluster.delete(name, of: resource, nil, options(manager: "garbage-collector"))
            }
        }
    }

    /// Does not know a resource any more, as before its CustomResourceDefinition is there.
    package func unserve(_ resource: APIResource) {
        state.withLock { state in
            state.cluster.served.removeAll { $0.resource == resource }
            for watch in state.watches.values where watch.route.resource.resource == resource { watch.stream.end() }
        }
    }

    /// Serves a resource (again).
    package func serve(_ resource: ServedResource) {
        state.withLock { state in
            state.cluster.served.removeAll { $0.id == resource.id }
            state.cluster.served.append(resource)
        }
    }

    /// The versions of an API group that discovery names, the preferred one first.
    package func setVersions(_ versions: [String], ofGroup group: String) {
        state.withLock { $0.groups[group] = versions }
    }

    /// Whom TokenReview knows.
    package func setTokens(_ tokens: [String: TokenUser]) { state.withLock { $0.tokens = tokens } }

    /// Lets in only these bearer tokens; nil = everybody.
    package func setBearers(_ bearers: Set<String>?) { state.withLock { $0.bearers = bearers } }

    /// Has a disruption budget of that name refuse evictions; nil = none does.
    package func setDisruptionBudget(_ name: String?) { state.withLock { $0.budget = name } }

    /// Forgets history: watches from before are answered 410, pages of lists too.
    package func compact() {
        state.withLock { state in
            state.cluster.compact()
            state.pages = [:]
        }
    }

    /// Forgets the lists that are being paged through: their continue tokens are answered 410.
    package func expireContinueTokens() { state.withLock { $0.pages = [:] } }

    /// The version of the last change.
    package var resourceVersion: Int { state.withLock(\.cluster.version) }

    /// Raises the version as if objects that nobody here sees had changed.
    package func skipVersions(_ count: Int) { state.withLock { $0.cluster.skipVersions(count) } }

    /// Sends every watch that wants them a bookmark.
    package func sendBookmarks() {
        state.withLock { state in
            for watch in state.watches.values where watch.wantsBookmarks {
                watch.stream.sendBookmark(bookmark(watch.route, state.cluster.version, endsInitialEvents: false))
            }
        }
    }

    /// Strikes the open watches at once: `.gone()`, `.end()`, `.drop`, `.silence()`, `.garbage()` and their like.
    package func disturbWatches(of resource: APIResource? = nil, _ fault: APIFault) {
        state.withLock { state in
            for watch in state.watches.values where resource == nil || watch.route.resource.resource == resource {
                watch.stream.disturb(fault)
            }
            state.watches = state.watches.filter { !$0.value.stream.isOver }
        }
    }

    private func locate(_ reference: APIObjectReference, _ state: borrowing State) throws(APIStatus) -> (
        ServedResource, ClusterState.ObjectName
    ) {
        guard let resource = state.cluster.served.first(where: { $0.resource == reference.resource }) else {
            throw .unknownPath
        }
        let namespace = resource.resource.isNamespaced ? reference.namespace ?? "" : ""
        return (resource, ClusterState.ObjectName(namespace: namespace, name: reference.name))
    }

    func options(manager: String) -> ClusterState.WriteOptions {
        ClusterState.WriteOptions(manager: manager, now: clock.now())
    }
}
