// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct ServiceTokenRequestsTests {
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
        (#"{}"#, "fine"), (#"{"nonsense": 1}"#, "request.malformed: Unknown member 'nonsense'"),
        (#"{"identifier": "A"}"#, "identifier"), (#"{"identifier": "admin"}"#, "identifier"),
        (#"{"identifier": 1}"#, "identifier"), (#"{"scopes": "a:read b:*"}"#, "fine"),
        (#"{"scopes": ["*"]}"#, "scopes"),
        (#"{"scopes": ["a:*:b"]}"#, "scopes"), (#"{"scopes": ["a:b:c:d:e"]}"#, "scopes"),
        (#"{"expires_in_seconds": 59}"#, "expires_in_seconds"), (#"{"expires_in_seconds": 60}"#, "fine"),
        (#"{"expires_in_seconds": "60"}"#, "expires_in_seconds"), (#"{"expires_in_seconds": null}"#, "fine"),
        (#"{"expires_in_seconds": 315360001}"#, "expires_in_seconds"),
        (#"{"allowed_cidrs": ["10.0.0.0/33"]}"#, "allowed_cidrs"), (#"{"platform": "true"}"#, "platform"),
        (#"{"platform": 1, "scopes": ["*"]}"#, "scopes,platform"), (#"{"tenant_id": " "}"#, "tenant_id"),
    ])
    func readsCreations(_ text: String, _ expected: String) throws {
        let object = try #require(try JSONParser.parse(text: text).objectValue)
        #expect(Self.fields { () throws(Refusal) in _ = try CreateServiceToken(json: object) } == expected)
    }

    @Test func normalisesLists() throws {
        let object = try #require(
            try JSONParser.parse(text: #"{"workspace_ids": [" WS-b ", "ws-A"], "roles": "b role, a"}"#).objectValue)
        let request = try CreateServiceToken(json: object)
        #expect(request.grant.workspaceIDs == ["ws-a", "ws-b"])
        #expect(request.grant.roles == ["a", "b role"])
    }

    @Test(arguments: [
        (#"{}"#, "fine"), (#"{"overlap_seconds": 604801}"#, "overlap_seconds"),
        (#"{"overlap_seconds": -1}"#, "overlap_seconds"),
        (#"{"add_scopes": ["*"]}"#, "add_scopes"), (#"{"reason": "x"}"#, "request.malformed: Unknown member 'reason'"),
    ])
    func readsRotations(_ text: String, _ expected: String) throws {
        let object = try #require(try JSONParser.parse(text: text).objectValue)
        #expect(Self.fields { () throws(Refusal) in _ = try RotateServiceToken(json: object) } == expected)
    }

    @Test func boundsReasons() {
        func reason(_ text: String) -> String {
            Self.fields { () throws(Refusal) in _ = try RevokeServiceToken(json: ["reason": .string(text)]) }
        }
        #expect(reason(" ") == "reason")
        #expect(reason(String(repeating: "ä", count: 256)) == "fine")
        #expect(reason(String(repeating: "ä", count: 257)) == "reason")
    }

    @Test(arguments: [
        ("status", "active,rotated", "fine"), ("status", "all", "fine"), ("status", "dead", "status"),
        ("limit", "200", "fine"),
        ("limit", "0", "limit"), ("limit", "x", "limit"), ("cursor", "x", "cursor"),
        ("page", "1", "request.malformed: Unknown member 'page'"),
    ])
    func readsLists(_ name: String, _ value: String, _ expected: String) {
        #expect(
            Self.fields { () throws(Refusal) in _ = try ListServiceTokens(query: JSONObject([(name, .string(value))])) }
                == expected)
    }
}
