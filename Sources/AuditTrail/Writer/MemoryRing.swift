// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The newest written entries, bounded in number and in bytes.
struct MemoryRing: Sendable {
    private static let byteLimit = 64 << 20

    private let capacity: Int
    private var rows: [AuditRow] = []
    private var first = 0
    private var bytes = 0

    init(capacity: Int) { self.capacity = max(128, capacity) }

    mutating func append(_ new: [AuditRow]) {
        for row in new {
            rows.append(row)
            bytes += row.line.count
        }
        while rows.count - first > capacity || bytes > Self.byteLimit {
            bytes -= rows[first].line.count
            first += 1
        }
        // Seldom enough that moving the rest costs nothing, and often enough that what is over is not kept alive.
        if first > capacity / 8 {
            rows.removeFirst(first)
            first = 0
        }
    }

    /// What is held, oldest first.
    var newest: ArraySlice<AuditRow> { rows[first...] }
}
