// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

/// Makes changes of projects and shares, while no other replica changes those of the tenant.
enum ProjectWriter {
    /// Makes one change.
    ///
    /// - Throws: `exists`, `notFound`, `conflict`.
    static func apply(_ change: ProjectChange, _ write: PostgreSQLWrite) throws {
        let tenant = try write.enter(change.tenantID)
        switch change {
        case .insertProject(let project):
            let count = try write.execute(
                """
                INSERT INTO projects (tenant_id, id, name, created_by, created_at) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (tenant_id, id) DO NOTHING
                """,
                [
                    tenant, .text(project.id), .text(project.name), .text(project.createdBy),
                    .integer(project.createdAt.microseconds),
                ])
            try demand(count, .exists, project.id)
            write.announce(.project, project.id)
        case .renameProject(let project):
            let count = try write.execute(
                "UPDATE projects SET name = $3 WHERE tenant_id = $1 AND id = $2",
                [tenant, .text(project.id), .text(project.name)])
            try demand(count, .notFound, project.id)
            write.announce(.project, project.id)
        case .deleteProject(let id, _):
            try delete(id, tenant, write)
            write.announce(.project, id)
        case .insertShare(let share):
            try insert(share, tenant, write)
            write.announce(.share, share.id)
        case .updateShare(let share):
            try update(share, tenant, write)
            write.announce(.share, share.id)
        case .forgetEnded(let project, _, let keeping):
            try write.execute(
                """
                DELETE FROM project_access WHERE tenant_id = $1 AND id IN (
                    SELECT id FROM project_access
                    WHERE tenant_id = $1 AND owner_project = $2 AND state NOT IN ('pending', 'accepted')
                    ORDER BY created_at DESC, id DESC OFFSET $3)
                """, [tenant, .text(project), .integer(max(0, keeping))])
        }
    }

    private static func delete(_ id: String, _ tenant: PostgreSQLValue, _ write: PostgreSQLWrite) throws {
        let isShared = try !write.query(
            """
            SELECT 1 FROM project_access WHERE tenant_id = $1 AND (owner_project = $2 OR project = $2)
                AND state IN ('pending', 'accepted') LIMIT 1
            """, [tenant, .text(id)]
        ).isEmpty
        guard !isShared else { throw ProjectStoreError(.conflict, id) }
        let count = try write.execute("DELETE FROM projects WHERE tenant_id = $1 AND id = $2", [tenant, .text(id)])
        try demand(count, .notFound, id)
    }

    private static func insert(
        _ share: ProjectResourceAccess, _ tenant: PostgreSQLValue, _ write: PostgreSQLWrite
    ) throws {
        let parties = share.parties
        for project in [parties.ownerProject, parties.project] {
            let rows = try write.query(
                "SELECT 1 FROM projects WHERE tenant_id = $1 AND id = $2", [tenant, .text(project)])
            try demand(rows.count, .notFound, project)
        }
        let count = try write.execute(
            """
            INSERT INTO project_access (
                tenant_id, id, permissions, state, expires_at, accepted_by, accepted_at, revoked_by, revoked_at,
                reason, revision, resource_type, resource_id, owner_project, project, created_by, created_at
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
            ON CONFLICT DO NOTHING
            """,
            [tenant] + changing(share) + [
                .text(parties.resourceType), .text(parties.resourceID), .text(parties.ownerProject),
                .text(parties.project), .text(share.createdBy), .integer(share.createdAt.microseconds),
            ])
        try demand(count, .conflict, share.id)
    }

    private static func update(
        _ share: ProjectResourceAccess, _ tenant: PostgreSQLValue, _ write: PostgreSQLWrite
    ) throws {
        let count = try write.execute(
            """
            UPDATE project_access SET permissions = $3, state = $4, expires_at = $5, accepted_by = $6,
                accepted_at = $7, revoked_by = $8, revoked_at = $9, reason = $10, revision = $11
            WHERE tenant_id = $1 AND id = $2 AND revision = $11 - 1
            """, [tenant] + changing(share))
        if count == 1 { return }
        let rows = try write.query(
            "SELECT 1 FROM project_access WHERE tenant_id = $1 AND id = $2", [tenant, .text(share.id)])
        throw ProjectStoreError(rows.isEmpty ? .notFound : .conflict, share.id)
    }

    /// The id, and what a change may change.
    private static func changing(_ share: ProjectResourceAccess) -> [PostgreSQLValue] {
        [
            .text(share.id), .integer(Int64(share.terms.permissions.rawValue)), .text(share.state.rawValue),
            .optional(share.terms.expiresAt?.microseconds), .optional(share.acceptedBy),
            .optional(share.acceptedAt?.microseconds), .optional(share.revokedBy),
            .optional(share.revokedAt?.microseconds), .optional(share.reason), .integer(share.revision),
        ]
    }

    private static func demand(_ count: Int, _ code: ProjectStoreError.Code, _ name: String) throws {
        guard count == 1 else { throw ProjectStoreError(code, name) }
    }
}
