// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Essentials
internal import GRDB

extension SQLiteStore: ProjectStore {
    package func acceptedShares() async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try await reading { db in
            try Row.fetchAll(db, sql: "SELECT * FROM project_access WHERE state = 'accepted'").map(ShareRow.record)
        }
    }

    package func shares(ids: [String]) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        let wanted = JSONValue.strings(ids).jsonText
        return try await reading { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM project_access WHERE id IN (SELECT value FROM json_each(?))",
                arguments: [wanted]
            ).map(ShareRow.record)
        }
    }

    package func project(_ id: String, tenant: String?) async throws(ProjectStoreError) -> Project? {
        try await reading { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM projects WHERE tenant_id = ? AND id = ?", arguments: [tenant ?? "", id]
            ).map(ShareRow.project)
        }
    }

    package func isProject(_ id: String, outside tenant: String?) async throws(ProjectStoreError) -> Bool {
        try await reading { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM projects WHERE id = ? AND tenant_id <> ?)",
                arguments: [id, tenant ?? ""]) ?? false
        }
    }

    package func projects(tenant: String?, page: PageRequest) async throws(ProjectStoreError) -> Page<Project> {
        let condition = SQLCondition("tenant_id = ?", [tenant ?? ""])
        return try await reading { db in
            let (rows, total) = try Self.page("projects", condition, page, db)
            return Page(oneMore: try rows.map(ShareRow.project), total: total, limit: page.limit) {
                PageCursor(createdAt: $0.createdAt, id: $0.id)
            }
        }
    }

    package func share(_ id: String, tenant: String?) async throws(ProjectStoreError) -> ProjectResourceAccess? {
        try await reading { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM project_access WHERE id = ? AND tenant_id = ?", arguments: [id, tenant ?? ""]
            ).map(ShareRow.record)
        }
    }

    package func liveShare(_ parties: ShareParties) async throws(ProjectStoreError) -> ProjectResourceAccess? {
        try await reading { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT * FROM project_access WHERE tenant_id = ? AND resource_type = ? AND resource_id = ?
                        AND owner_project = ? AND project = ? AND state IN ('pending', 'accepted')
                    """,
                arguments: [
                    parties.tenantID ?? "", parties.resourceType, parties.resourceID, parties.ownerProject,
                    parties.project,
                ]
            ).map(ShareRow.record)
        }
    }

    package func shares(
        _ filter: ShareFilter, page: PageRequest
    ) async throws(ProjectStoreError) -> Page<ProjectResourceAccess> {
        let column = filter.side == .given ? "owner_project" : "project"
        var condition = SQLCondition("tenant_id = ? AND \(column) = ?", [filter.tenant ?? "", filter.project])
        if let states = filter.states {
            condition.text += " AND state IN (\(states.map { _ in "?" }.joined(separator: ", ")))"
            condition.values += states.map(\.rawValue)
        }
        let wanted = condition
        return try await reading { db in
            let (rows, total) = try Self.page("project_access", wanted, page, db)
            return Page(oneMore: try rows.map(ShareRow.record), total: total, limit: page.limit) {
                PageCursor(createdAt: $0.createdAt, id: $0.id)
            }
        }
    }

    package func liveShares(
        project: String, tenant: String?
    ) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try await reading { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM project_access WHERE tenant_id = ? AND (owner_project = ? OR project = ?)
                        AND state IN ('pending', 'accepted')
                    """,
                arguments: [tenant ?? "", project, project]
            ).map(ShareRow.record)
        }
    }

    package func liveShares(
        resourceType: String, resourceID: String, tenant: String?, limit: Int
    ) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try await reading { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM project_access WHERE tenant_id = ? AND resource_type = ? AND resource_id = ?
                        AND state IN ('pending', 'accepted')
                    ORDER BY created_at DESC, id DESC LIMIT ?
                    """,
                arguments: [tenant ?? "", resourceType, resourceID, max(0, limit)]
            ).map(ShareRow.record)
        }
    }

    package func write(_ changes: [ProjectChange]) async throws(ProjectStoreError) {
        try await mapped {
            try await committer.write { db in
                for change in changes { try ShareRow.apply(change, db) }
            }
        }
    }
}

/// The condition of a statement and the texts that are bound to it.
private struct SQLCondition: Sendable {
    var text: String
    var values: [String]

    init(_ text: String, _ values: [String]) {
        self.text = text
        self.values = values
    }
}

extension SQLiteStore {
    /// One row more than the page holds, the newest first, and how many there are on all pages.
    private static func page(
        _ table: String, _ condition: SQLCondition, _ page: PageRequest, _ db: Database
    ) throws -> (rows: [Row], total: Int) {
        let arguments = StatementArguments(condition.values)
        let total =
            try Int.fetchOne(
                db, sql: "SELECT count(*) FROM \(table) WHERE \(condition.text)", arguments: arguments) ?? 0
        var text = condition.text
        var bound = arguments
        if let cursor = page.cursor {
            text += " AND (created_at, id) < (?, ?)"
            bound += [cursor.createdAt.microseconds, cursor.id]
        }
        bound += [page.limit + 1]
        let rows = try Row.fetchAll(
            db, sql: "SELECT * FROM \(table) WHERE \(text) ORDER BY created_at DESC, id DESC LIMIT ?",
            arguments: bound)
        return (rows, total)
    }

    private func reading<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(ProjectStoreError) -> Value {
        try await mapped { try await pool.read(body) }
    }

    private func mapped<Value>(_ body: () async throws -> Value) async throws(ProjectStoreError) -> Value {
        do {
            return try await body()
        } catch let error as ProjectStoreError {
            throw error
        } catch {
            throw ProjectStoreError(.unavailable, "The database did not answer", cause: error)
        }
    }
}
