// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A map of bounded size that forgets what was used least recently. Every operation is O(1).
///
/// It is a plain value without a lock: whoever shares it puts it into a `Mutex`. Its bodies are open to other modules, which call it for every
/// request: there it is compiled for the types that it holds.
package struct LRUCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    @usableFromInline
    struct Node: Sendable {
        @usableFromInline var key: Key
        @usableFromInline var value: Value
        @usableFromInline var previous: Int
        @usableFromInline var next: Int

        @inlinable
        init(key: Key, value: Value, previous: Int, next: Int) {
            self.key = key
            self.value = value
            self.previous = previous
            self.next = next
        }
    }

    /// The largest number of entries.
    package let capacity: Int
    @usableFromInline var indices: [Key: Int] = [:]
    @usableFromInline var nodes: [Node] = []
    @usableFromInline var newest = -1
    @usableFromInline var oldest = -1

    /// A cache for at most `capacity` (≥ 1) entries.
    @inlinable
    package init(capacity: Int) { self.capacity = max(1, capacity) }

    /// The number of entries.
    @inlinable
    package var count: Int { indices.count }

    /// Reads an entry and marks it as just used.
    @inlinable
    package mutating func value(for key: Key) -> Value? {
        guard let index = indices[key] else { return nil }
        moveToFront(index)
        return nodes[index].value
    }

    /// The key that was used least recently.
    @inlinable
    package var oldestKey: Key? { oldest >= 0 ? nodes[oldest].key : nil }

    /// Reads an entry without marking it.
    @inlinable
    package func peek(_ key: Key) -> Value? { indices[key].map { nodes[$0].value } }

    /// Adds or replaces an entry and marks it as just used.
    ///
    /// - Returns: the key that had to go, if one had to.
    @inlinable
    package mutating func insert(_ value: Value, for key: Key) -> Key? {
        if let index = indices[key] {
            nodes[index].value = value
            moveToFront(index)
            return nil
        }
        guard nodes.count >= capacity else {
            nodes.append(Node(key: key, value: value, previous: -1, next: -1))
            indices[key] = nodes.count - 1
            pushFront(nodes.count - 1)
            return nil
        }
        let index = oldest
        let evicted = nodes[index].key
        unlink(index)
        indices[evicted] = nil
        nodes[index].key = key
        nodes[index].value = value
        indices[key] = index
        pushFront(index)
        return evicted
    }

    /// Changes an entry in place, making it from `initial` when it is new, and marks it as just used.
    @inlinable
    package mutating func update<Result>(
        _ key: Key, initial: @autoclosure () -> Value, _ change: (inout Value) -> Result
    ) -> Result {
        if let index = indices[key] {
            moveToFront(index)
            return change(&nodes[index].value)
        }
        var value = initial()
        let result = change(&value)
        _ = insert(value, for: key)
        return result
    }

    /// Changes an entry in place and marks it as just used; nil where there is none.
    @inlinable
    package mutating func updateIfPresent<Result>(_ key: Key, _ change: (inout Value) -> Result) -> Result? {
        guard let index = indices[key] else { return nil }
        moveToFront(index)
        return change(&nodes[index].value)
    }

    /// Takes every entry out whose value the test, which may change it, holds to be good for nothing.
    ///
    /// - Returns: how many went.
    @inlinable
    package mutating func removeAll(where isIdle: (inout Value) -> Bool) -> Int {
        var idle: [Key] = []
        for index in nodes.indices where isIdle(&nodes[index].value) { idle.append(nodes[index].key) }
        for key in idle { _ = remove(key) }
        return idle.count
    }

    /// Takes an entry out.
    @inlinable
    package mutating func remove(_ key: Key) -> Value? {
        guard let index = indices.removeValue(forKey: key) else { return nil }
        let value = nodes[index].value
        unlink(index)
        let last = nodes.count - 1
        if index != last {
            let moved = nodes[last]
            nodes[index] = moved
            indices[moved.key] = index
            if moved.previous >= 0 { nodes[moved.previous].next = index } else { newest = index }
            if moved.next >= 0 { nodes[moved.next].previous = index } else { oldest = index }
        }
        nodes.removeLast()
        return value
    }

    /// Forgets everything.
    @inlinable
    package mutating func removeAll() {
        indices.removeAll()
        nodes.removeAll()
        newest = -1
        oldest = -1
    }

    /// Every entry, the newest first.
    @inlinable
    package var entries: [(key: Key, value: Value)] {
        var result: [(key: Key, value: Value)] = []
        result.reserveCapacity(nodes.count)
        var index = newest
        while index >= 0 {
            result.append((nodes[index].key, nodes[index].value))
            index = nodes[index].next
        }
        return result
    }

    @inlinable
    mutating func moveToFront(_ index: Int) {
        guard newest != index else { return }
        unlink(index)
        pushFront(index)
    }

    @inlinable
    mutating func unlink(_ index: Int) {
        let (previous, next) = (nodes[index].previous, nodes[index].next)
        if previous >= 0 { nodes[previous].next = next } else { newest = next }
        if next >= 0 { nodes[next].previous = previous } else { oldest = previous }
        nodes[index].previous = -1
        nodes[index].next = -1
    }

    @inlinable
    mutating func pushFront(_ index: Int) {
        nodes[index].previous = -1
        nodes[index].next = newest
        if newest >= 0 { nodes[newest].previous = index }
        newest = index
        if oldest < 0 { oldest = index }
    }
}
