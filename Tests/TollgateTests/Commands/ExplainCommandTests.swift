// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct ExplainCommandTests {
    private static let denied = #"""
        {"decision":"deny","status":403,"code":"policy.scope_denied","message":"Scope does not permit this action",
        "principal":{"subject":"reports","auth_source":"service_token"},
        "explain":{"matched":{"auth_config":"default/acme-api","host_rule":"api.acme.example","route":"DELETE /v1/reports/{id}","permission":"tasks:delete"},
        "canonical_path":"/v1/reports/7","steps":[
        {"step":"normalise","outcome":"pass","code":null,"detail":"DELETE api.acme.example /v1/reports/7","remedy":null,"duration_us":3},
        {"step":"authorise","outcome":"deny","code":"policy.scope_denied","detail":"permission tasks:delete\nscopes\u001b[2J: tasks:read","remedy":"Add a scope.\nOr another token.","duration_us":9},
        {"step":"request_limit","outcome":"skip","code":null,"detail":"not reached","remedy":null,"duration_us":0},
        {"step":"audit","outcome":"unavailable","code":"audit.unavailable","detail":"","remedy":null,"duration_us":0}],
        "would_be":{"nginx":403,"traefik":403,"envoy":403}}}
        """#

    private static func answer(_ status: Int) -> String {
        denied.replacing("\"status\":403", with: "\"status\":\(status)")
    }

    @Test func peopleSeeEveryStepAndWhatToChange() async throws {
        try await LoopbackHTTPServer.with({ _ in .json(Self.denied) }) { server in
            let arguments = [
                "explain", "DELETE", "https://api.acme.example/v1/reports/7", "--api-url", server.url, "--token", "t0",
            ]
            let result = await run(arguments)
            #expect(
                result.output == """
                    DELETE https://api.acme.example/v1/reports/7
                    Result:      refused: 403 policy.scope_denied, Scope does not permit this action
                    AuthConfig:  default/acme-api
                    Host rule:   api.acme.example
                    Path:        /v1/reports/7
                    Route:       DELETE /v1/reports/{id}
                    Permission:  tasks:delete
                    Caller:      reports (service_token)
                    Behind:      nginx 403, traefik 403, envoy 403

                    ✓ normalise     DELETE api.acme.example /v1/reports/7
                    ✗ authorise     policy.scope_denied
                                    permission tasks:delete
                                    scopes [2J: tasks:read
                    – request_limit not reached
                    ! audit         audit.unavailable

                    To make it pass:
                      authorise: Add a scope.
                      authorise: Or another token.

                    """)
            #expect(result.errors.isEmpty)
            #expect(result.status == 4)
            let plain = await run(arguments + ["--output", "table"], terminal: false)
            #expect(plain.output.utf8.allSatisfy { $0 < 0x80 })
            #expect(plain.output.contains("\nx authorise     policy.scope_denied\n"))
            let json = await run(arguments, terminal: false)
            let (shown, sent) = (try JSONParser.parse(text: json.output), try JSONParser.parse(text: Self.denied))
            #expect(shown == sent)
            #expect(json.status == 4)
        }
    }

    @Test func theWholeRequestIsDescribed() async throws {
        try await LoopbackHTTPServer.with({ _ in .json(Self.answer(200)) }) { server in
            let result = await run([
                "explain", "POST", "http://API.example.com:8443/a/../b?x=1#f", "--as", "anonymous", "--header",
                "X-A: 1", "--header", "x-a:2", "--header", "Accept: text/html", "--source-ip", "192.0.2.7",
                "--resource-type", "tasks", "--resource-id", "t1", "--resource-tenant", "acme", "--resource-owner",
                "u1", "--resource-project", "p1", "--api-url", server.url, "--token", "t0",
            ])
            #expect(result.status == 0)
            let request = try #require(server.requests.first)
            #expect(request.method == "POST" && request.target == "/v1/decisions/explain")
            #expect(request.header("authorization") == "Bearer t0")
            #expect(
                String(decoding: request.body, as: UTF8.self)
                    == #"{"request":{"method":"POST","host":"API.example.com:8443","path":"/a/../b?x=1#f","scheme":"http","headers":{"x-a":["1","2"],"accept":"text/html"},"source_ip":"192.0.2.7"},"resource":{"type":"tasks","id":"t1","tenant":"acme","owner":"u1","project":"p1"}}"#
            )
        }
    }

    @Test func theCredentialComesFromTheCallerTheInputOrAFile() async throws {
        try await withHome { home in
            try put("from-file\n", at: home + "/secret")
            try await LoopbackHTTPServer.with({ _ in .json(Self.answer(200)) }) { server in
                let ask = ["explain", "GET", "https://a.example", "--api-url", server.url, "--token", "own"]
                _ = await run(ask, home: home)
                _ = await run(ask + ["--as", "-"], home: home, input: " from-input \n")
                _ = await run(ask + ["--as", "@~/secret"], home: home)
                _ = await run(ask + ["--as", "anonymous"], home: home)
                let bodies = try server.requests.map { try JSONParser.parse($0.body) }
                #expect(bodies.map { $0["credential"]?.stringValue } == ["own", "from-input", "from-file", nil])
                #expect(bodies.allSatisfy { $0["request"]?["path"] == "/" })
                #expect(server.requests.allSatisfy { $0.header("authorization") == "Bearer own" })
            }
        }
    }

    @Test(arguments: [
        (200, 0), (400, 1), (401, 3), (402, 4), (403, 4), (404, 1), (413, 1), (429, 7), (503, 8),
    ])
    func theExitStatusTellsTheJudgedStatus(judged: Int, exit: Int32) async throws {
        let http = judged == 503 ? 503 : 200
        try await LoopbackHTTPServer.with({ _ in .json(Self.answer(judged), status: http) }) { server in
            let result = await run(["explain", "GET", "https://a.example/", "--api-url", server.url])
            #expect(result.status == exit)
            #expect(!result.output.isEmpty)
            #expect(result.errors.isEmpty)
        }
    }

    @Test(arguments: [(401, 3), (403, 4), (404, 5), (503, 8)])
    func aCallThatIsRefusedIsAFailure(http: Int, exit: Int32) async throws {
        let envelope = #"{"code":"area.reason","message":"Why","request_id":"r1"}"#
        try await LoopbackHTTPServer.with({ _ in .json(envelope, status: http) }) { server in
            let result = await run(["explain", "GET", "https://a.example/", "--api-url", server.url])
            #expect(result.status == exit)
            #expect(result.output.isEmpty)
            #expect(result.errors == "Error: Why (area.reason)\n")
        }
    }

    @Test(arguments: [
        (["GET"], "Missing expected argument"),
        (["GET", "a.example/x"], "must begin with http:// or https://"),
        (["GET", "https:///x"], "names no host"),
        (["GET", "https://u:pass-word@a.example/"], "the URL holds a user name"),
        (["GET", "https://a.example/", "--as", "tgs_secret-text"], "--as takes anonymous, - or @FILE"),
        (["GET", "https://a.example/", "--as", "@"], "--as takes anonymous, - or @FILE"),
        (["GET", "https://a.example/", "--as", "-"], "there is no credential in it"),
        (["GET", "https://a.example/", "--header", "no colon"], "--header takes 'Name: value'"),
        (["GET", "https://a.example/", "--header", "Authorization: Bearer tgs_secret-text"], "takes no credential"),
        (["GET", "https://a.example/", "--header", "X-API-Key: tgs_secret-text"], "takes no credential"),
        (["GET", "https://a.example/", "--header", "cookie: tgs_secret-text"], "takes no credential"),
        (
            ["GET", "https://a.example/", "--header", "Sec-WebSocket-Protocol: x, bearer.tgs_secret-text"],
            "takes no credential"
        ),
    ])
    func wrongUsageIsTwoAndRepeatsNoCredential(arguments: [String], message: String) async {
        let result = await run(["explain"] + arguments)
        #expect(result.status == 2)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains(message), "\(result.errors)")
        #expect(!result.errors.contains("secret-text") && !result.errors.contains("pass-word"))
    }

    @Test func aFileThatIsNotThereIsNamed() async {
        let result = await run(["explain", "GET", "https://a.example/", "--as", "@/nonexistent/file"])
        #expect(result.status == 1)
        #expect(result.errors.contains("cannot read the credential from /nonexistent/file"))
    }

    @Test func anyTextIsTakenApartOrRefused() {
        let random = SeededRandom(seed: 41)
        let pieces = [
            "http://", "https://", "HTTPS://", "a", "@", "/", "?", "#", ":", "\\", "é", "\u{0}", "[::1]", " ",
        ]
        for _ in 0..<FuzzCases.count(4000) {
            let text = (0..<random.below(8)).map { _ in pieces[random.below(pieces.count)] }.joined()
            _ = try? RequestHeader(text)
            guard let address = try? RequestAddress(text) else { continue }
            #expect(address.target.hasPrefix("/"))
            #expect(!address.host.isEmpty && !address.host.contains("@") && !address.host.contains("/"))
            #expect(ASCII.lowercased(text).hasPrefix(address.scheme + "://"))
        }
    }
}
