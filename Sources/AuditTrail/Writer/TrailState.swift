// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What the writer tells those who read: how far the series is synced, and its newest entries.
final class TrailState: Sendable {
    private let synced = Atomic<Int64>(0)
    private let ring: Mutex<MemoryRing>

    init(memoryEntries: Int) { ring = Mutex(MemoryRing(capacity: memoryEntries)) }

    /// The last synced entry's sequence number.
    var syncedThrough: Int64 { synced.load(ordering: .acquiring) }

    /// Where the series stood when it was opened.
    func begin(syncedThrough: Int64) { synced.store(syncedThrough, ordering: .releasing) }

    /// Adds rows that are synced.
    func add(_ rows: [AuditRow]) {
        ring.withLock { $0.append(rows) }
        if let last = rows.last { synced.store(last.sequence, ordering: .releasing) }
    }

    /// The newest rows that match, in no order.
    func rows(_ request: AuditIndexRequest) -> [AuditRow] {
        let newest = ring.withLock { $0.newest }
        return newest.filter { request.matches($0) }
    }
}
