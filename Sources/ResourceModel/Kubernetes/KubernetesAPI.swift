// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The Kubernetes API as Tollgate uses it. Objects are documents; whoever reads a kind decodes it.
///
/// Every call ends with a value or a `KubernetesError`; a cancelled one ends at once with code `cancelled`. Calls are safe from any task.
package protocol KubernetesAPI: Sendable {
    /// Reads one object. `notFound` when it is not there.
    func get(_ object: APIObjectReference, subresource: String?) async throws(KubernetesError) -> JSONValue

    /// Reads one page of a list, `each` called with the items in the order in which they come; `managedFields` are left out.
    func list(_ query: ListQuery, each: (JSONValue) -> Void) async throws(KubernetesError) -> ListPage

    /// Follows changes until the server ends the watch (returns), `each` says that it has enough (returns), or something fails.
    /// `managedFields` are left out. No byte for `query.idleTimeout`: `idle`.
    func watch(_ query: WatchQuery, each: (WatchEvent) async -> WatchStep) async throws(KubernetesError)

    /// Makes an object (POST), also TokenReviews and, with a name and a subresource, Evictions.
    ///
    /// - Returns: what the server made of it.
    func create(
        _ object: JSONValue, in resource: APIResource, namespace: String?, name: String?, subresource: String?
    ) async throws(KubernetesError) -> JSONValue

    /// Replaces an object (PUT). With `metadata.resourceVersion` the replacement fails with `conflict` when somebody was faster.
    func replace(_ object: JSONValue, at reference: APIObjectReference, subresource: String?)
        async throws(KubernetesError) -> JSONValue

    /// Changes an object in one of the ways of `PatchBody`.
    func patch(_ reference: APIObjectReference, subresource: String?, _ patch: PatchBody)
        async throws(KubernetesError) -> JSONValue

    /// Deletes an object; its dependents are left to the garbage collector (background).
    func delete(_ reference: APIObjectReference, _ conditions: DeleteConditions) async throws(KubernetesError)

    /// The versions of an API group, the preferred one first; empty when the server has no such group.
    func versions(ofGroup group: String) async throws(KubernetesError) -> [String]
}

/// Which objects of a resource are meant.
package struct ObjectSelection: Sendable, Hashable {
    package var resource: APIResource
    /// Nil = all namespaces.
    package var namespace: String?
    /// In the server's own syntax; nil = all.
    package var labelSelector: String?
    package var fieldSelector: String?
    /// Only `metadata` is asked for and sent (`PartialObjectMetadata`).
    package var metadataOnly: Bool

    package init(
        _ resource: APIResource, namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil,
        metadataOnly: Bool = false
    ) {
        self.resource = resource
        self.namespace = namespace
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.metadataOnly = metadataOnly
    }
}

/// One page of a list.
package struct ListQuery: Sendable, Hashable {
    package var selection: ObjectSelection
    package var limit: Int
    /// Where the page before ended.
    package var continueToken: String?

    package init(_ selection: ObjectSelection, limit: Int = 500, continueToken: String? = nil) {
        self.selection = selection
        self.limit = limit
        self.continueToken = continueToken
    }
}

/// What a page says beside its items.
package struct ListPage: Sendable, Hashable {
    /// From where a watch goes on.
    package var resourceVersion: String
    /// Nil on the last page.
    package var continueToken: String?

    package init(resourceVersion: String, continueToken: String? = nil) {
        self.resourceVersion = resourceVersion
        self.continueToken = continueToken
    }
}

/// How to follow changes.
package struct WatchQuery: Sendable, Hashable {
    package var selection: ObjectSelection
    /// Nil only with `sendsInitialEvents`.
    package var resourceVersion: String?
    /// After how many seconds the server ends the watch.
    package var timeoutSeconds: Int
    /// After how long without a byte it counts as dead.
    package var idleTimeout: Duration
    /// A streaming list: the present objects as events first, then a bookmark that says so
    /// (`sendInitialEvents=true&resourceVersionMatch=NotOlderThan`).
    package var sendsInitialEvents: Bool

    package init(
        _ selection: ObjectSelection, resourceVersion: String?, timeoutSeconds: Int, idleTimeout: Duration,
        sendsInitialEvents: Bool = false
    ) {
        self.selection = selection
        self.resourceVersion = resourceVersion
        self.timeoutSeconds = timeoutSeconds
        self.idleTimeout = idleTimeout
        self.sendsInitialEvents = sendsInitialEvents
    }
}

/// One line of a watch.
package enum WatchEvent: Sendable, Hashable {
    case added(JSONValue)
    case modified(JSONValue)
    /// With the object's last state.
    case deleted(JSONValue)
    /// - Parameter endsInitialEvents: whether it carries the annotation `k8s.io/initial-events-end`.
    case bookmark(resourceVersion: String, endsInitialEvents: Bool)
    case error(KubernetesError)
}

/// Whether a watch goes on.
package enum WatchStep: Sendable {
    case goOn, stop
}

/// The ways of changing an object.
package enum PatchBody: Sendable, Hashable {
    /// Server-side apply with field manager `tollgate`. Without `force` a field that somebody else owns is a `conflict`.
    case apply(JSONValue, force: Bool, dryRun: Bool = false)
    /// RFC 6902: a list of operations.
    case json(JSONValue)
    /// RFC 7396.
    case merge(JSONValue)
}

/// Under which conditions an object is deleted.
package struct DeleteConditions: Sendable, Hashable {
    package var uid: String?
    package var resourceVersion: String?
    package var gracePeriodSeconds: Int?

    package init(uid: String? = nil, resourceVersion: String? = nil, gracePeriodSeconds: Int? = nil) {
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.gracePeriodSeconds = gracePeriodSeconds
    }
}
