// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Foundation
internal import Persistence
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct AuditCommandTests {
    @Test func verifyAndBackupWorkOnTheDirectoryOfTheSettings() async throws {
        try await withHome { home in
            let environment = ["TOLLGATE_DATA_DIR": home + "/data"]
            let missing = await run(["audit", "verify"], home: home, environment: environment)
            #expect(missing.status == 2)
            #expect(missing.output.contains("unreadable"))
            try put("{\"nonsense\":1}\n", at: home + "/data/audit/w/audit-20260301T120000Z-00000000000000000001.jsonl")
            let broken = await run(["audit", "verify", "--json"], home: home, environment: environment)
            #expect(broken.status == 1)
            let report = try JSONParser.parse(text: broken.output)
            #expect(report["writers"]?.arrayValue?.first?["fault"]?["kind"] == "malformed_line")
            let copied = await run(
                ["audit", "backup", "--output", home + "/copy"], home: home, environment: environment)
            #expect(copied.status == 0, "\(copied.errors)")
            #expect(copied.output.hasPrefix("1 copied, 0 already there"))
            let again = await run(["audit", "verify", "--path", home + "/copy"], home: home)
            #expect(again.status == 1)
        }
    }

    @Test func reindexHoldsWhatTheSegmentsHold() async throws {
        try await withHome { home in
            let at = Timestamp(seconds: 1_772_366_400)
            let draft = AuditDraft(actor: "a", action: "x.y", resource: "r", outcome: .success)
            let lines = SegmentText.lines(
                writer: "w", created: at, firstSequence: 1, previousSegment: nil,
                previousHash: String(repeating: "0", count: 64),
                entries: (0..<1500).map { _ in ("019c4690-7c7b-70a1-8b2c-000000000000", at, draft) }, closed: at)
            let folder = home + "/data/audit/w"
            try put(
                lines.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined(),
                at: "\(folder)/\(SegmentName(created: at, firstSequence: 1).file)")
            for _ in 0..<2 {
                let result = await run(["audit", "reindex", "--path", home + "/data/audit"], home: home)
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.output == "w: 1500 entries\n")
            }
            #expect(try await SQLiteAuditIndex(path: "\(folder)/index.sqlite").lastSequence(writer: "w") == 1500)
        }
    }

    @Test func aHeadThatIsNoneIsWrongUsage() async {
        #expect(await run(["audit", "verify", "--head", "12"]).status == 2)
        #expect(await run(["audit", "backup"]).status == 2)
    }

    @Test func aShortKeyIsNeverShown() async {
        let result = await run(
            ["audit", "verify", "--path", "/x"], environment: ["TOLLGATE_AUDIT_HMAC_KEY": "hunter2"])
        #expect(result.status == 2)
        #expect(result.errors.contains("TOLLGATE_AUDIT_HMAC_KEY"))
        #expect(!result.errors.contains("hunter2"))
    }
}
