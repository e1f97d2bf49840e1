// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct PolicyCommandTests {
    private static let role = #"""
        {"role_name":"night","role":{"description":"Nights","permissions":["tasks:write"],"inherits":"viewer",\#
        "effective_permissions":["tasks:read","tasks:write"]},"metadata":{"revision":"r1","source":"files",\#
        "writable":true,"updated_at":"2026-03-01T12:00:00Z","opa_local_mode":true}}
        """#

    @Test func roleSetSendsTheWholeRoleOnARevision() async throws {
        try await LoopbackHTTPServer.with({ _ in .json(Self.role) }) { server in
            let result = await run([
                "policy", "role", "set", "night", "--inherits", "viewer", "--permission", "tasks:write",
                "--permission", "tasks:read", "--description", "Nights", "--if-match", "r0", "--api-url", server.url,
                "--token", "t0",
            ])
            #expect(result.status == 0)
            #expect(
                result.output == """
                    Role: night
                    Description: Nights
                    Inherits: viewer
                    Revision: r1

                    PERMISSION   FROM
                    tasks:read   inherited
                    tasks:write  the role

                    """)
            let request = try #require(server.requests.first)
            #expect(request.method == "PUT" && request.target == "/v1/admin/policy/roles/night")
            #expect(request.header("if-match") == "\"r0\"")
            #expect(request.header("authorization") == "Bearer t0")
            #expect(
                String(decoding: request.body, as: UTF8.self)
                    == #"{"description":"Nights","inherits":"viewer","permissions":["tasks:write","tasks:read"]}"#)
        }
    }

    @Test func showAndDeleteCallTheirPaths() async throws {
        try await LoopbackHTTPServer.with({ $0.method == "DELETE" ? .init(status: 204) : .json(Self.role) }) { server in
            let shown = await run(["policy", "role", "show", "a/b", "--api-url", server.url, "--output", "json"])
            let body = try JSONParser.parse(text: shown.output)
            #expect(body == (try? JSONParser.parse(text: Self.role)))
            let deleted = await run(["policy", "role", "delete", "night", "--api-url", server.url])
            #expect(deleted.output == "Role 'night' deleted.\n")
            let json = await run([
                "policy", "role", "delete", "night", "--if-match", "r1", "--api-url", server.url, "--output", "json",
            ])
            #expect(json.output == #"{"status":"success","message":"Role 'night' deleted."}"# + "\n")
            #expect(
                server.requests.map { "\($0.method) \($0.target)" } == [
                    "GET /v1/admin/policy/roles/a%2Fb", "DELETE /v1/admin/policy/roles/night",
                    "DELETE /v1/admin/policy/roles/night",
                ])
            #expect(server.requests.map { $0.header("if-match") } == [nil, nil, "\"r1\""])
        }
    }

    @Test func rolesAreATable() async throws {
        let body = #"""
            {"roles":{"night":{"description":"Nights","permissions":["tasks:write"],"inherits":"viewer",\#
            "effective_permissions":["tasks:read","tasks:write"]},"viewer":{"description":null,"permissions":\#
            ["tasks:read"],"inherits":null,"effective_permissions":["tasks:read"]}},"permissions":[],\#
            "permissions_by_resource":{},"metadata":{}}
            """#
        try await LoopbackHTTPServer.with({ _ in .json(body) }) { server in
            let table = await run(["policy", "roles", "--api-url", server.url])
            #expect(
                table.output == """
                    ROLE    INHERITS  OWN  ALL  DESCRIPTION
                    night   viewer    1    2    Nights
                    viewer  -         1    1    -

                    """)
            #expect(server.requests.map(\.target) == ["/v1/admin/policy/rbac"])
        }
    }

    @Test func routesAreATableWithWarnings() async throws {
        let body = #"""
            {"rules":[{"index":0,"methods":["GET","PUT"],"path":"/a/{id}","permission":"tasks:read","public":false,\#
            "authenticated":false,"platform":true,"ownership":"required","type":"task","signed":null},\#
            {"index":1,"methods":["*"],"path":"/hook","permission":null,"public":true,"authenticated":false,\#
            "platform":false,"ownership":null,"type":null,"signed":"stripe"},{"index":2,"methods":["GET"],"path":"/me",\#
            "permission":null,"public":false,"authenticated":true,"platform":false,"ownership":null,"type":null,\#
            "signed":null}],"unreachable":[{"rule":2,"covered_by":0,"message":"rule 3 can never match"}]}
            """#
        try await LoopbackHTTPServer.with({ _ in .json(body) }) { server in
            let table = await run(["policy", "routes", "--api-url", server.url])
            #expect(
                table.output == """
                    RULE  METHODS  PATH     ASKS              FLAGS
                    1     GET,PUT  /a/{id}  tasks:read        platform,ownership,type=task
                    2     *        /hook    nothing (public)  signed=stripe
                    3     GET      /me      a known caller    -
                    warning: rule 3 can never match

                    """)
        }
    }

    @Test func statusShowsWhatWasRefused() async throws {
        let body = #"""
            {"revision":"r1","source":"files","location":"/policy","writable":true,"loaded_at":"2026-03-01T13:00:00+01:00",\#
            "roles":9,"routes":405,"condition":{"reason":"InvalidPolicy"},"last_error":{"problems":[{"document":\#
            "data.json","role":"a","problem":"cycle"},{"document":"routes.yaml","rule":3,"member":"path",\#
            "problem":"must begin with /"},{"document":"data.json","problem":"there is no x"}]},"mode":"local"}
            """#
        try await LoopbackHTTPServer.with({ _ in .json(body) }) { server in
            let result = await run(["policy", "status", "--api-url", server.url])
            #expect(
                result.output == """
                    FIELD      VALUE
                    revision   r1
                    source     files
                    location   /policy
                    writable   yes
                    loaded     2026-03-01 12:00:00 UTC
                    roles      9
                    routes     405
                    condition  InvalidPolicy
                    mode       local
                    refused: data.json: role a: cycle
                    refused: routes.yaml: rules[3].path: must begin with /
                    refused: data.json: there is no x

                    """)
        }
    }

    @Test func validateSendsADocumentOrBoth() async throws {
        try await withHome { home in
            try put(#"{"roles":{"viewer":{"permissions":["tasks:read"]}}}"#, at: home + "/p/data.json")
            try put("version: 1\nrules: []\n", at: home + "/p/routes.yaml")
            try await LoopbackHTTPServer.with({ _ in .json(#"{"valid":true,"problems":[]}"#) }) { server in
                for path in ["p/data.json", "p/routes.yaml", "p"] {
                    let result = await run(["policy", "validate", "~/" + path, "--api-url", server.url], home: home)
                    #expect(result.status == 0 && result.output == "valid\n", "\(result.errors)")
                }
                #expect(server.requests.map(\.target) == Array(repeating: "/v1/admin/policy/validate", count: 3))
                #expect(
                    server.requests.map { String(decoding: $0.body, as: UTF8.self) } == [
                        #"{"roles":{"viewer":{"permissions":["tasks:read"]}}}"#,
                        #"{"routes":{"version":1,"rules":[]}}"#,
                        #"{"roles":{"viewer":{"permissions":["tasks:read"]}},"routes":{"version":1,"rules":[]}}"#,
                    ])
            }
        }
    }

    @Test func validateEndsWithOneWhenThereAreProblems() async throws {
        let body = #"{"valid":false,"problems":[{"document":"data.json","role":"a","problem":"cycle"}]}"#
        try await withHome { home in
            try put("{}", at: home + "/data.json")
            try put("a: [", at: home + "/broken.yaml")
            try put("- a\n", at: home + "/list.yaml")
            try await LoopbackHTTPServer.with({ _ in .json(body) }) { server in
                let table = await run(["policy", "validate", home + "/data.json", "--api-url", server.url])
                #expect(table.status == 1 && table.output == "data.json: role a: cycle\n")
                #expect(table.errors == "Error: 1 problem\n")
                let json = await run([
                    "policy", "validate", home + "/data.json", "--api-url", server.url, "--output", "json",
                ])
                #expect(json.status == 1 && json.output == body + "\n")
                for name in ["none.json", "broken.yaml", "list.yaml"] {
                    let result = await run(["policy", "validate", "\(home)/\(name)", "--api-url", server.url])
                    #expect(result.status == 1 && result.errors.contains("\(home)/\(name)"))
                }
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test(arguments: [
        (409, "policy.lockout", 6), (409, "policy.role_in_use", 6), (409, "policy.read_only", 6),
        (404, "policy.role_not_found", 5), (412, "policy.stale_revision", 1), (422, "policy.roles_invalid", 1),
        (503, "policy.unavailable", 8), (403, "policy.platform_required", 4),
    ])
    func refusalsEndWithTheirStatus(http: Int, code: String, exit: Int32) async throws {
        let envelope = #"{"code":"\#(code)","message":"Why","request_id":"r1"}"#
        try await LoopbackHTTPServer.with({ _ in .json(envelope, status: http) }) { server in
            let result = await run(["policy", "role", "delete", "night", "--api-url", server.url])
            #expect(result.status == exit && result.output.isEmpty)
            #expect(result.errors == "Error: Why (\(code))\n")
        }
    }

    @Test(arguments: [
        ["policy", "role", "set", "night"], ["policy", "role", "show"], ["policy", "validate"],
        ["policy", "role", "set", "night", "--description", "x", "--nope"],
    ])
    func wrongUsageIsTwo(arguments: [String]) async {
        #expect(await run(arguments).status == 2)
    }
}
