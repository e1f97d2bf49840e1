// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import TestSupport
internal import Testing

/// Runs every case of `Tests/Cases/audit*.json`.
@Suite struct AuditCases {
    /// How each kind of case is run.
    static let runners: [String: @Sendable (CaseRecord) throws -> Void] = [
        "chain": AuditKinds.chain,
        "verify": AuditKinds.verify,
        "query": AuditKinds.query,
        "duration": AuditKinds.duration,
    ]

    /// Kinds whose subject is not built yet, each with the reason. They are counted in the output.
    static let pending: [String: String] = [
        "filename_parse": "session event streams are not part of the product yet",
        "filename_build": "session event streams are not part of the product yet",
        "session_id": "session event streams are not part of the product yet",
        "replay": "session event streams are not part of the product yet",
        "sigv4": "the archive is not part of the product yet",
    ]

    @Test(arguments: CaseFile.all(area: "audit"))
    func holds(_ record: CaseRecord) throws {
        if let reason = Self.pending[record.kind] {
            print("pending: \(record.id): \(reason)")
            return
        }
        let run = try #require(Self.runners[record.kind], "unknown kind \(record.kind) in \(record.id)")
        try run(record)
    }

    @Test func countsWhatIsPending() {
        let cases = CaseFile.all(area: "audit")
        let waiting = cases.filter { Self.pending[$0.kind] != nil }
        print("audit: \(cases.count) cases, \(waiting.count) pending")
        #expect(!cases.isEmpty)
        #expect(waiting.count < cases.count)
    }
}

/// One function a kind.
enum AuditKinds {
    @Sendable static func chain(_ record: CaseRecord) throws {
        let given = record.given
        let entries = try #require(given["entries"]?.arrayValue)
        let lines = SegmentText.lines(
            writer: try #require(given["writer"]?.stringValue), created: try timestamp(given["created"]),
            firstSequence: try #require(given["first_sequence"]?.intValue),
            previousSegment: given["prev_segment"]?.stringValue,
            previousHash: try #require(given["prev_hash"]?.stringValue),
            entries: try entries.map(entry),
            closed: try given["closed"].flatMap { $0.isNull ? nil : $0 }.map { try timestamp($0) })
        let expected = record.expect["lines"]?.arrayValue?.compactMap { $0.stringValue }
        #expect(lines.map { String(decoding: $0, as: UTF8.self) } == expected)
        let hashes = try #require(record.expect["hashes"]?.arrayValue).compactMap { $0.stringValue }
        for (line, hash) in zip(lines, hashes) {
            #expect(String(decoding: line, as: UTF8.self).hasSuffix(",\"hash\":\"\(hash)\"}"))
        }
    }

    @Sendable static func verify(_ record: CaseRecord) throws {
        let given = try #require(record.given["segments"]?.arrayValue)
        let segments = try given.map { segment in
            (
                file: try #require(segment["file"]?.stringValue),
                lines: (segment["lines"]?.arrayValue ?? []).map { Array(($0.stringValue ?? "").utf8) }
            )
        }
        let report = AuditVerifier.verify(segments: segments, writer: "case")
        if let fault = record.expect["fault"] {
            #expect(report.fault?.file == fault["file"]?.stringValue)
            #expect(report.fault.map { Int64($0.line) } == fault["line"]?.intValue)
            #expect(report.fault?.kind.rawValue == fault["kind"]?.stringValue)
        } else {
            #expect(record.expect["intact"] == .bool(true))
            #expect(report.fault == nil)
            #expect(Int64(report.entries) == record.expect["entries"]?.intValue)
            #expect(report.head?.sequence == record.expect["head"]?["sequence"]?.intValue)
            #expect(report.head?.hash == record.expect["head"]?["hash"]?.stringValue)
        }
    }

    private static func timestamp(_ value: JSONValue?) throws -> Timestamp {
        let text = try #require(value?.stringValue)
        return try #require(Timestamp(rfc3339: text))
    }

    private static func entry(_ value: JSONValue) throws -> (id: String, at: Timestamp, draft: AuditDraft) {
        let outcome = try #require(AuditDraft.Outcome(rawValue: value["outcome"]?.stringValue ?? ""))
        let draft = AuditDraft(
            actor: try #require(value["actor"]?.stringValue), action: try #require(value["action"]?.stringValue),
            resource: try #require(value["resource"]?.stringValue), outcome: outcome,
            metadata: try #require(value["metadata"]?.objectValue), ip: value["ip"]?.stringValue,
            sessionID: value["session_id"]?.stringValue, tenant: value["tenant"]?.stringValue,
            requestID: value["request_id"]?.stringValue)
        return (try #require(value["id"]?.stringValue), try timestamp(value["timestamp"]), draft)
    }
}
