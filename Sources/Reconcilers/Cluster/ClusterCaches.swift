// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import ControllerRuntime
package import ResourceModel

/// What is known of the objects of an API server: one cache a stream, of which a kind has one for each watched namespace.
package struct ClusterCaches: Sendable {
    private let objects: [ResourceKind: [ObjectCache<ClusterObject>]]
    /// The tenant of each labelled Namespace; nil where Namespaces are not watched.
    package let namespaces: ObjectCache<String>?

    package init(objects: [ResourceKind: [ObjectCache<ClusterObject>]], namespaces: ObjectCache<String>?) {
        self.objects = objects
        self.namespaces = namespaces
    }

    /// Whether every stream has brought its first list.
    package var isFilled: Bool {
        objects.values.allSatisfy { $0.allSatisfy(\.isFilled) } && (namespaces?.isFilled ?? true)
    }

    package func get(_ key: ObjectKey) -> ClusterObject? {
        let name = ObjectName(namespace: key.namespace, name: key.name)
        for cache in objects[key.kind] ?? [] where cache.namespace == nil || cache.namespace == key.namespace {
            if let cached = cache.get(name) { return cached.value }
        }
        return nil
    }

    /// Every object of a kind, in no order.
    package func all(_ kind: ResourceKind) -> [ClusterObject] {
        (objects[kind] ?? []).flatMap { $0.all().map(\.value) }
    }

    /// Hands out every object of a kind, in no order, while its caches wait: the body asks them nothing.
    func each(_ kind: ResourceKind, _ body: (ClusterObject) -> Void) {
        for cache in objects[kind] ?? [] { cache.each(body) }
    }

    /// How many objects of a kind there are.
    package func count(_ kind: ResourceKind) -> Int { (objects[kind] ?? []).reduce(0) { $0 + $1.count } }

    /// The tenants that the labels of Namespaces name.
    package var tenants: [String: String] {
        guard let namespaces else { return [:] }
        return Dictionary(namespaces.all().map { ($0.name.name, $0.value) }) { first, _ in first }
    }

    /// Tells of each change that is more than a change of status; nil where it is no single object that changed.
    package func observe(_ changed: @escaping @Sendable (ObjectKey?) -> Void) {
        for cache in objects.values.flatMap({ $0 }) {
            cache.observe { change in
                switch change {
                case .added(let new): changed(new.value.key)
                case .updated(let old, let new): if new.value.differs(from: old.value) { changed(new.value.key) }
                case .deleted(let last): changed(last.value.key)
                case .filled: changed(nil)
                }
            }
        }
        namespaces?.observe { _ in changed(nil) }
    }

    /// Tells of every state of an object, changes of status too, and of the last one of what is gone.
    func observeAll(_ seen: @escaping @Sendable (ClusterObject) -> Void) {
        for cache in objects.values.flatMap({ $0 }) {
            cache.observe { change in
                switch change {
                case .added(let object), .updated(_, let object), .deleted(let object): seen(object.value)
                case .filled: break
                }
            }
        }
    }
}
