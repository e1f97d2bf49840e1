// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct OtherCommandTests {
    @Test func getShowsReadinessAndPlace() async throws {
        let body = #"""
            {"items":[{"apiVersion":"tollgate.dev/v1alpha1","kind":"AuthConfig","metadata":{"name":"shop","namespace":"default","generation":2},
            "status":{"conditions":[{"type":"Ready","status":"False","reason":"Invalid","message":"no"}]},"source":{"file":"a.yaml","line":3}}],"snapshot":4}
            """#
        try await LoopbackHTTPServer.with({ _ in .json(body) }) { server in
            let result = await run(["get", "tgauth", "-n", "default", "--api-url", server.url])
            #expect(
                result.output == """
                    KIND        NAMESPACE  NAME  READY  REASON   SOURCE    MESSAGE
                    AuthConfig  default    shop  False  Invalid  a.yaml:3  no

                    """)
            #expect(server.requests.map(\.target) == ["/v1/resources?kind=AuthConfig&namespace=default"])
            let json = await run(["get", "--api-url", server.url], terminal: false)
            let shown = try JSONParser.parse(text: json.output)
            #expect(shown["snapshot"]?.intValue == 4)
        }
    }

    @Test func auditQueryPassesItsFilters() async throws {
        let body =
            #"{"events":[{"timestamp":"2026-03-01T12:00:00.000001Z","actor":"a","action":"k8s.scale","outcome":"denied","resource":"r\nx","ip":null}],"count":1,"next_cursor":"c"}"#
        try await LoopbackHTTPServer.with({ _ in .json(body) }) { server in
            let result = await run([
                "audit", "query", "actor:a AND x", "--outcome", "denied", "--limit", "5", "--api-url", server.url,
            ])
            #expect(
                result.output == """
                    TIME                     ACTOR  ACTION     OUTCOME  RESOURCE  ADDRESS
                    2026-03-01 12:00:00 UTC  a      k8s.scale  denied   r x       -

                    """)
            #expect(
                server.requests.map(\.target) == ["/v1/audit/events?limit=5&q=actor%3Aa%20AND%20x&outcome=denied"])
        }
    }

    @Test func auditQueryShowsWhereAQueryIsWrong() async throws {
        let body =
            #"{"code":"audit.bad_query","message":"The query is wrong","details":{"position":10,"reason":"expected_connective"}}"#
        try await LoopbackHTTPServer.with({ _ in .json(body, status: 400) }) { server in
            let result = await run(["audit", "query", "actor=Zoé b=c", "--api-url", server.url])
            #expect(
                result.errors == """
                      actor=Zoé b=c
                                ^ expected_connective
                    Error: The query is wrong (audit.bad_query)

                    """)
            #expect(result.status != 0)
        }
    }

    private static func tollgate(
        _ request: LoopbackHTTPServer.Request, condition: String = #"{"type":"Ready","status":"True","reason":"R"}"#
    ) -> LoopbackHTTPServer.Answer {
        switch (request.path, request.header("authorization")) {
        case ("/health", _): .json(#"{"status":"ok"}"#)
        case (_, nil): .json(#"{"code":"auth.missing_token","message":"Missing bearer token"}"#, status: 401)
        case ("/v1/resources", _):
            .json(
                #"{"items":[{"kind":"AuthConfig","metadata":{"name":"a"},"status":{"conditions":[\#(condition)]}}]}"#
            )
        case ("/v1/service-tokens", _): .json(#"{"identifier":"x","secret":"tgs_1"}"#, status: 201)
        case ("/v1/decisions", _): .json(#"{"decision":"deny","status":404}"#)
        case (let path, _): .init(status: path.hasSuffix("/revoke") ? 204 : 404)
        }
    }

    @Test func checkAPIPassesWithAServerThatKeepsItsPromises() async throws {
        try await LoopbackHTTPServer.with({ Self.tollgate($0) }) { server in
            let result = await run(["check", "api", "--api-url", server.url, "--token", "t"])
            #expect(result.status == 0, "\(result.output) \(result.errors)")
            #expect(!result.output.contains("tgs_1"))
            let revoked = server.requests.filter { $0.path.hasSuffix("/revoke") }
            #expect(revoked.count == 1)
        }
        // What only waits for something else says nothing about the server.
        let waiting = #"{"type":"Ready","status":"False","reason":"ExecutableMissing"}"#
        try await LoopbackHTTPServer.with({ Self.tollgate($0, condition: waiting) }) { server in
            #expect(await run(["check", "api", "--api-url", server.url, "--token", "t"]).status == 0)
        }
        for refused in ["", #"{"type":"Accepted","status":"False","reason":"LimitsExceeded"}"#] {
            try await LoopbackHTTPServer.with({ Self.tollgate($0, condition: refused) }) { server in
                let result = await run(["check", "api", "--api-url", server.url, "--token", "t"])
                #expect(result.status == 1)
                #expect(result.output.contains(refused.isEmpty ? "AuthConfig a was not looked at" : "LimitsExceeded"))
            }
        }
        let invalid = #"{"type":"Invalid","status":"True","reason":"InvalidSpec"}"#
        try await LoopbackHTTPServer.with({ Self.tollgate($0, condition: invalid) }) { server in
            let result = await run([
                "check", "api", "--wait", "3s", "--api-url", server.url, "--token", "t", "--output", "json",
            ])
            #expect(result.status == 1)
            #expect(result.errors.contains("failed: objects accepted"))
            #expect(server.requests.filter { $0.path == "/health" }.count == 4)
        }
        try await LoopbackHTTPServer.with({ $0.path == "/health" ? .init(status: 503) : .init() }) { server in
            #expect(await run(["check", "api", "--api-url", server.url]).status == 8)
        }
    }

    @Test func checkAPIFailsWhenAProtectedEndpointAnswersAnyone() async throws {
        try await LoopbackHTTPServer.with({ _ in .json("{}") }) { server in
            let result = await run(["check", "api", "--api-url", server.url])
            #expect(result.status == 1)
            #expect(result.output.contains("answered 200 without a credential"))
        }
    }

    @Test func settingsAndVersionArePrinted() async throws {
        #expect(await run(["version"]).output == "tollgate \(ProductVersion.text)\n")
        #expect(await run(["settings"]).output.contains("TOLLGATE_LISTEN"))
        #expect(await run(["settings", "--markdown"]).output == SettingsTable.markdown)
        let json = try JSONParser.parse(text: await run(["settings"], terminal: false).output)
        #expect(json["settings"]?.arrayValue?.count == SettingsCatalog.all.count + SettingsCatalog.client.count)
    }

    @Test func runStopsWithEveryProblemAndTwo() async throws {
        try await withHome { home in
            try put("TOLLGATE_GRACE = \"x\"\nNOPE = 1\n", at: home + "/s.toml")
            let result = await run(
                [
                    "run", "--settings", home + "/s.toml", "--set", "TOLLGATE_AUTH_TOKEN=hunter2", "--set",
                    "LOG_LEVEL=loud",
                ],
                home: home, environment: ["TOLLGATE_LISTEN": "here"])
            #expect(result.status == 2)
            for name in ["TOLLGATE_GRACE", "NOPE", "TOLLGATE_AUTH_TOKEN", "LOG_LEVEL", "TOLLGATE_LISTEN"] {
                #expect(result.errors.contains("  \(name): "), "\(name)")
            }
            #expect(!result.errors.contains("hunter2"))
        }
    }
}
