// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Builds an index anew from the segments, which are the truth.
package enum AuditReindex {
    private static let batch = 1000

    /// Makes the index of one writer hold what its segments hold, and nothing else.
    ///
    /// - Parameter directory: that writer's; no process may write it meanwhile.
    /// - Returns: how many entries there are.
    /// - Throws: `AuditError` with `locked`, `unreadable` or `damaged`; whatever the index throws.
    package static func run(directory: String, writer: String, index: any AuditIndexing) async throws -> Int {
        guard !AuditFiles.isLocked(directory) else {
            throw AuditError(
                code: .locked, message: "a server writes \(directory) and keeps its index itself; stop it first")
        }
        try await index.removeAll(writer: writer)
        var count = 0
        for segment in try AuditFiles.segments(in: directory) {
            var reader = try SegmentReader(segment, in: directory)
            var isOver = false
            while !isOver {
                let (rows, isLast) = try rows(from: &reader, writer: writer)
                if !rows.isEmpty { try await index.add(rows) }
                count += rows.count
                isOver = isLast
            }
        }
        return count
    }

    private static func rows(
        from reader: inout SegmentReader, writer: String
    ) throws(AuditError) -> (rows: [AuditRow], isLast: Bool) {
        var rows: [AuditRow] = []
        while rows.count < batch {
            let row = try reader.next { kind, bytes -> AuditRow? in
                kind == .whole ? AuditRow(line: Array(bytes), writer: writer) : nil
            }
            guard let row else { return (rows, true) }
            if let row { rows.append(row) }
        }
        return (rows, false)
    }
}
