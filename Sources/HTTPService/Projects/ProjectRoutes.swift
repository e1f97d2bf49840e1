// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
internal import Authentication
package import Authorization
internal import Essentials
internal import Pipeline

/// Projects and the shares between them. Who gets here at all, `ProjectScope` says.
package struct ProjectRoutes: OwnAPIModule {
    let registry: ProjectRegistry
    let audit: any AuditRecording

    /// - Parameter audit: where each share that ends with its project is recorded.
    package init(registry: ProjectRegistry, audit: any AuditRecording) {
        self.registry = registry
        self.audit = audit
    }

    package var routes: [OwnRoute] { projects + access + answers + resources }

    private var projects: [OwnRoute] {
        [
            OwnRoute("GET", "/v1/projects", .read) { call throws(Refusal) in
                let (query, scope) = try read(call, "limit", "cursor")
                let page = try await registry.projects(try ProjectRequests.page(query).page, scope: scope)
                return .page("projects", page, \.json)
            },
            OwnRoute("POST", "/v1/projects", .write) { call throws(Refusal) in
                let (_, scope) = try read(call)
                let (id, name) = try ProjectRequests.create(call.body)
                let outcome = try await registry.createProject(id: id, name: name, scope: scope)
                return .project(outcome, status: 201)
            },
            OwnRoute("GET", "/v1/projects/{project}", .read) { call throws(Refusal) in
                let (_, scope) = try read(call)
                return .json(try await registry.project(call.captures[0], scope: scope).json)
            },
            OwnRoute("PATCH", "/v1/projects/{project}", .write) { call throws(Refusal) in
                let (_, scope) = try read(call)
                let name = try ProjectRequests.rename(call.body)
                return .project(try await registry.renameProject(call.captures[0], name: name, scope: scope))
            },
            OwnRoute("DELETE", "/v1/projects/{project}", .write) { call throws(Refusal) in
                let (_, scope) = try read(call)
                try ProjectRequests.nothing(call.body)
                let outcome = try await registry.deleteProject(call.captures[0], scope: scope)
                for share in outcome.revoked { try await record(share, call) }
                return .project(outcome, status: 204)
            },
        ]
    }

    private var resources: [OwnRoute] {
        [
            OwnRoute("GET", "/v1/resources/{type}/{id}/projects", .read) { call throws(Refusal) in
                let (_, scope) = try read(call)
                let users = try await registry.users(
                    ofResource: call.captures[0], call.captures[1], scope: scope)
                var answer = OwnAnswer()
                answer.text = (JSONValue.array(users.map { .object($0.json) }).encoded(), "application/json")
                return answer
            }
        ]
    }

    /// The query's known parameters, and in whose name the call acts: the tenant of the verified credential, unless a platform admin names
    /// another one with `tenant_id`.
    ///
    /// - Throws: `request.malformed`, `request.invalid`, `policy.tenant_denied`.
    func read(_ call: OwnCall, _ known: String...) throws(Refusal) -> (query: JSONObject, scope: ProjectScope) {
        let query = try call.query.object(known: Set(known + ["tenant_id"]))
        let principal = call.caller.principal
        let own = ProjectScope(tenantID: principal.tenantID, subject: principal.subject)
        guard let tenant = query["tenant_id"]?.stringValue, !tenant.isEmpty else { return (query, own) }
        if let ownTenant = own.tenantID, tenant.utf8.elementsEqual(ownTenant.utf8) { return (query, own) }
        guard call.caller.admin else { throw Refusal(.policyTenantDenied) }
        guard tenant.utf8.count <= 256 else {
            var reader = FieldReader()
            reader.fault("tenant_id", "more than 256 bytes")
            try reader.finish()
            return (query, own)
        }
        return (query, ProjectScope(tenantID: tenant, subject: principal.subject))
    }

    /// Records a share that was revoked because its project went. The entry of the call itself follows it and is synced with it.
    private func record(_ share: ShareChange, _ call: OwnCall) async throws(Refusal) {
        let exchange = call.exchange
        let principal = call.caller.principal
        var metadata = share.auditMetadata
        metadata["cause"] = "project.delete"
        let draft = AuditDraft(
            actor: principal.subject, action: "project.access.revoke", resource: share.auditResource, outcome: .success,
            metadata: metadata, ip: exchange.client.description, sessionID: principal.sessionID,
            tenant: principal.tenantID, requestID: exchange.requestID)
        if !audit.acceptNow(draft) { try await audit.record(draft) }
    }
}

extension ShareChange {
    /// The resource that is shared.
    var auditResource: String { "\(after.parties.resourceType)/\(after.parties.resourceID)" }

    /// Both projects, the resource, and the record before and after.
    var auditMetadata: JSONObject {
        let parties = after.parties
        var metadata: JSONObject = [
            "share_id": .string(after.id), "owner_project": .string(parties.ownerProject),
            "project": .string(parties.project), "resource_type": .string(parties.resourceType),
            "resource_id": .string(parties.resourceID), "project_tenant": .optional(parties.tenantID),
        ]
        if let before { metadata["before"] = .object(before.json) }
        metadata["after"] = .object(after.json)
        return metadata
    }
}

extension OwnAnswer {
    /// One page of a list.
    static func page<Item>(_ name: String, _ page: Page<Item>, _ json: (Item) -> JSONObject) -> OwnAnswer {
        .json([
            name: .array(page.items.map { .object(json($0)) }), "total": .int(Int64(page.total)),
            "next_cursor": .optional(page.next?.text),
        ])
    }

    /// What became of a project.
    static func project(_ outcome: ProjectOutcome, status: Int = 200) -> OwnAnswer {
        var answer = OwnAnswer(status: status, json: outcome.after?.json)
        answer.auditResource = outcome.after?.id ?? outcome.before?.id
        if let before = outcome.before { answer.auditMetadata["before"] = .object(before.json) }
        if let after = outcome.after { answer.auditMetadata["after"] = .object(after.json) }
        if !outcome.revoked.isEmpty {
            answer.auditMetadata["revoked_shares"] = .int(Int64(outcome.revoked.count))
        }
        return answer
    }

    /// What became of a share.
    static func share(_ change: ShareChange, status: Int = 200) -> OwnAnswer {
        var answer = OwnAnswer(status: status, json: change.after.json)
        answer.auditResource = change.auditResource
        answer.auditMetadata = change.auditMetadata
        return answer
    }
}
