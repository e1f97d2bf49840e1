// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import GRDB

/// How projects and shares lie in their tables.
enum ShareRow {
    /// Reads a row of `projects`.
    static func project(_ row: Row) throws -> Project {
        Project(
            id: row["id"], name: row["name"], tenantID: tenant(row), createdBy: row["created_by"],
            createdAt: Timestamp(microseconds: row["created_at"]))
    }

    /// Reads a row of `project_access`.
    ///
    /// - Throws: `corrupt`; an instant that cannot be read would make the share good for longer.
    static func record(_ row: Row) throws -> ProjectResourceAccess {
        let id: String = row["id"]
        guard let state = ProjectResourceAccess.State(rawValue: row["state"]),
            let rawPermissions = UInt8(exactly: row["permissions"] as Int64), (1...7).contains(rawPermissions)
        else { throw ProjectStoreError(.corrupt, "The share '\(id)' cannot be read") }
        let expiresAt = try instant(row, "expires_at", of: id)
        return ProjectResourceAccess(
            id: id,
            parties: ShareParties(
                tenantID: tenant(row), resourceType: row["resource_type"], resourceID: row["resource_id"],
                ownerProject: row["owner_project"], project: row["project"]),
            terms: ShareTerms(permissions: SharePermissions(rawValue: rawPermissions), expiresAt: expiresAt),
            state: state, createdBy: row["created_by"], createdAt: Timestamp(microseconds: row["created_at"]),
            acceptedBy: row["accepted_by"], acceptedAt: try instant(row, "accepted_at", of: id),
            revokedBy: row["revoked_by"], revokedAt: try instant(row, "revoked_at", of: id), reason: row["reason"],
            revision: row["revision"])
    }

    private static func tenant(_ row: Row) -> String? {
        let text: String = row["tenant_id"]
        return text.isEmpty ? nil : text
    }

    private static func instant(_ row: Row, _ column: String, of id: String) throws -> Timestamp? {
        let value: DatabaseValue = row[column]
        if value.isNull { return nil }
        guard case .int64(let microseconds) = value.storage else {
            throw ProjectStoreError(.corrupt, "\(column) of the share '\(id)' cannot be read")
        }
        return Timestamp(microseconds: microseconds)
    }

    /// Makes one change.
    ///
    /// - Throws: `exists`, `notFound`, `conflict`.
    static func apply(_ change: ProjectChange, _ db: Database) throws {
        switch change {
        case .insertProject(let project):
            try db.cachedStatement(
                sql: """
                    INSERT INTO projects (tenant_id, id, name, created_by, created_at) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (tenant_id, id) DO NOTHING
                    """
            ).execute(arguments: [
                project.tenantID ?? "", project.id, project.name, project.createdBy, project.createdAt.microseconds,
            ])
            try demandChange(db, .exists, project.id)
        case .renameProject(let project):
            try db.cachedStatement(sql: "UPDATE projects SET name = ? WHERE tenant_id = ? AND id = ?")
                .execute(arguments: [project.name, project.tenantID ?? "", project.id])
            try demandChange(db, .notFound, project.id)
        case .deleteProject(let id, let tenant): try delete(id, tenant ?? "", db)
        case .insertShare(let share): try insert(share, db)
        case .updateShare(let share): try update(share, db)
        case .forgetEnded(let project, let tenant, let keeping):
            try db.cachedStatement(
                sql: """
                    DELETE FROM project_access WHERE id IN (
                        SELECT id FROM project_access
                        WHERE tenant_id = ? AND owner_project = ? AND state NOT IN ('pending', 'accepted')
                        ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ?)
                    """
            ).execute(arguments: [tenant ?? "", project, max(0, keeping)])
        }
    }

    private static func delete(_ id: String, _ tenant: String, _ db: Database) throws {
        let isShared = try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (SELECT 1 FROM project_access WHERE tenant_id = ?
                        AND (owner_project = ? OR project = ?) AND state IN ('pending', 'accepted'))
                    """),
            arguments: [tenant, id, id])
        guard isShared == false else { throw ProjectStoreError(.conflict, id) }
        try db.cachedStatement(sql: "DELETE FROM projects WHERE tenant_id = ? AND id = ?")
            .execute(arguments: [tenant, id])
        try demandChange(db, .notFound, id)
    }

    private static func insert(_ share: ProjectResourceAccess, _ db: Database) throws {
        let parties = share.parties
        for project in [parties.ownerProject, parties.project] {
            let isThere = try Bool.fetchOne(
                db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM projects WHERE tenant_id = ? AND id = ?)"),
                arguments: [parties.tenantID ?? "", project])
            guard isThere == true else { throw ProjectStoreError(.notFound, project) }
        }
        try db.cachedStatement(
            sql: """
                INSERT INTO project_access (
                    tenant_id, resource_type, resource_id, owner_project, project, created_by, created_at, permissions,
                    state, expires_at, accepted_by, accepted_at, revoked_by, revoked_at, reason, revision, id
                ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """
        ).execute(
            arguments: [
                parties.tenantID ?? "", parties.resourceType, parties.resourceID, parties.ownerProject,
                parties.project, share.createdBy, share.createdAt.microseconds,
            ] + changing(share))
        try demandChange(db, .conflict, share.id)
    }

    private static func update(_ share: ProjectResourceAccess, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                UPDATE project_access SET permissions = ?, state = ?, expires_at = ?, accepted_by = ?, accepted_at = ?,
                    revoked_by = ?, revoked_at = ?, reason = ?, revision = ?
                WHERE id = ? AND tenant_id = ? AND revision = ?
                """
        ).execute(arguments: changing(share) + [share.parties.tenantID ?? "", share.revision - 1])
        if db.changesCount == 1 { return }
        let isThere = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM project_access WHERE id = ? AND tenant_id = ?)"),
            arguments: [share.id, share.parties.tenantID ?? ""])
        throw ProjectStoreError(isThere == true ? .conflict : .notFound, share.id)
    }

    /// What a change may change, and the id.
    private static func changing(_ share: ProjectResourceAccess) -> StatementArguments {
        [
            Int64(share.terms.permissions.rawValue), share.state.rawValue, share.terms.expiresAt?.microseconds,
            share.acceptedBy, share.acceptedAt?.microseconds, share.revokedBy, share.revokedAt?.microseconds,
            share.reason, share.revision, share.id,
        ]
    }

    private static func demandChange(_ db: Database, _ code: ProjectStoreError.Code, _ name: String) throws {
        guard db.changesCount == 1 else { throw ProjectStoreError(code, name) }
    }
}
