// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authorization
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct ProjectRoutesTests {
    @Test func makesShowsRenamesAndDeletes() async throws {
        let gate = ProjectGate()
        let made = try await gate.send(.post, "/v1/projects", #"{"id":"zeus","name":" Zeus "}"#)
        #expect(made.status == 201)
        let record: JSONValue = [
            "id": "zeus", "name": "Zeus", "tenant_id": "acme", "created_by": "olga",
            "created_at": "2026-03-01T12:00:00Z",
        ]
        #expect(made.json == record)
        #expect(try await gate.send(.get, "/v1/projects/zeus").json == record)
        let renamed = try await gate.send(.patch, "/v1/projects/zeus", #"{"name":"Jupiter"}"#)
        #expect(renamed.status == 200 && renamed.json["name"] == "Jupiter")
        let entries = gate.audit.durable
        #expect(entries.map(\.resource) == ["zeus", "zeus"])
        #expect(entries[0].metadata["before"] == nil && entries[0].metadata["after"] == record)
        #expect(entries[1].metadata["before"] == record && entries[1].metadata["after"]?["name"] == "Jupiter")
        let deleted = try await gate.send(.delete, "/v1/projects/zeus")
        #expect(deleted.status == 204 && deleted.text.isEmpty)
        for (method, body) in [(.get, nil), (.delete, nil), (.patch, #"{"name":"x"}"#)]
            as [(HTTPRequest.Method, String?)]
        {
            let gone = try await gate.send(method, "/v1/projects/zeus", body)
            #expect(gone.status == 404 && gone.code == "policy.project_not_found")
            #expect(gone.message == "Project 'zeus' not found")
        }
    }

    @Test func generatesAnIdentifier() async throws {
        let gate = ProjectGate()
        let made = try await gate.send(.post, "/v1/projects", #"{"name":"Some"}"#)
        #expect(Project.isIdentifier(made.json["id"]?.stringValue ?? ""))
    }

    @Test func refusesAnIdentifierThatIsTaken() async throws {
        let gate = ProjectGate()
        try await gate.make("zeus")
        let taken = try await gate.send(.post, "/v1/projects", #"{"id":"zeus","name":"Other"}"#)
        #expect(taken.status == 409 && taken.code == "policy.project_exists")
        #expect(taken.message == "Project 'zeus' already exists")
        let theirs = try await gate.send(.post, "/v1/projects", #"{"id":"zeus","name":"Other"}"#, as: "otto@other")
        #expect(theirs.status == 201 && theirs.json["tenant_id"] == "other")
    }

    @Test(arguments: [
        (#"{"name":"a","tenant_id":"x"}"#, 400, "request.malformed", "Unknown member: tenant_id"),
        (#"[]"#, 400, "request.malformed", "The body must be a JSON object, not a list"),
        (#"{"id":"zeus"}"#, 422, "request.invalid", "name: required"),
        (#"{"name":""}"#, 422, "request.invalid", "name: not a text of 1 to 128 characters"),
        (#"{"name":"a\u0007"}"#, 422, "request.invalid", "name: not a text of 1 to 128 characters"),
        (#"{"name":7}"#, 422, "request.invalid", "name: not a text"),
        (#"{"name":"a","id":"A"}"#, 422, "request.invalid", "id: not [a-z0-9][a-z0-9_-]{0,62}"),
        (#"{"name":"a","id":""}"#, 422, "request.invalid", "id: not [a-z0-9][a-z0-9_-]{0,62}"),
    ])
    func refusesBadProjects(_ body: String, _ status: Int, _ code: String, _ message: String) async throws {
        let gate = ProjectGate()
        let reply = try await gate.send(.post, "/v1/projects", body)
        #expect(reply.status == status && reply.code == code && reply.message == message)
        #expect(try await gate.send(.get, "/v1/projects").json["total"] == 0)
    }

    @Test func listsOwnProjectsInPages() async throws {
        let gate = ProjectGate()
        for id in ["a", "b", "c"] {
            try await gate.make(id)
            gate.clock.advance(seconds: 1)
        }
        try await gate.make("far", as: "otto@other")
        let first = try await gate.send(.get, "/v1/projects?limit=2")
        #expect(first.json["total"] == 3)
        #expect(first.json["projects"]?.arrayValue?.compactMap { $0["id"]?.stringValue } == ["c", "b"])
        let cursor = try #require(first.json["next_cursor"]?.stringValue)
        let second = try await gate.send(.get, "/v1/projects?limit=2&cursor=\(cursor)")
        #expect(second.json["projects"]?.arrayValue?.compactMap { $0["id"]?.stringValue } == ["a"])
        #expect(second.json["next_cursor"] == .null)
    }

    @Test(arguments: [
        ("limit=0", 422, "request.invalid", "limit: not a number from 1 to 200"),
        ("limit=201", 422, "request.invalid", "limit: not a number from 1 to 200"),
        ("limit=x", 422, "request.invalid", "limit: not a number from 1 to 200"),
        ("cursor=!!", 422, "request.invalid", "cursor: not a cursor of this list"),
        ("sort=up", 400, "request.malformed", "Unknown parameter: sort"),
        ("state=pending", 400, "request.malformed", "Unknown parameter: state"),
    ])
    func refusesBadQueries(_ query: String, _ status: Int, _ code: String, _ message: String) async throws {
        let reply = try await ProjectGate().send(.get, "/v1/projects?\(query)")
        #expect(reply.status == status && reply.code == code && reply.message == message)
    }

    @Test func onlyAPlatformAdminNamesAnotherTenant() async throws {
        let gate = ProjectGate()
        try await gate.make("zeus")
        #expect(try await gate.send(.get, "/v1/projects/zeus?tenant_id=acme").status == 200)
        #expect(try await gate.send(.get, "/v1/projects/zeus?tenant_id=").status == 200)
        for target in ["/v1/projects/zeus", "/v1/projects", "/v1/resources/agent/m1/projects"] {
            let refused = try await gate.send(.get, "\(target)?tenant_id=acme", as: "otto@other")
            #expect(refused.status == 403 && refused.code == "policy.tenant_denied")
            #expect(refused.message == "Cross-tenant access denied")
        }
        #expect(try await gate.send(.get, "/v1/projects/zeus?tenant_id=acme", as: "+root").status == 200)
        let ownSpace = try await gate.send(.get, "/v1/projects/zeus", as: "+root")
        #expect(ownSpace.status == 404 && ownSpace.code == "policy.project_not_found")
        let long = try await gate.send(
            .get, "/v1/projects?tenant_id=\(String(repeating: "a", count: 257))", as: "+root")
        #expect(long.status == 422 && long.message == "tenant_id: more than 256 bytes")
        let made = try await gate.send(
            .post, "/v1/projects?tenant_id=acme", #"{"id":"hera","name":"Hera"}"#, as: "+root")
        #expect(made.json["tenant_id"] == "acme" && made.json["created_by"] == "root")
    }

    @Test func deletingRecordsEachShareThatEnds() async throws {
        let gate = ProjectGate()
        try await gate.make("zeus", "apollo")
        let id = try await gate.offered()
        _ = try await gate.send(.post, "/v1/projects/apollo/access/\(id)/accept")
        _ = try await gate.send(.delete, "/v1/projects/zeus")
        let ended = try #require(gate.audit.queued.last { $0.action == "project.access.revoke" })
        #expect(ended.actor == "olga" && ended.tenant == "acme" && ended.resource == "agent/m1")
        #expect(ended.metadata["share_id"] == .string(id))
        #expect(ended.metadata["cause"] == "project.delete")
        #expect(ended.metadata["before"]?["state"] == "accepted")
        #expect(ended.metadata["after"]?["state"] == "revoked")
        #expect(ended.metadata["after"]?["reason"] == "project deleted")
        #expect(gate.audit.durable.last?.metadata["revoked_shares"] == 1)
        let seen = try await gate.send(.get, "/v1/projects/apollo/shared")
        #expect(seen.json["shares"]?.arrayValue?.first?["state"] == "revoked")
    }

    @Test func deleteTakesNoMembers() async throws {
        let gate = ProjectGate()
        try await gate.make("zeus")
        let reply = try await gate.send(.delete, "/v1/projects/zeus", #"{"force":true}"#)
        #expect(reply.status == 400 && reply.message == "Unknown member: force")
        #expect(try await gate.send(.get, "/v1/projects/zeus").status == 200)
    }

    @Test func changesNothingThatItCannotRecord() async throws {
        let gate = ProjectGate(isWritable: false)
        let reply = try await gate.send(.post, "/v1/projects", #"{"id":"zeus","name":"Zeus"}"#)
        #expect(reply.status == 503 && reply.code == "audit.unavailable")
        let scope = ProjectScope(tenantID: "acme", subject: "olga")
        #expect(try await gate.registry.projects(PageRequest(), scope: scope).total == 0)
    }
}
