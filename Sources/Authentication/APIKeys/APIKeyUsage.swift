// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Logging

/// What the query of a usage report asks for: whole buckets that reach from an instant to another.
package struct APIKeyUsageQuery: Sendable {
    /// How wide a bucket is; days begin at midnight UTC.
    package enum Bucket: String, Sendable, CaseIterable {
        case hour, day

        var hours: Int64 { self == .hour ? 1 : 24 }
    }

    /// How many days counters are kept, which is also the widest report.
    package static let keptDays: Int64 = 90

    package let bucket: Bucket
    /// Hours since 1970-01-01T00:00:00Z, on the bounds of buckets.
    package let hours: Range<Int64>

    /// Reads query parameters, each a text. Without `from` the report reaches back a day of hours or thirty days.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package init(query: JSONObject, now: Timestamp) throws(Refusal) {
        var fields = try RequestFields(query, known: ["from", "to", "bucket"])
        let bucket = fields.choice("bucket", of: Bucket.self) ?? .hour
        // Without an end the present bucket is in, also in its first instant.
        let to = Self.instant("to", &fields) ?? Timestamp(microseconds: now.microseconds + 1)
        let from = Self.instant("from", &fields) ?? to.adding(seconds: bucket == .hour ? -86_400 : -30 * 86_400)
        let width = bucket.hours * 3600
        let first = Self.floor(from.seconds, width)
        // The bucket of the last microsecond before the end is in.
        let last = Self.floor(Timestamp(microseconds: to.microseconds - 1).seconds, width) + width
        if from >= to {
            fields.fault("from", "not before to")
        } else if to.seconds - from.seconds > Self.keptDays * 86_400 {
            fields.fault("from", "more than \(Self.keptDays) days before to")
        }
        try fields.finish()
        self.bucket = bucket
        hours = first / 3600..<max(first, last) / 3600
    }

    private static func instant(_ name: String, _ fields: inout RequestFields) -> Timestamp? {
        guard let text = fields.text(name, maximumBytes: 64) else { return nil }
        guard let instant = Timestamp(rfc3339: text) else {
            fields.fault(name, "not an RFC 3339 instant with a zone")
            return nil
        }
        return instant
    }

    private static func floor(_ seconds: Int64, _ width: Int64) -> Int64 {
        let rest = seconds % width
        return seconds - (rest < 0 ? rest + width : rest)
    }
}

/// What was counted of a key.
package struct APIKeyUsageReport: Sendable {
    /// The counters of one bucket.
    struct Counters: Sendable {
        private var byStatus: [Int: Int64] = [:]

        mutating func add(_ row: APIKeyUsageRow) {
            byStatus[row.status] = byStatus[row.status, default: 0].addingSaturated(row.requests)
        }

        /// `requests`, `denied` (every 4xx but 429), `rate_limited` (429) and each status.
        func json(start: JSONValue? = nil) -> JSONObject {
            func sum(_ isCounted: (Int) -> Bool) -> JSONValue {
                .int(byStatus.reduce(0) { isCounted($1.key) ? $0.addingSaturated($1.value) : $0 })
            }
            var object = JSONObject()
            if let start { object["start"] = start }
            object["requests"] = sum { _ in true }
            object["denied"] = sum { (400..<500).contains($0) && $0 != 429 }
            object["rate_limited"] = sum { $0 == 429 }
            object["by_status"] = .object(
                JSONObject(byStatus.sorted { $0.key < $1.key }.map { (String($0.key), JSONValue.int($0.value)) }))
            return object
        }
    }

    let id: String
    let query: APIKeyUsageQuery
    let rows: [APIKeyUsageRow]
    let lastUsedAt: Timestamp?

    /// `{id, from, to, bucket, buckets, totals, last_used_at}`; buckets in which nothing was counted are left out.
    package var json: JSONObject {
        func instant(_ hour: Int64) -> JSONValue { .string(Timestamp(seconds: hour * 3600).rfc3339) }
        var buckets: [Int64: Counters] = [:]
        var totals = Counters()
        for row in rows {
            let rest = row.hour % query.bucket.hours
            buckets[row.hour - (rest < 0 ? rest + query.bucket.hours : rest), default: Counters()].add(row)
            totals.add(row)
        }
        return [
            "id": .string(id), "from": instant(query.hours.lowerBound), "to": instant(query.hours.upperBound),
            "bucket": .string(query.bucket.rawValue),
            "buckets": .array(
                buckets.sorted { $0.key < $1.key }.map { .object($0.value.json(start: instant($0.key))) }),
            "totals": .object(totals.json()), "last_used_at": .optional(lastUsedAt?.rfc3339),
        ]
    }
}

extension APIKeyRegistry {
    private static let usageName = "usage"

    /// What was counted of a key, written or not.
    ///
    /// - Throws: `key.not_found`, `auth.store_unavailable`.
    package func usage(
        _ id: String, _ query: APIKeyUsageQuery, caller: TokenCaller
    ) async throws(Refusal) -> APIKeyUsageReport {
        let entry = try find(id, caller)
        return try await usageLock.withLock(Self.usageName) { () throws(Refusal) in
            var rows: [APIKeyUsageRow]
            do throws(APIKeyStoreError) {
                rows = try await store.usage(of: id, hours: query.hours)
            } catch {
                logger.error(
                    "The counters of a key cannot be read",
                    metadata: [LogKeys.error: .string(String(describing: error))])
                throw Refusal(.authStoreUnavailable, retryAfterSeconds: 1)
            }
            rows += entry.unwrittenUsage.filter { query.hours.contains($0.hour) }
            return APIKeyUsageReport(id: id, query: query, rows: rows, lastUsedAt: entry.current.lastUsedAt)
        }
    }

    /// Writes the counters of requests; what cannot be written is kept for the next time.
    func flushUsage() async throws(APIKeyStoreError) {
        try await usageLock.withLock(Self.usageName) { () throws(APIKeyStoreError) in
            let rows = table.drainUsage()
            guard !rows.isEmpty else { return }
            do throws(APIKeyStoreError) {
                try await store.addUsage(rows)
            } catch {
                table.restore(rows)
                throw error
            }
        }
    }
}
