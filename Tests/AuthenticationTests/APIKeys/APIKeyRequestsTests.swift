// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct APIKeyRequestsTests {
    private static let now = Timestamp(seconds: 1_772_366_400)

    private static func fields(_ body: () throws(Refusal) -> Void) -> String {
        do throws(Refusal) {
            try body()
            return "fine"
        } catch {
            guard error.code == .requestInvalid else { return "\(error.code.rawValue): \(error.message)" }
            let fields = error.details?["fields"]?.arrayValue ?? []
            return fields.compactMap { $0["field"]?.stringValue }.joined(separator: ",")
        }
    }

    @Test(arguments: [
        (#"{"name": "a"}"#, "fine"), (#"{}"#, "name"), (#"{"name": null}"#, "name"), (#"{"name": "  "}"#, "name,name"),
        (#"{"name": 1}"#, "name"), (#"{"name": "a\u0007"}"#, "name"),
        (#"{"name": "a", "nonsense": 1}"#, "request.malformed: Unknown member 'nonsense'"),
        (#"{"name": "a", "environment": "test"}"#, "fine"), (#"{"name": "a", "environment": "prod"}"#, "environment"),
        (#"{"name": "a", "environment": 1}"#, "environment"),
        (#"{"name": "a", "scopes": ["tasks:read"], "permissions": "admin"}"#, "permissions"),
        (#"{"name": "a", "scopes": [], "permissions": "admin"}"#, "permissions"),
        (#"{"name": "a", "permissions": "read-only"}"#, "fine"),
        (#"{"name": "a", "permissions": "all"}"#, "permissions"),
        (#"{"name": "a", "scopes": ["*"]}"#, "scopes"),
        (#"{"name": "a", "scopes": null, "permissions": null}"#, "fine"),
        (#"{"name": "a", "expires_in_seconds": 60}"#, "fine"),
        (#"{"name": "a", "expires_in_seconds": 59}"#, "expires_in_seconds"),
        (#"{"name": "a", "expires_in_days": 1}"#, "fine"), (#"{"name": "a", "expires_in_days": 0}"#, "expires_in_days"),
        (#"{"name": "a", "expires_in_days": 3651}"#, "expires_in_days"),
        (#"{"name": "a", "expires_at": "2026-03-01T12:00:01Z"}"#, "fine"),
        (#"{"name": "a", "expires_at": "2026-03-01T12:00:00Z"}"#, "expires_at"),
        (#"{"name": "a", "expires_at": "2026-03-02T12:00:00"}"#, "expires_at"),
        (#"{"name": "a", "expires_at": "2036-03-02T12:00:00Z"}"#, "expires_at"),
        (#"{"name": "a", "expires_in_days": 1, "expires_in_seconds": 60}"#, "expires_in_days"),
        (#"{"name": "a", "expires_in_days": 1, "expires_at": "2026-03-02T12:00:00Z"}"#, "expires_at"),
        (#"{"name": "a", "allowed_cidrs": ["10.0.0.0/33"]}"#, "allowed_cidrs"),
        (#"{"name": "a", "project_id": " "}"#, "project_id"), (#"{"name": "a", "account_id": ""}"#, "account_id"),
    ])
    func readsCreations(_ text: String, _ expected: String) throws {
        let object = try #require(try JSONParser.parse(text: text).objectValue)
        // A name that is given but no good is told once.
        let told = Self.fields { () throws(Refusal) in _ = try CreateAPIKey(json: object, now: Self.now) }
        #expect(told == (expected == "name,name" ? "name" : expected), "\(text)")
    }

    @Test func boundsNames() {
        func name(_ count: Int) -> String {
            let text = String(repeating: "é", count: count)
            return Self.fields { () throws(Refusal) in
                _ = try CreateAPIKey(json: ["name": .string(text)], now: Self.now)
            }
        }
        #expect(name(64) == "fine")
        #expect(name(65) == "name")
    }

    @Test(arguments: [
        (#"{}"#, "fine"), (#"{"name": ""}"#, "name"),
        (#"{"environment": "test"}"#, "request.malformed: Unknown member 'environment'"),
        (#"{"expires_at": null, "description": null}"#, "fine"),
        (#"{"expires_at": "2026-03-01T11:00:00Z"}"#, "expires_at"),
        (#"{"scopes": ["a:*:b"]}"#, "scopes"), (#"{"allowed_cidrs": "x"}"#, "allowed_cidrs"),
    ])
    func readsChanges(_ text: String, _ expected: String) throws {
        let object = try #require(try JSONParser.parse(text: text).objectValue)
        #expect(Self.fields { () throws(Refusal) in _ = try PatchAPIKey(json: object, now: Self.now) } == expected)
    }

    @Test func tellsAbsentFromNull() throws {
        let absent = try PatchAPIKey(json: [:], now: Self.now)
        #expect(absent.expiresAt == nil && absent.description == nil)
        let null = try PatchAPIKey(json: ["expires_at": nil, "description": nil], now: Self.now)
        #expect(null.expiresAt == .some(nil) && null.description == .some(nil))
    }

    @Test(arguments: [
        (#"{}"#, "fine"), (#"{"overlap_seconds": 604801}"#, "overlap_seconds"),
        (#"{"overlap_seconds": -1}"#, "overlap_seconds"),
        (#"{"expires_in_seconds": 1}"#, "expires_in_seconds"),
        (#"{"identifier": "x"}"#, "request.malformed: Unknown member 'identifier'"),
    ])
    func readsRotations(_ text: String, _ expected: String) throws {
        let object = try #require(try JSONParser.parse(text: text).objectValue)
        #expect(Self.fields { () throws(Refusal) in _ = try RotateAPIKey(json: object) } == expected)
    }

    @Test(arguments: [
        (#"{}"#, "fine"), (#"{"reason": null}"#, "fine"), (#"{"reason": " "}"#, "reason"),
        (#"{"reason": 1}"#, "reason"),
        (#"{"family": true}"#, "request.malformed: Unknown member 'family'"),
    ])
    func readsRevocations(_ text: String, _ expected: String) throws {
        let object = try #require(try JSONParser.parse(text: text).objectValue)
        #expect(Self.fields { () throws(Refusal) in _ = try RevokeAPIKey(json: object) } == expected)
    }

    @Test(arguments: [
        (#"{}"#, "fine"), (#"{"status": "active,rotated"}"#, "fine"), (#"{"status": "gone"}"#, "status"),
        (#"{"limit": "201"}"#, "limit"), (#"{"cursor": "x"}"#, "cursor"), (#"{"account_id": " "}"#, "account_id"),
    ])
    func readsLists(_ text: String, _ expected: String) throws {
        let object = try #require(try JSONParser.parse(text: text).objectValue)
        #expect(Self.fields { () throws(Refusal) in _ = try ListAPIKeys(query: object) } == expected)
    }

    @Test(arguments: [
        (#"{}"#, "fine"), (#"{"bucket": "week"}"#, "bucket"), (#"{"from": "yesterday"}"#, "from"),
        (#"{"from": "2026-03-01T12:00:01Z"}"#, "from"),
        (#"{"from": "2025-11-30T12:00:00Z"}"#, "from"), (#"{"from": "2025-12-01T12:00:00Z"}"#, "fine"),
        (#"{"until": "x"}"#, "request.malformed: Unknown member 'until'"),
    ])
    func readsUsageQueries(_ text: String, _ expected: String) throws {
        let object = try #require(try JSONParser.parse(text: text).objectValue)
        #expect(
            Self.fields { () throws(Refusal) in _ = try APIKeyUsageQuery(query: object, now: Self.now) } == expected)
    }

    /// Whatever a body holds, it is read or refused with one of two codes, and what was read is within its bounds.
    @Test func bearsAnyBody() throws {
        let random = SeededRandom(seed: 29)
        let names = [
            "name", "scopes", "permissions", "environment", "description", "expires_in_seconds", "expires_in_days",
            "expires_at", "workspace_ids", "project_id", "allowed_cidrs", "account_id", "reason", "overlap_seconds",
            "x",
        ]
        func value(_ depth: Int) -> JSONValue {
            switch random.below(depth > 2 ? 6 : 9) {
            case 0: return .null
            case 1: return .bool(random.below(2) == 0)
            case 2: return .int(Int64(bitPattern: random.next()))
            case 3: return .double(Double(random.below(1000)) / 7)
            case 4: return .string(String(decoding: random.bytes(random.below(80)), as: UTF8.self))
            case 5:
                return .string(
                    ["read-only", "live", "tasks:read", "2030-01-01T00:00:00Z", "10.0.0.0/8"][random.below(5)])
            case 6: return .int(Int64(random.below(100_000)))
            case 7: return .array((0..<random.below(4)).map { _ in value(depth + 1) })
            default: return .object(JSONObject([(names[random.below(names.count)], value(depth + 1))]))
            }
        }
        for _ in 0..<FuzzCases.count(3000) {
            var object = JSONObject()
            for _ in 0..<random.below(5) { object[names[random.below(names.count)]] = value(0) }
            do throws(Refusal) {
                let request = try CreateAPIKey(json: object, now: Self.now)
                #expect((1...64).contains(request.name.unicodeScalars.count))
                #expect(request.expiresAt.map { $0 > Self.now } ?? true)
                #expect(request.scopes == nil || request.permissions == nil)
            } catch {
                #expect(error.code == .requestInvalid || error.code == .requestMalformed)
            }
            for read in [Self.patch, Self.rotate, Self.revoke, Self.list, Self.usage] { read(object) }
        }
    }

    private static let patch = reading { (object) throws(Refusal) in _ = try PatchAPIKey(json: object, now: now) }
    private static let rotate = reading { (object) throws(Refusal) in _ = try RotateAPIKey(json: object) }
    private static let revoke = reading { (object) throws(Refusal) in _ = try RevokeAPIKey(json: object) }
    private static let list = reading { (object) throws(Refusal) in _ = try ListAPIKeys(query: object) }
    private static let usage = reading { (object) throws(Refusal) in
        _ = try APIKeyUsageQuery(query: object, now: now)
    }

    private static func reading(
        _ read: @escaping @Sendable (JSONObject) throws(Refusal) -> Void
    ) -> @Sendable (JSONObject) -> Void {
        { object in
            do throws(Refusal) {
                try read(object)
            } catch {
                #expect(error.code == .requestInvalid || error.code == .requestMalformed)
            }
        }
    }
}
