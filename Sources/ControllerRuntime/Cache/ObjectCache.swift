// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Which object of a resource.
package struct ObjectName: Sendable, Hashable {
    /// Empty for what belongs to no namespace.
    package let namespace: String
    package let name: String

    package init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// The name that a document says; empty where it says none.
    package init(of document: JSONValue) {
        let metadata = document["metadata"]
        self.init(
            namespace: metadata?["namespace"]?.stringValue ?? "", name: metadata?["name"]?.stringValue ?? "")
    }
}

/// An object as a cache holds it.
package struct CachedObject<Value: Sendable>: Sendable {
    package let name: ObjectName
    package let uid: String
    package let resourceVersion: String
    package let value: Value

    /// Takes the parts.
    package init(name: ObjectName, uid: String, resourceVersion: String, value: Value) {
        self.name = name
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.value = value
    }

    /// Reads metadata; nil when the document has no name, or the value cannot be read.
    init?(_ document: JSONValue, decode: (JSONValue) -> Value?) {
        guard let metadata = document["metadata"], let name = metadata["name"]?.stringValue,
            let value = decode(document)
        else { return nil }
        self.init(
            name: ObjectName(namespace: metadata["namespace"]?.stringValue ?? "", name: name),
            uid: metadata["uid"]?.stringValue ?? "", resourceVersion: metadata["resourceVersion"]?.stringValue ?? "",
            value: value)
    }

    /// Whether the other one is an earlier state of the same object. Versions that are no numbers say nothing.
    func isLater(than other: CachedObject) -> Bool {
        guard uid == other.uid, let own = UInt64(resourceVersion), let others = UInt64(other.resourceVersion) else {
            return false
        }
        return own > others
    }
}

/// What happened to an object of a cache.
package enum CacheChange<Value: Sendable>: Sendable {
    case added(CachedObject<Value>)
    case updated(old: CachedObject<Value>, new: CachedObject<Value>)
    /// With the last state that is known.
    case deleted(CachedObject<Value>)
    /// The first list is complete; it follows the additions, and comes for an empty list too.
    case filled
}

/// The objects of one stream. One writer, any number of readers; a list replaces all of it at once.
package final class ObjectCache<Value: Sendable>: Sendable {
    private struct State {
        var objects: [ObjectName: CachedObject<Value>] = [:]
        var staged: [ObjectName: CachedObject<Value>] = [:]
        var isFilled = false
        var observers: [@Sendable (CacheChange<Value>) -> Void] = []
    }

    /// The namespace of all its objects; nil where they can be of any.
    package let namespace: String?
    private let state = Mutex(State())

    package init(namespace: String? = nil) { self.namespace = namespace }

    /// The object of that name.
    package func get(_ name: ObjectName) -> CachedObject<Value>? { state.withLock { $0.objects[name] } }

    /// Every object, in no order.
    package func all() -> [CachedObject<Value>] { state.withLock { Array($0.objects.values) } }

    /// Hands out the value of every object, in no order, while the cache waits.
    package func each(_ body: (Value) -> Void) {
        state.withLock { state in
            for object in state.objects.values { body(object.value) }
        }
    }

    package var count: Int { state.withLock { $0.objects.count } }

    /// Whether a first list was complete.
    package var isFilled: Bool { state.withLock(\.isFilled) }

    /// Has the handler called after each change, in the order of the changes. Before the stream runs.
    package func observe(_ handler: @escaping @Sendable (CacheChange<Value>) -> Void) {
        state.withLock { $0.observers.append(handler) }
    }

    /// Begins a new list beside the present one.
    func beginReplacement() { state.withLock { $0.staged = [:] } }

    /// Puts an object into the new list.
    func stage(_ object: CachedObject<Value>) { state.withLock { $0.staged[object.name] = object } }

    /// Takes an object out of the new list.
    func unstage(_ name: ObjectName) { state.withLock { $0.staged[name] = nil } }

    /// Puts the new list in the place of the present one, as a whole.
    func commitReplacement() {
        let (changes, observers) = state.withLock { state in
            let old = state.objects
            let new = state.staged
            let isFirst = !state.isFilled
            state.objects = new
            state.staged = [:]
            state.isFilled = true
            var changes: [CacheChange<Value>] = old.values.filter { new[$0.name] == nil }.map { .deleted($0) }
            for object in new.values {
                if let before = old[object.name] {
                    if before.uid != object.uid || before.resourceVersion != object.resourceVersion {
                        changes.append(.updated(old: before, new: object))
                    }
                } else {
                    changes.append(.added(object))
                }
            }
            if isFirst { changes.append(.filled) }
            return (changes, state.observers)
        }
        for change in changes { for observer in observers { observer(change) } }
    }

    /// Takes up a state of an object; an earlier one than the known is left out.
    func put(_ object: CachedObject<Value>) {
        change { objects in
            let before = objects[object.name]
            if let before {
                if before.isLater(than: object)
                    || before.uid == object.uid
                        && before.resourceVersion == object.resourceVersion
                {
                    return nil
                }
            }
            objects[object.name] = object
            return before.map { .updated(old: $0, new: object) } ?? .added(object)
        }
    }

    /// Takes an object out; one of the same name that was made later stays.
    func remove(_ object: CachedObject<Value>) {
        change { objects in
            guard let before = objects[object.name], before.uid == object.uid else { return nil }
            objects[object.name] = nil
            return .deleted(object)
        }
    }

    private func change(_ apply: (inout [ObjectName: CachedObject<Value>]) -> CacheChange<Value>?) {
        let (change, observers) = state.withLock { (apply(&$0.objects), $0.observers) }
        guard let change else { return }
        for observer in observers { observer(change) }
    }
}
