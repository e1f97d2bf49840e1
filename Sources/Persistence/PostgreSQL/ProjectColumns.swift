// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

/// How projects lie in their table.
enum ProjectColumns {
    static let all = "tenant_id, id, name, created_by, created_at"

    static func project(_ row: PostgreSQLRow) throws -> Project {
        Project(
            id: try row.text(1), name: try row.text(2), tenantID: tenant(try row.text(0)),
            createdBy: try row.text(3), createdAt: Timestamp(microseconds: try row.integer(4)))
    }

    /// The tenant that a column names; nil for the rows of the installation itself.
    static func tenant(_ column: String) -> String? { column == TenantScope.platformTenant ? nil : column }
}

/// How shares lie in their table.
enum ShareColumns {
    static let all = """
        tenant_id, id, resource_type, resource_id, owner_project, project, permissions, state, expires_at, created_by, \
        created_at, accepted_by, accepted_at, revoked_by, revoked_at, reason, revision
        """

    /// - Throws: `corrupt`; an instant that cannot be read would make the share good for longer.
    static func record(_ row: PostgreSQLRow) throws -> ProjectResourceAccess {
        let id = try row.text(1)
        func instant(_ column: Int) throws -> Timestamp? {
            try row.optionalInteger(column).map { Timestamp(microseconds: $0) }
        }
        do {
            guard let state = ProjectResourceAccess.State(rawValue: try row.text(7)),
                let permissions = UInt8(exactly: try row.integer(6)), (1...7).contains(permissions)
            else { throw ProjectStoreError(.corrupt, "The share '\(id)' cannot be read") }
            return ProjectResourceAccess(
                id: id,
                parties: ShareParties(
                    tenantID: ProjectColumns.tenant(try row.text(0)), resourceType: try row.text(2),
                    resourceID: try row.text(3), ownerProject: try row.text(4), project: try row.text(5)),
                terms: ShareTerms(permissions: SharePermissions(rawValue: permissions), expiresAt: try instant(8)),
                state: state, createdBy: try row.text(9), createdAt: Timestamp(microseconds: try row.integer(10)),
                acceptedBy: try row.optionalText(11), acceptedAt: try instant(12),
                revokedBy: try row.optionalText(13), revokedAt: try instant(14), reason: try row.optionalText(15),
                revision: try row.integer(16))
        } catch let error as PostgreSQLError {
            throw ProjectStoreError(.corrupt, "The share '\(id)' cannot be read", cause: error)
        }
    }
}

extension ProjectChange {
    /// In whose rows it is made.
    var tenantID: String? {
        switch self {
        case .insertProject(let project), .renameProject(let project): project.tenantID
        case .deleteProject(_, let tenant), .forgetEnded(_, let tenant, _): tenant
        case .insertShare(let share), .updateShare(let share): share.parties.tenantID
        }
    }
}
