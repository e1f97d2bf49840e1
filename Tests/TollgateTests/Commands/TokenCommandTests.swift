// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct TokenCommandTests {
    private static let token = """
        {"identifier":"ci","scopes":["a:read","b:read"],"workspace_ids":[],"issued_at":"2026-03-01T13:00:00+01:00",\
        "expires_at":null,"status":"active","secret":null,"message":null}
        """

    @Test func createSendsWhatWasAskedAndShowsTheSecretOnce() async throws {
        let made = Self.token.replacing("\"secret\":null", with: "\"secret\":\"tgs_x\"")
        try await LoopbackHTTPServer.with({ _ in .json(made, status: 201) }) { server in
            let result = await run([
                "token", "create", "--id", "ci", "--scope", "a:read", "--scope", "b:read", "--workspace", "w",
                "--expires-in", "60", "--description", "d", "--allow-cidr", "10.0.0.0/8", "--api-url", server.url,
                "--token", "t0",
            ])
            #expect(result.status == 0)
            #expect(result.output.contains("Secret: tgs_x"))
            #expect(result.output.contains("Store this secret securely. It will not be shown again."))
            let request = try #require(server.requests.first)
            #expect(request.method == "POST" && request.target == "/v1/service-tokens")
            #expect(request.header("authorization") == "Bearer t0")
            #expect(
                String(decoding: request.body, as: UTF8.self)
                    == #"{"identifier":"ci","description":"d","expires_in_seconds":60,"scopes":["a:read","b:read"],"workspace_ids":["w"],"allowed_cidrs":["10.0.0.0/8"]}"#
            )
        }
    }

    @Test func listShowsATableAndFollowsPages() async throws {
        let first = #"{"tokens":[\#(Self.token)],"total":2,"next_cursor":"c 1"}"#
        let second = #"{"tokens":[\#(Self.token.replacing("\"ci\"", with: "\"cd\""))],"total":2,"next_cursor":null}"#
        try await LoopbackHTTPServer.with({ .json($0.target.contains("cursor=c%201") ? second : first) }) { server in
            let table = await run(["token", "list", "--status", "active", "--api-url", server.url])
            #expect(
                table.output == """
                    ID  SCOPES         WORKSPACES  ISSUED                   EXPIRES  STATUS
                    ci  a:read,b:read  -           2026-03-01 12:00:00 UTC  Never    active
                    cd  a:read,b:read  -           2026-03-01 12:00:00 UTC  Never    active

                    """)
            #expect(
                server.requests.map(\.target) == [
                    "/v1/service-tokens?limit=200&status=active",
                    "/v1/service-tokens?limit=200&status=active&cursor=c%201",
                ])
            let json = await run(["token", "list", "--output", "json", "--api-url", server.url])
            let body = try JSONParser.parse(text: json.output)
            #expect(body["tokens"]?.arrayValue?.count == 2)
            #expect(body["total"]?.intValue == 2)
        }
    }

    @Test func showRotateAndRevokeCallTheirPaths() async throws {
        try await LoopbackHTTPServer.with({ request in
            request.path.hasSuffix("/revoke") ? .init(status: 204) : .json(Self.token)
        }) { server in
            let shown = await run(["token", "show", "a/b", "--api-url", server.url, "--output", "yaml"])
            #expect(shown.output.hasPrefix("identifier: ci\nscopes:\n- \"a:read\"\n"))
            _ = await run(["token", "rotate", "ci", "--overlap", "0", "--scope", "c:read", "--api-url", server.url])
            let revoked = await run([
                "token", "revoke", "ci", "--reason", "lost", "--family", "--api-url", server.url, "--output", "json",
            ])
            #expect(revoked.status == 0)
            #expect(
                revoked.output
                    == "{\"status\":\"success\",\"message\":\"Service token 'ci' and its rotation chain revoked.\"}\n")
            #expect(
                server.requests.map(\.target) == [
                    "/v1/service-tokens/a%2Fb", "/v1/service-tokens/ci/rotate", "/v1/service-tokens/ci/revoke",
                ])
            let bodies = server.requests.map { String(decoding: $0.body, as: UTF8.self) }
            #expect(bodies[1] == #"{"overlap_seconds":0,"add_scopes":["c:read"]}"#)
            #expect(bodies[2] == #"{"reason":"lost","family":true}"#)
        }
    }

    @Test(arguments: [
        (400, 1), (401, 3), (402, 4), (403, 4), (404, 5), (409, 6), (422, 1), (429, 7), (500, 1), (503, 8), (302, 1),
    ])
    func theExitStatusFollowsTheHTTPStatus(http: Int, exit: Int32) async throws {
        let envelope = #"{"code":"area.reason","message":"Why","request_id":"r1"}"#
        try await LoopbackHTTPServer.with({ _ in .json(envelope, status: http) }) { server in
            let json = await run(["token", "show", "x", "--output", "json", "--api-url", server.url])
            #expect(json.status == exit)
            #expect(json.output.isEmpty)
            #expect(
                json.errors == #"{"code":"area.reason","message":"Why","request_id":"r1","status":\#(http)}"# + "\n")
            let table = await run(["token", "show", "x", "--api-url", server.url])
            #expect(table.status == exit)
            #expect(table.errors == "Error: Why (area.reason)\n")
        }
    }

    @Test func noConnectionIsEight() async throws {
        let url = try await LoopbackHTTPServer.with({ _ in .init() }) { $0.url }
        let result = await run(["token", "list", "--api-url", url, "--output", "json", "--timeout", "5"])
        #expect(result.status == 8)
        #expect(result.errors.contains("\"code\":\"client.no_connection\""))
        #expect(result.errors.contains("\"status\":null"))
    }

    @Test(arguments: [
        ["token", "revoke", "x"], ["token", "create", "--expires-in", "soon"], ["nonsense"],
        ["token", "list", "--nope"],
        ["token", "list", "--output", "xml"], ["token", "list", "--timeout", "0"],
        ["token", "list", "--api-url", "localhost"], ["token", "list", "--profile", "none"], ["get", "Pod"],
        ["check", "api", "--wait", "soon"],
    ])
    func wrongUsageIsTwo(arguments: [String]) async {
        let result = await run(arguments)
        #expect(result.status == 2)
        #expect(result.output.isEmpty)
        #expect(!result.errors.isEmpty)
    }

    @Test(arguments: [[], ["--help"], ["help"], ["token"], ["token", "create", "--help"]])
    func helpIsPrinted(arguments: [String]) async {
        let result = await run(arguments)
        #expect(result.status == 0)
        #expect(result.output.contains("USAGE: tollgate"))
        #expect(result.errors.isEmpty)
    }

    @Test func anAnswerThatIsNoJSONIsAFault() async throws {
        try await LoopbackHTTPServer.with({ _ in .init(body: Array("<html>".utf8)) }) { server in
            let result = await run(["token", "list", "--api-url", server.url])
            #expect(result.status == 1)
            #expect(result.errors.contains("is \(server.url) a Tollgate?"))
        }
    }
}
