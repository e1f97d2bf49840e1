// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Foundation
internal import GRDB

extension ImportTable {
    static let projects = ImportTable(
        name: "projects",
        columns: [
            ("tenant_id", "text"), ("id", "text"), ("name", "text"), ("created_by", "text"), ("created_at", "bigint"),
        ], keys: ["tenant_id", "id"], source: "SELECT * FROM projects"
    ) { row in
        let project = try ShareRow.project(row)
        return ImportRow(
            [
                try tenant(project.tenantID, of: "Project '\(project.id)'"), project.id, project.name,
                project.createdBy, number(project.createdAt.microseconds),
            ], change: StoreChange(.project, project.id))
    }

    static let shares = ImportTable(
        name: "project_access",
        columns: [
            ("tenant_id", "text"), ("id", "text"), ("resource_type", "text"), ("resource_id", "text"),
            ("owner_project", "text"), ("project", "text"), ("permissions", "integer"), ("state", "text"),
            ("expires_at", "bigint"), ("created_by", "text"), ("created_at", "bigint"), ("accepted_by", "text"),
            ("accepted_at", "bigint"), ("revoked_by", "text"), ("revoked_at", "bigint"), ("reason", "text"),
            ("revision", "bigint"),
        ], keys: ["id"], source: "SELECT * FROM project_access"
    ) { row in
        let share = try ShareRow.record(row)
        let parties = share.parties
        return ImportRow(
            [
                try tenant(parties.tenantID, of: "Share '\(share.id)'"), share.id, parties.resourceType,
                parties.resourceID, parties.ownerProject, parties.project, String(share.terms.permissions.rawValue),
                share.state.rawValue, number(share.terms.expiresAt?.microseconds), share.createdBy,
                number(share.createdAt.microseconds), share.acceptedBy, number(share.acceptedAt?.microseconds),
                share.revokedBy, number(share.revokedAt?.microseconds), share.reason, number(share.revision),
            ], change: StoreChange(.share, share.id))
    }

    /// Answers only: what was reserved and not answered is nobody's when the server has ended.
    static let idempotencyKeys = ImportTable(
        name: "idempotency_keys",
        columns: [
            ("tenant_id", "text"), ("caller", "text"), ("key", "text"), ("digest", "text"), ("begun_at", "bigint"),
            ("status", "integer"), ("body", "bytea"), ("fields", "text"),
        ], keys: ["tenant_id", "caller", "key"],
        source: """
            SELECT caller, key, digest, begun_at, status, body, fields FROM idempotency_keys WHERE status IS NOT NULL
            """
    ) { row in
        let caller = SQLiteStore.caller(row["caller"])
        let body: Data = row["body"] ?? Data()
        return ImportRow([
            try tenant(caller.tenantID, of: "An answer under an idempotency key"), caller.name, row["key"],
            row["digest"], number(row["begun_at"]), number(row["status"]), "\\x" + Hex.encode(body), row["fields"],
        ])
    }

    static let statuses = ImportTable(
        name: "object_statuses",
        columns: [
            ("tenant_id", "text"), ("kind", "text"), ("namespace", "text"), ("name", "text"), ("status", "text"),
        ], keys: ["tenant_id", "kind", "namespace", "name"],
        source: "SELECT kind, namespace, name, status FROM object_statuses"
    ) { row in
        ImportRow([TenantScope.platformTenant, row["kind"], row["namespace"], row["name"], row["status"]])
    }
}
