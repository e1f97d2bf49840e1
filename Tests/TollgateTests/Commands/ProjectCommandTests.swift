// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct ProjectCommandTests {
    private static let project = """
        {"id":"zeus","name":"Zeus","tenant_id":"acme","created_by":"olga","created_at":"2026-03-01T12:00:00Z"}
        """
    private static let share = """
        {"id":"s1","resource_type":"agent","resource_id":"m1","owner_project":"zeus","project":"apollo",\
        "permissions":["read","use"],"state":"pending","expires_at":null}
        """

    private static func body(_ request: LoopbackHTTPServer.Request) -> String {
        String(decoding: request.body, as: UTF8.self)
    }

    @Test func projectCommandsCallTheirPaths() async throws {
        try await LoopbackHTTPServer.with({ request in
            request.method == "DELETE" ? .init(status: 204) : .json(Self.project)
        }) { server in
            let made = await run(["project", "create", "Zeus", "--id", "zeus", "--api-url", server.url])
            #expect(
                made.output == """
                    ID    NAME  TENANT  CREATED                  BY
                    zeus  Zeus  acme    2026-03-01 12:00:00 UTC  olga

                    """)
            _ = await run(["project", "create", "Some", "--tenant", "a b", "--api-url", server.url])
            let shown = await run(["project", "show", "a/b", "--output", "json", "--api-url", server.url])
            #expect(shown.output == Self.project + "\n")
            _ = await run(["project", "rename", "zeus", "Jupiter", "--api-url", server.url])
            let deleted = await run(["project", "delete", "zeus", "--api-url", server.url])
            #expect(deleted.output == "Project 'zeus' deleted, its shares revoked.\n")
            let json = await run(["project", "delete", "zeus", "--output", "json", "--api-url", server.url])
            #expect(
                json.output
                    == #"{"status":"success","message":"Project 'zeus' deleted, its shares revoked."}"# + "\n")
            #expect(
                server.requests.map { "\($0.method) \($0.target) \(Self.body($0))" } == [
                    #"POST /v1/projects {"id":"zeus","name":"Zeus"}"#,
                    #"POST /v1/projects?tenant_id=a%20b {"name":"Some"}"#, "GET /v1/projects/a%2Fb ",
                    #"PATCH /v1/projects/zeus {"name":"Jupiter"}"#, "DELETE /v1/projects/zeus ",
                    "DELETE /v1/projects/zeus ",
                ])
        }
    }

    @Test func listsFollowPages() async throws {
        let first = #"{"projects":[\#(Self.project)],"total":2,"next_cursor":"c 1"}"#
        let second = #"{"projects":[\#(Self.project.replacing("zeus", with: "hera"))],"total":2,"next_cursor":null}"#
        try await LoopbackHTTPServer.with({ .json($0.target.contains("cursor=c%201") ? second : first) }) { server in
            let table = await run(["project", "list", "--api-url", server.url])
            #expect(table.output.contains("zeus") && table.output.contains("hera"))
            #expect(
                server.requests.map(\.target) == [
                    "/v1/projects?limit=200", "/v1/projects?limit=200&cursor=c%201",
                ])
        }
        try await LoopbackHTTPServer.with({ _ in .json(#"{"items":[]}"#) }) { server in
            let wrong = await run(["project", "list", "--api-url", server.url])
            #expect(wrong.status == 1 && wrong.errors.contains("the answer holds no projects"))
        }
    }

    @Test func shareCommandsCallTheirPaths() async throws {
        try await LoopbackHTTPServer.with({ request in
            request.method == "GET"
                ? .json(#"{"shares":[\#(Self.share)],"total":1,"next_cursor":null}"#) : .json(Self.share)
        }) { server in
            let url = ["--api-url", server.url]
            let offered = await run(
                [
                    "share", "offer", "--project", "zeus", "--type", "agent", "--id", "m1", "--to", "apollo",
                    "--permission", "read", "--permission", "use", "--expires-at", "2027-01-01T00:00:00Z",
                ] + url)
            #expect(
                offered.output == """
                    ID  TYPE   RESOURCE  OWNER  PROJECT  PERMISSIONS  EXPIRES  STATE
                    s1  agent  m1        zeus   apollo   read,use     Never    pending

                    """)
            let given = await run(["share", "list", "--project", "zeus", "--state", "pending,accepted"] + url)
            #expect(given.output == offered.output)
            _ = await run(["share", "received", "--project", "apollo", "--tenant", "acme"] + url)
            _ = await run(["share", "accept", "s1", "--project", "apollo"] + url)
            let declined = await run(["share", "decline", "s1", "--project", "apollo", "--output", "json"] + url)
            #expect(declined.output == Self.share + "\n")
            _ = await run(
                ["share", "update", "s1", "--project", "zeus", "--permission", "manage", "--expires-at", "never"] + url)
            _ = await run(["share", "revoke", "s1", "--project", "zeus", "--reason", "over"] + url)
            #expect(
                server.requests.map { "\($0.method) \($0.target) \(Self.body($0))" } == [
                    #"POST /v1/projects/zeus/access {"resource_type":"agent","resource_id":"m1","project":"apollo","permissions":["read","use"],"expires_at":"2027-01-01T00:00:00Z"}"#,
                    "GET /v1/projects/zeus/access?limit=200&state=pending%2Caccepted ",
                    "GET /v1/projects/apollo/shared?limit=200&tenant_id=acme ",
                    "POST /v1/projects/apollo/access/s1/accept ", "POST /v1/projects/apollo/access/s1/decline ",
                    #"PATCH /v1/projects/zeus/access/s1 {"permissions":["manage"],"expires_at":null}"#,
                    #"POST /v1/projects/zeus/access/s1/revoke {"reason":"over"}"#,
                ])
        }
    }

    @Test(arguments: [
        ["project", "create"], ["project", "show"], ["project", "rename", "zeus"], ["share", "offer"],
        ["share", "offer", "--project", "a", "--type", "t", "--id", "i", "--to", "b"],
        ["share", "accept", "s1"], ["share", "list"], ["share", "update", "s1", "--project", "zeus"],
        ["share", "nonsense"],
    ])
    func wrongUsageIsTwo(arguments: [String]) async {
        let result = await run(arguments)
        #expect(result.status == 2)
        #expect(result.output.isEmpty && !result.errors.isEmpty)
    }

    @Test func aRefusalIsShownAndCounts() async throws {
        let envelope = #"{"code":"policy.share_state","message":"The share is revoked","request_id":"r1"}"#
        try await LoopbackHTTPServer.with({ _ in .json(envelope, status: 409) }) { server in
            let result = await run(["share", "accept", "s1", "--project", "apollo", "--api-url", server.url])
            #expect(result.status == 6)
            #expect(result.errors == "Error: The share is revoked (policy.share_state)\n")
        }
    }
}
