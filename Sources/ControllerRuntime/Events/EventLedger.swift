// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import ResourceModel

/// The object that an Event is about.
package struct InvolvedObject: Sendable, Hashable {
    package var resource: APIResource
    package var namespace: String
    package var name: String
    package var uid: String
    package var resourceVersion: String

    package init(resource: APIResource, namespace: String, name: String, uid: String, resourceVersion: String) {
        self.resource = resource
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.resourceVersion = resourceVersion
    }
}

/// One thing that happened.
struct EventNote: Sendable, Hashable {
    var object: InvolvedObject
    /// `Normal` or `Warning`.
    var type: String
    var reason: String
    var action: String
    var note: String
}

/// Which Events are made anew, which become a series, and which are left out. Pure.
struct EventLedger: Sendable {
    enum Decision: Sendable, Equatable {
        case create
        /// The Event of that name happened so often.
        case series(name: String, count: Int64)
        /// The object has had enough of them.
        case drop
    }

    /// The same object, reason and note within this time are one Event.
    static let seriesWindow = Duration.seconds(360)
    /// Events of one object at once, and the time after which one more is allowed.
    static let burst = 25.0
    static let refill = Duration.seconds(300)

    private struct Series: Sendable {
        var name: String
        var count: Int64
        var last: Duration
    }

    private struct Bucket: Sendable {
        var tokens: Double
        var filled: Duration
    }

    private struct Key: Hashable, Sendable {
        var uid: String
        var reason: String
        var note: String
    }

    private var series: LRUCache<Key, Series>
    private var buckets: LRUCache<String, Bucket>

    init(capacity: Int = 4096) {
        series = LRUCache(capacity: capacity)
        buckets = LRUCache(capacity: capacity)
    }

    mutating func decide(_ event: EventNote, at now: Duration) -> Decision {
        var bucket = buckets.value(for: event.object.uid) ?? Bucket(tokens: Self.burst, filled: now)
        let refilled = (now - bucket.filled) / Self.refill
        bucket.tokens = min(Self.burst, bucket.tokens + refilled)
        bucket.filled = now
        let allowed = bucket.tokens >= 1
        if allowed { bucket.tokens -= 1 }
        _ = buckets.insert(bucket, for: event.object.uid)
        guard allowed else { return .drop }
        let key = Key(uid: event.object.uid, reason: event.reason, note: event.note)
        guard var known = series.value(for: key), now - known.last <= Self.seriesWindow else { return .create }
        known.count += 1
        known.last = now
        _ = series.insert(known, for: key)
        return .series(name: known.name, count: known.count)
    }

    /// The Event was made under that name.
    mutating func made(_ event: EventNote, name: String, at now: Duration) {
        _ = series.insert(
            Series(name: name, count: 1, last: now),
            for: Key(uid: event.object.uid, reason: event.reason, note: event.note))
    }
}
