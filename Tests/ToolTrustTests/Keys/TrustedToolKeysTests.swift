// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing
internal import ToolTrust

@Suite struct TrustedToolKeysTests {
    private func record(_ id: String, _ seed: UInt64, _ more: JSONObject = [:]) throws -> ToolKeyRecord {
        let key = try #require(Ed25519PrivateKey(seed: SeededRandom(seed: seed).bytes(32), keyID: id)?.record)
        var members = try #require(key.json.objectValue)
        for member in more.members { members[member.name] = member.value }
        return try ToolKeyRecord(.object(members))
    }

    private func code(_ record: ToolKeyRecord) throws -> ErrorCode? {
        TrustedToolKeys.refusal(record, at: try ToolCases.now())?.code
    }

    @Test func judgesTheStateAtTheTimeOfUse() throws {
        let rows: [(JSONObject, ErrorCode?)] = [
            ([:], nil), (["not_before": "2026-03-01T00:00:00Z"], nil),
            (["not_before": "2026-03-01T00:00:01Z"], .toolsKeyExpired),
            (["expires_at": "2026-03-01T00:00:00Z"], .toolsKeyExpired),
            (["expires_at": "2026-03-01T00:00:01Z"], nil),
            (["revoked_at": "2026-03-01T00:00:00Z"], .toolsKeyRevoked),
            (["revoked_at": "2026-03-01T00:00:01Z"], nil), (["expires_at": "soon"], .toolsKeyExpired),
            (["revoked_at": 5], .toolsKeyExpired),
            (["expires_at": "2020-01-01T00:00:00Z", "revoked_at": "2020-01-01T00:00:00Z"], .toolsKeyRevoked),
        ]
        for (members, expected) in rows { #expect(try code(record("k", 1, members)) == expected, "\(members)") }
    }

    @Test func oneIdWithTwoKeysIsNoKey() throws {
        let keys = TrustedToolKeys([try record("a", 1), try record("b", 2), try record("a", 3)])
        #expect(keys.conflicting == ["a"])
        #expect(keys.records.map(\.keyID) == ["b"])
    }

    @Test func everyRestrictionOfOneKeyCounts() throws {
        let keys = TrustedToolKeys([
            try record("a", 1, ["expires_at": "2027-01-01T00:00:00Z"]),
            try record("a", 1, ["expires_at": "2026-01-01T00:00:00Z"]),
            try record("a", 1, ["revoked_at": "2026-02-01T00:00:00Z"]),
        ])
        #expect(keys.records.count == 1)
        #expect(keys["a"]?.expiresAt?.rfc3339 == "2026-01-01T00:00:00Z")
        #expect(keys["a"]?.revokedAt?.rfc3339 == "2026-02-01T00:00:00Z")
    }

    @Test func keepsSixtyFour() throws {
        let keys = TrustedToolKeys(try (0..<65).map { try record("k\($0)", UInt64($0)) })
        #expect(keys.records.count == 64)
        #expect(keys.surplus == ["k64"])
    }

    @Test(arguments: [
        "", "1", "[1]", "[{}]", #"[{"key_id":"a"}]"#, #"[{"key_id":"a","public_key":"AAAA"}]"#,
        #"[{"key_id":"a","public_key":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]"#,
        #"[{"key_id":"a b","public_key":"0Nq2aLLWTdHqM31N70n3oGmNfUoLfGAAcOIkG7xUrEE="}]"#,
        #"[{"key_id":"a","public_key":"0Nq2aLLWTdHqM31N70n3oGmNfUoLfGAAcOIkG7xUrEE=","more":1}]"#,
        #"[{"key_id":"a","key_id":"b","public_key":"0Nq2aLLWTdHqM31N70n3oGmNfUoLfGAAcOIkG7xUrEE="}]"#,
    ])
    func refusesWhatIsNoList(_ text: String) {
        #expect(throws: ToolKeyRecord.Fault.self) { try ToolKeyRecord.list(Array(text.utf8)) }
    }

    @Test func withoutKeyIdEveryUsableKeyIsTried() throws {
        var document = try #require(try JSONParser.parse(ToolCases.signed()).objectValue)
        document["key_id"] = nil
        let canonical = try ToolManifest(document: .object(document)).canonical
        document["signature"] = .string(
            PaddedBase64.encode(try ToolCases.privateKey("ci-2026a").signature(of: canonical)))
        let bytes = JSONValue.object(document).encoded()
        #expect(try ToolCases.verify(bytes).keyID == "ci-2026a")
        #expect(try ToolCases.verify(bytes, keys: TrustedToolKeys([])).refusal?.code == .toolsUnknownKey)
        #expect(
            try ToolCases.verify(bytes, keys: TrustedToolKeys([record("x", 1)])).refusal?.code == .toolsBadSignature)
        let revoked = try record("x", 1, ["revoked_at": "2026-01-01T00:00:00Z"])
        #expect(try ToolCases.verify(bytes, keys: TrustedToolKeys([revoked])).refusal?.code == .toolsKeyRevoked)
    }
}
