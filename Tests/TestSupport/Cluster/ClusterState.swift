// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// The objects of the fake cluster and what happened to them. It decides; whoever holds it does the talking.
struct ClusterState: Sendable {
    struct ObjectName: Hashable, Comparable {
        let namespace: String
        let name: String

        static func < (left: ObjectName, right: ObjectName) -> Bool {
            left.namespace == right.namespace ? left.name < right.name : left.namespace < right.namespace
        }
    }

    struct Stored: Sendable {
        var document: JSONValue
        var managers = FieldManagers()
    }

    enum Change: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
    }

    /// One change, as watches tell it.
    struct Event: Sendable {
        let version: Int
        let resourceID: String
        let change: Change
        let namespace: String
        let object: JSONValue
        /// What was there before, for watches that select.
        let previous: JSONValue?
    }

    /// How a write is made.
    struct WriteOptions {
        var manager = "test"
        var dryRun = false
        var force = false
        var strict = false
        var now = Timestamp(seconds: 0)
    }

    var served: [ServedResource]
    /// The last resourceVersion.
    private(set) var version = 100
    /// Watches from before this are too old.
    private(set) var oldest = 100
    private(set) var history: [Event] = []
    private var objects: [String: [ObjectName: Stored]] = [:]
    private var uidCount = 0
    /// Events that are not yet told to watches.
    var fresh: [Event] = []

    init(served: [ServedResource]) { self.served = served }

    // MARK: Reading

    func stored(_ resource: ServedResource, _ name: ObjectName) -> Stored? { objects[resource.id]?[name] }

    func read(_ resource: ServedResource, _ name: ObjectName) throws(APIStatus) -> Stored {
        guard let found = stored(resource, name) else { throw .notFound(resource, name.name) }
        return found
    }

    /// In the order of keys.
    func all(_ resource: ServedResource, namespace: String?) -> [JSONValue] {
        (objects[resource.id] ?? [:]).filter { namespace == nil || $0.key.namespace == namespace }
            .sorted { $0.key < $1.key }.map(\.value.document)
    }

    func resource(kind: String, apiVersion: String) -> ServedResource? {
        served.first { $0.kind == kind && $0.apiVersion == apiVersion }
    }

    // MARK: Writing

    mutating func nextUID() -> String {
        uidCount += 1
        let digits = String(uidCount, radix: 16)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    /// Puts an object in place and tells of it.
    @discardableResult
    mutating func commit(
        _ document: JSONValue, _ managers: FieldManagers, _ resource: ServedResource, _ name: ObjectName
    ) -> JSONValue {
        let previous = objects[resource.id]?[name]?.document
        version += 1
        var document = document
        document.set("metadata", "resourceVersion", to: .string("\(version)"))
        document.set("metadata", "managedFields", to: managers.entries.isEmpty ? Optional.none : managers.document)
        objects[resource.id, default: [:]][name] = Stored(document: document, managers: managers)
        tell(
            Event(
                version: version, resourceID: resource.id, change: previous == nil ? .added : .modified,
                namespace: name.namespace, object: document, previous: previous))
        return document
    }

    /// Takes an object away and tells of it.
    mutating func remove(_ resource: ServedResource, _ name: ObjectName) {
        guard let old = objects[resource.id]?.removeValue(forKey: name) else { return }
        version += 1
        var last = old.document
        last.set("metadata", "resourceVersion", to: .string("\(version)"))
        tell(
            Event(
                version: version, resourceID: resource.id, change: .deleted, namespace: name.namespace, object: last,
                previous: old.document))
        finishNamespace(name.namespace)
    }

    /// A namespace that is being deleted goes with its last object.
    private mutating func finishNamespace(_ namespace: String) {
        guard let resource = served.first(where: { $0.id == "/namespaces" }), !namespace.isEmpty else { return }
        let key = ObjectName(namespace: "", name: namespace)
        guard stored(resource, key)?.document["metadata"]?["deletionTimestamp"] != nil else { return }
        let isEmpty = objects.values.allSatisfy { $0.keys.allSatisfy { $0.namespace != namespace } }
        if isEmpty { remove(resource, key) }
    }

    /// All that stands in a namespace.
    func contents(of namespace: String) -> [(ServedResource, ObjectName)] {
        served.flatMap { resource in
            (objects[resource.id] ?? [:]).keys.filter { $0.namespace == namespace }.sorted().map { (resource, $0) }
        }
    }

    private mutating func tell(_ event: Event) {
        history.append(event)
        fresh.append(event)
        if history.count > 50_000 {
            oldest = history[10_000].version
            history.removeFirst(10_000)
        }
    }

    /// Forgets what happened so far: watches from before are too old.
    mutating func compact() {
        history = []
        oldest = version
    }

    /// Lets time pass in which others wrote: the next version is higher.
    mutating func skipVersions(_ count: Int) { version += count }
}
