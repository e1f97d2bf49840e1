// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A map of bounded size that forgets what was used least recently. Every operation is O(1).
///
/// It is a plain value without a lock: whoever shares it puts it into a `Mutex`. A large value is best a reference, because reading copies it.
/// Its code is compiled for the types of those who use it, because it stands in the way of every request: the compiler does so across
/// modules for what is public and inlinable, and not for what is `package`.
public struct LRUCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// Where an entry stands among the others. Of no generic type, and so apart from what it links: entries move at every reading.
    @usableFromInline struct Link: Sendable {
        @usableFromInline var previous: Int
        @usableFromInline var next: Int

        @inlinable init(previous: Int, next: Int) {
            self.previous = previous
            self.next = next
        }
    }

    /// The largest number of entries.
    public let capacity: Int
    @usableFromInline var indices: [Key: Int] = [:]
    @usableFromInline var keys: [Key] = []
    @usableFromInline var values: [Value] = []
    @usableFromInline var links: [Link] = []
    @usableFromInline var newest = -1
    @usableFromInline var oldest = -1

    /// A cache for at most `capacity` (≥ 1) entries.
    @inlinable public init(capacity: Int) { self.capacity = max(1, capacity) }

    /// The number of entries.
    @inlinable public var count: Int { indices.count }

    /// Reads an entry and marks it as just used.
    @inlinable public mutating func value(for key: Key) -> Value? {
        guard let index = indices[key] else { return nil }
        moveToFront(index)
        return values[index]
    }

    /// The key that was used least recently.
    @inlinable public var oldestKey: Key? { oldest >= 0 ? keys[oldest] : nil }

    /// Reads an entry without marking it.
    @inlinable public func peek(_ key: Key) -> Value? { indices[key].map { values[$0] } }

    /// Adds or replaces an entry and marks it as just used.
    ///
    /// - Returns: the key that had to go, if one had to.
    @inlinable public mutating func insert(_ value: Value, for key: Key) -> Key? {
        if let index = indices[key] {
            values[index] = value
            moveToFront(index)
            return nil
        }
        guard links.count >= capacity else {
            keys.append(key)
            values.append(value)
            links.append(Link(previous: -1, next: -1))
            indices[key] = links.count - 1
            pushFront(links.count - 1)
            return nil
        }
        let index = oldest
        let evicted = keys[index]
        unlink(index)
        indices[evicted] = nil
        keys[index] = key
        values[index] = value
        indices[key] = index
        pushFront(index)
        return evicted
    }

    /// Changes an entry in place, making it from `initial` when it is new, and marks it as just used.
    @inlinable public mutating func update<Result>(
        _ key: Key, initial: @autoclosure () -> Value, _ change: (inout Value) -> Result
    ) -> Result {
        if let index = indices[key] {
            moveToFront(index)
            return change(&values[index])
        }
        var value = initial()
        let result = change(&value)
        _ = insert(value, for: key)
        return result
    }

    /// Changes an entry in place and marks it as just used; nil where there is none.
    @inlinable public mutating func updateIfPresent<Result>(_ key: Key, _ change: (inout Value) -> Result) -> Result? {
        guard let index = indices[key] else { return nil }
        moveToFront(index)
        return change(&values[index])
    }

    /// Takes every entry out whose value the test, which may change it, holds to be good for nothing.
    ///
    /// - Returns: how many went.
    @inlinable public mutating func removeAll(where isIdle: (inout Value) -> Bool) -> Int {
        var idle: [Key] = []
        for index in links.indices where isIdle(&values[index]) { idle.append(keys[index]) }
        for key in idle { _ = remove(key) }
        return idle.count
    }

    /// Takes an entry out.
    @inlinable public mutating func remove(_ key: Key) -> Value? {
        guard let index = indices.removeValue(forKey: key) else { return nil }
        unlink(index)
        let last = links.count - 1
        if index != last {
            let moved = links[last]
            links[index] = moved
            indices[keys[last]] = index
            keys.swapAt(index, last)
            values.swapAt(index, last)
            if moved.previous >= 0 { links[moved.previous].next = index } else { newest = index }
            if moved.next >= 0 { links[moved.next].previous = index } else { oldest = index }
        }
        links.removeLast()
        keys.removeLast()
        return values.removeLast()
    }

    /// Forgets everything.
    @inlinable public mutating func removeAll() {
        indices.removeAll()
        keys.removeAll()
        values.removeAll()
        links.removeAll()
        newest = -1
        oldest = -1
    }

    /// Every entry, the newest first.
    @inlinable public var entries: [(key: Key, value: Value)] {
        var result: [(key: Key, value: Value)] = []
        result.reserveCapacity(links.count)
        var index = newest
        while index >= 0 {
            result.append((keys[index], values[index]))
            index = links[index].next
        }
        return result
    }

    @inlinable mutating func moveToFront(_ index: Int) {
        guard newest != index else { return }
        unlink(index)
        pushFront(index)
    }

    @inlinable mutating func unlink(_ index: Int) {
        let (previous, next) = (links[index].previous, links[index].next)
        if previous >= 0 { links[previous].next = next } else { newest = next }
        if next >= 0 { links[next].previous = previous } else { oldest = previous }
        links[index] = Link(previous: -1, next: -1)
    }

    @inlinable mutating func pushFront(_ index: Int) {
        links[index] = Link(previous: -1, next: newest)
        if newest >= 0 { links[newest].previous = index }
        newest = index
        if oldest < 0 { oldest = index }
    }
}
