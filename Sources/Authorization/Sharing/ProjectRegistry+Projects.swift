// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension ProjectRegistry {
    private static let generatedAlphabet: StaticString = "abcdefghijklmnopqrstuvwxyz0123456789"

    /// Makes a project.
    ///
    /// - Parameter id: nil = one is generated.
    /// - Throws: `policy.project_exists`, `request.invalid` when the tenant has too many, `auth.store_unavailable`.
    package func createProject(
        id: String?, name: String, scope: ProjectScope
    ) async throws(Refusal) -> ProjectOutcome {
        try await change { () throws(ChangeFault) in
            let id = id ?? "p-" + random.text(14, from: Self.generatedAlphabet)
            if try await stored({ () throws(ProjectStoreError) in
                try await store.project(id, tenant: scope.tenantID)
            }) != nil {
                throw .refused(Refusal(.policyProjectExists, message: "Project '\(id)' already exists"))
            }
            let count = try await stored { () throws(ProjectStoreError) in
                try await store.projects(tenant: scope.tenantID, page: PageRequest(limit: 1)).total
            }
            guard count < limits.projectsOfTenant else {
                throw .refused(
                    Refusal(
                        .requestInvalid,
                        message: "The tenant has \(count) projects, which is the most there may be: delete some",
                        details: ["limit": .int(Int64(limits.projectsOfTenant))]))
            }
            let project = Project(
                id: id, name: name, tenantID: scope.tenantID, createdBy: scope.subject, createdAt: clock.now())
            return ([.insertProject(project)], ProjectOutcome(before: nil, after: project, revoked: []))
        }
    }

    /// Lists the projects of the tenant, the newest first.
    ///
    /// - Throws: `auth.store_unavailable`.
    package func projects(_ page: PageRequest, scope: ProjectScope) async throws(Refusal) -> Page<Project> {
        try await read { () throws(ProjectStoreError) in
            try await store.projects(tenant: scope.tenantID, page: page)
        }
    }

    /// Shows a project.
    ///
    /// - Throws: `policy.project_not_found`, `auth.store_unavailable`.
    package func project(_ id: String, scope: ProjectScope) async throws(Refusal) -> Project {
        let found = try await read { () throws(ProjectStoreError) in
            try await store.project(id, tenant: scope.tenantID)
        }
        guard let found else { throw Self.projectNotFound(id) }
        return found
    }

    /// Gives a project another name. The same again changes nothing.
    ///
    /// - Throws: `policy.project_not_found`, `auth.store_unavailable`.
    package func renameProject(
        _ id: String, name: String, scope: ProjectScope
    ) async throws(Refusal) -> ProjectOutcome {
        try await change { () throws(ChangeFault) in
            let before = try await demandProject(id, scope)
            var after = before
            after.name = name
            return (
                after == before ? [] : [.renameProject(after)],
                ProjectOutcome(before: before, after: after, revoked: [])
            )
        }
    }

    /// Why the shares of a deleted project are revoked.
    package static let deletionReason = "project deleted"

    /// Removes a project and revokes what it gave and got, all at once.
    ///
    /// - Throws: `policy.project_not_found`, `auth.store_unavailable`.
    package func deleteProject(_ id: String, scope: ProjectScope) async throws(Refusal) -> ProjectOutcome {
        try await change { () throws(ChangeFault) in
            let project = try await demandProject(id, scope)
            let live = try await stored { () throws(ProjectStoreError) in
                try await store.liveShares(project: id, tenant: scope.tenantID)
            }
            let now = clock.now()
            var revoked: [ShareChange] = []
            for share in live {
                revoked.append(
                    ShareChange(
                        before: share,
                        after: try Self.apply(
                            .revoke(reason: Self.deletionReason), to: share,
                            by: ShareActor(subject: scope.subject, project: id), at: now)))
            }
            return (
                revoked.map { .updateShare($0.after) } + [.deleteProject(id: id, tenant: scope.tenantID)],
                ProjectOutcome(before: project, after: nil, revoked: revoked)
            )
        }
    }

    func demandProject(_ id: String, _ scope: ProjectScope) async throws(ChangeFault) -> Project {
        let found = try await stored { () throws(ProjectStoreError) in
            try await store.project(id, tenant: scope.tenantID)
        }
        guard let found else { throw .refused(Self.projectNotFound(id)) }
        return found
    }

    /// A read inside of a change.
    func stored<Value>(_ body: () async throws(ProjectStoreError) -> Value) async throws(ChangeFault) -> Value {
        do throws(ProjectStoreError) {
            return try await body()
        } catch {
            throw .store(error)
        }
    }

    static func apply(
        _ event: ShareEvent, to share: ProjectResourceAccess, by actor: ShareActor, at now: Timestamp
    ) throws(ChangeFault) -> ProjectResourceAccess {
        do throws(Refusal) {
            return try ShareStateMachine.apply(event, to: share, by: actor, at: now)
        } catch {
            throw .refused(error)
        }
    }

    static func projectNotFound(_ id: String) -> Refusal {
        Refusal(.policyProjectNotFound, message: "Project '\(id.prefix(64))' not found")
    }
}
