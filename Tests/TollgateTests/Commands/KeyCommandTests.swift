// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct KeyCommandTests {
    private static let key = """
        {"id":"k1","name":"site","environment":"live","account_id":"acme","scopes":["tasks:read","tasks:write"],\
        "issued_at":"2026-03-01T13:00:00+01:00","expires_at":"2027-03-01T00:00:00Z","status":"active","key":null,\
        "message":null,"rotated_from":null}
        """

    @Test func createSendsWhatWasAskedAndShowsTheKeyOnce() async throws {
        let made = Self.key.replacing("\"key\":null", with: "\"key\":\"tgk_live_x\"")
        try await LoopbackHTTPServer.with({ _ in .json(made, status: 201) }) { server in
            let result = await run([
                "key", "create", "--name", "site", "--account", "acme", "--scope", "tasks:read", "--scope",
                "tasks:write", "--environment", "test", "--expires-in", "60", "--description", "d", "--workspace", "w",
                "--project", "p", "--allow-cidr", "10.0.0.0/8", "--api-url", server.url, "--token", "t0",
            ])
            #expect(result.status == 0)
            #expect(
                result.output == """
                    ID  NAME  ENVIRONMENT  SCOPES                  EXPIRES                  STATUS
                    k1  site  live         tasks:read,tasks:write  2027-03-01 00:00:00 UTC  active

                    Key: tgk_live_x
                    Store this secret securely. It will not be shown again.

                    """)
            let request = try #require(server.requests.first)
            #expect(request.method == "POST" && request.target == "/v1/api-keys")
            #expect(request.header("authorization") == "Bearer t0")
            #expect(
                String(decoding: request.body, as: UTF8.self)
                    == #"{"name":"site","account_id":"acme","environment":"test","description":"d","project_id":"p","expires_in_seconds":60,"scopes":["tasks:read","tasks:write"],"workspace_ids":["w"],"allowed_cidrs":["10.0.0.0/8"]}"#
            )
        }
    }

    @Test func aBundleOfScopesIsAskedForByName() async throws {
        try await LoopbackHTTPServer.with({ _ in .json(Self.key, status: 201) }) { server in
            _ = await run(["key", "create", "--name", "n", "--permissions", "read-only", "--api-url", server.url])
            let body = try #require(server.requests.first?.body)
            #expect(String(decoding: body, as: UTF8.self) == #"{"name":"n","permissions":"read-only"}"#)
        }
    }

    @Test func listFollowsPages() async throws {
        let first = #"{"keys":[\#(Self.key)],"total":2,"next_cursor":"c 1"}"#
        let second = #"{"keys":[\#(Self.key.replacing("\"k1\"", with: "\"k2\""))],"total":2,"next_cursor":null}"#
        try await LoopbackHTTPServer.with({ .json($0.target.contains("cursor=c%201") ? second : first) }) { server in
            let table = await run(["key", "list", "--status", "active", "--account", "acme", "--api-url", server.url])
            #expect(table.output.split(separator: "\n").count == 3)
            #expect(table.output.contains("\nk2  site  live"))
            #expect(
                server.requests.map(\.target) == [
                    "/v1/api-keys?limit=200&status=active&account_id=acme",
                    "/v1/api-keys?limit=200&status=active&account_id=acme&cursor=c%201",
                ])
            let json = await run(["key", "list", "--output", "json", "--api-url", server.url])
            let shown = try JSONParser.parse(text: json.output)
            #expect(shown["keys"]?.arrayValue?.count == 2)
        }
    }

    @Test func showUpdateRotateAndRevokeCallTheirPaths() async throws {
        try await LoopbackHTTPServer.with({ request in
            request.path.hasSuffix("/revoke") ? .init(status: 204) : .json(Self.key)
        }) { server in
            let shown = await run(["key", "show", "a/b", "--api-url", server.url, "--output", "yaml"])
            #expect(shown.output.hasPrefix("id: k1\nname: site\n"))
            _ = await run([
                "key", "update", "k1", "--name", "new", "--scope", "tasks:read", "--expires-at", "never", "--api-url",
                server.url,
            ])
            _ = await run(["key", "rotate", "k1", "--overlap", "0", "--expires-in", "60", "--api-url", server.url])
            let revoked = await run([
                "key", "revoke", "k1", "--reason", "lost", "--api-url", server.url, "--output", "json",
            ])
            #expect(revoked.output == "{\"status\":\"success\",\"message\":\"API key 'k1' revoked.\"}\n")
            let plain = await run(["key", "revoke", "k1", "--api-url", server.url])
            #expect(plain.output == "API key 'k1' revoked.\n")
            #expect(
                server.requests.map { "\($0.method) \($0.target)" } == [
                    "GET /v1/api-keys/a%2Fb", "PATCH /v1/api-keys/k1", "POST /v1/api-keys/k1/rotate",
                    "POST /v1/api-keys/k1/revoke", "POST /v1/api-keys/k1/revoke",
                ])
            let bodies = server.requests.map { String(decoding: $0.body, as: UTF8.self) }
            #expect(bodies[1] == #"{"name":"new","expires_at":null,"scopes":["tasks:read"]}"#)
            #expect(bodies[2] == #"{"overlap_seconds":0,"expires_in_seconds":60}"#)
            #expect(bodies[3...] == [#"{"reason":"lost"}"#, "{}"])
        }
    }

    @Test func rotatingTellsHowLongTheOldKeyWorks() async throws {
        let made = Self.key.replacing("\"key\":null", with: "\"key\":\"tgk_live_y\"")
            .replacing("\"message\":null", with: "\"message\":\"New key created. Old key 'k0' valid for 300s.\"")
            .replacing("\"rotated_from\":null", with: "\"rotated_from\":\"k0\"")
        try await LoopbackHTTPServer.with({ _ in .json(made) }) { server in
            let result = await run(["key", "rotate", "k0", "--api-url", server.url])
            #expect(result.output.contains("Key: tgk_live_y\nStore this secret securely."))
            #expect(result.output.hasSuffix("k0 → k1: New key created. Old key 'k0' valid for 300s.\n"))
        }
    }

    @Test func usageIsATableWithItsTotal() async throws {
        let body = #"""
            {"id":"k1","from":"2026-03-01T00:00:00Z","to":"2026-03-03T00:00:00Z","buckets":[
            {"start":"2026-03-01T00:00:00Z","requests":12,"denied":2,"rate_limited":1,"by_status":{"200":9,"403":2,"429":1}},
            {"start":"2026-03-02T00:00:00Z","requests":0,"denied":0,"rate_limited":0,"by_status":{}}],
            "totals":{"requests":12,"denied":2,"rate_limited":1,"by_status":{"200":9,"403":2,"429":1}},"last_used_at":null}
            """#
        try await LoopbackHTTPServer.with({ _ in .json(body) }) { server in
            let result = await run([
                "key", "usage", "k1", "--from", "2026-03-01", "--bucket", "day", "--api-url", server.url,
            ])
            #expect(
                result.output == """
                    START                    REQUESTS  DENIED  RATE LIMITED  BY STATUS
                    2026-03-01 00:00:00 UTC  12        2       1             200: 9, 403: 2, 429: 1
                    total                    12        2       1             200: 9, 403: 2, 429: 1

                    """)
            #expect(server.requests.map(\.target) == ["/v1/api-keys/k1/usage?from=2026-03-01&bucket=day"])
        }
    }

    @Test func eventsAreThoseOfOneKeyOrOfAll() async throws {
        let body =
            #"{"events":[{"timestamp":"2026-03-01T12:00:00Z","action":"api_key.create","resource":"k1","actor":"u1","outcome":"success","ip":"192.0.2.1"}],"next_cursor":"n"}"#
        try await LoopbackHTTPServer.with({ _ in .json(body) }) { server in
            let one = await run(["key", "events", "k1", "--limit", "1", "--api-url", server.url])
            #expect(
                one.output == """
                    TIME                     EVENT           KEY  ACTOR  OUTCOME  ADDRESS
                    2026-03-01 12:00:00 UTC  api_key.create  k1   u1     success  192.0.2.1

                    """)
            #expect(one.errors == "more: --cursor n\n")
            _ = await run(["key", "events", "--cursor", "n", "--api-url", server.url])
            #expect(
                server.requests.map(\.target) == [
                    "/v1/api-keys/k1/events?limit=1", "/v1/api-keys/events?limit=50&cursor=n",
                ])
        }
    }

    @Test(arguments: [
        ["key", "create"], ["key", "create", "--name", "n", "--scope", "a:b", "--permissions", "admin"],
        ["key", "create", "--name", "n", "--permissions", "all"],
        ["key", "create", "--name", "n", "--environment", "x"],
        ["key", "update", "k1"], ["key", "usage", "k1", "--bucket", "week"], ["key", "revoke"],
    ])
    func wrongUsageIsTwo(arguments: [String]) async {
        let result = await run(arguments)
        #expect(result.status == 2)
        #expect(result.output.isEmpty)
        #expect(!result.errors.isEmpty)
    }

    @Test(arguments: [(403, 4), (404, 5), (409, 6), (429, 7)])
    func theExitStatusFollowsTheHTTPStatus(http: Int, exit: Int32) async throws {
        let envelope = #"{"code":"key.reason","message":"Why","request_id":"r1"}"#
        try await LoopbackHTTPServer.with({ _ in .json(envelope, status: http) }) { server in
            let result = await run(["key", "create", "--name", "n", "--api-url", server.url])
            #expect(result.status == exit)
            #expect(result.errors == "Error: Why (key.reason)\n")
        }
    }
}
