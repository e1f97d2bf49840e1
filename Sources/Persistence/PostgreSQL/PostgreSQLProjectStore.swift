// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Essentials

/// Projects and shares in PostgreSQL.
package struct PostgreSQLProjectStore: ProjectStore {
    private let database: PostgreSQLDatabase
    private let committer: PostgreSQLCommitter
    private let unreadable: @Sendable (any Error) -> Void

    /// Keeps them in that database.
    ///
    /// - Parameter unreadable: told of each row that is left out where many are asked for.
    package init(_ database: PostgreSQLDatabase, unreadable: @escaping @Sendable (any Error) -> Void = { _ in }) {
        self.database = database
        committer = PostgreSQLCommitter(database)
        self.unreadable = unreadable
    }

    package func acceptedShares() async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try await mapped {
            try await database.query(.none, "SELECT \(ShareColumns.all) FROM accepted_shares()")
                .readable(ShareColumns.record, unreadable)
        }
    }

    package func shares(ids: [String]) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        guard !ids.isEmpty else { return [] }
        return try await mapped {
            try await database.query(.none, "SELECT \(ShareColumns.all) FROM shares_by_id($1)", [.texts(ids)])
                .map(ShareColumns.record)
        }
    }

    package func project(_ id: String, tenant: String?) async throws(ProjectStoreError) -> Project? {
        try await reading(tenant) { transaction, tenant in
            try transaction.query(
                "SELECT \(ProjectColumns.all) FROM projects WHERE tenant_id = $1 AND id = $2", [tenant, .text(id)]
            ).first.map(ProjectColumns.project)
        }
    }

    package func isProject(_ id: String, outside tenant: String?) async throws(ProjectStoreError) -> Bool {
        try await mapped {
            let own = try TenantScope.owner(tenant).tenantID()
            return try await database.query(.none, "SELECT is_project_outside($1, $2)", [.text(id), .optional(own)])[0]
                .boolean(0)
        }
    }

    package func projects(tenant: String?, page: PageRequest) async throws(ProjectStoreError) -> Page<Project> {
        try await reading(tenant) { transaction, tenant in
            let (rows, total) = try Self.page(
                "projects", ProjectColumns.all, "tenant_id = $1", [tenant], page, transaction)
            return Page(oneMore: try rows.map(ProjectColumns.project), total: total, limit: page.limit) {
                PageCursor(createdAt: $0.createdAt, id: $0.id)
            }
        }
    }

    package func share(_ id: String, tenant: String?) async throws(ProjectStoreError) -> ProjectResourceAccess? {
        try await reading(tenant) { transaction, tenant in
            try transaction.query(
                "SELECT \(ShareColumns.all) FROM project_access WHERE id = $2 AND tenant_id = $1", [tenant, .text(id)]
            ).first.map(ShareColumns.record)
        }
    }

    package func liveShare(_ parties: ShareParties) async throws(ProjectStoreError) -> ProjectResourceAccess? {
        try await reading(parties.tenantID) { transaction, tenant in
            try transaction.query(
                """
                SELECT \(ShareColumns.all) FROM project_access WHERE tenant_id = $1 AND resource_type = $2
                    AND resource_id = $3 AND owner_project = $4 AND project = $5 AND state IN ('pending', 'accepted')
                """,
                [
                    tenant, .text(parties.resourceType), .text(parties.resourceID), .text(parties.ownerProject),
                    .text(parties.project),
                ]
            ).first.map(ShareColumns.record)
        }
    }

    package func shares(
        _ filter: ShareFilter, page: PageRequest
    ) async throws(ProjectStoreError) -> Page<ProjectResourceAccess> {
        let column = filter.side == .given ? "owner_project" : "project"
        let states = filter.states.map { states in PostgreSQLValue.texts(states.map(\.rawValue)) } ?? .null
        return try await reading(filter.tenant) { transaction, tenant in
            let (rows, total) = try Self.page(
                "project_access", ShareColumns.all,
                "tenant_id = $1 AND \(column) = $2 AND ($3::text[] IS NULL OR state = ANY($3))",
                [tenant, .text(filter.project), states], page, transaction)
            return Page(oneMore: try rows.map(ShareColumns.record), total: total, limit: page.limit) {
                PageCursor(createdAt: $0.createdAt, id: $0.id)
            }
        }
    }

    package func liveShares(
        project: String, tenant: String?
    ) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try await reading(tenant) { transaction, tenant in
            try transaction.query(
                """
                SELECT \(ShareColumns.all) FROM project_access WHERE tenant_id = $1
                    AND (owner_project = $2 OR project = $2) AND state IN ('pending', 'accepted')
                """, [tenant, .text(project)]
            ).map(ShareColumns.record)
        }
    }

    package func liveShares(
        resourceType: String, resourceID: String, tenant: String?, limit: Int
    ) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try await reading(tenant) { transaction, tenant in
            try transaction.query(
                """
                SELECT \(ShareColumns.all) FROM project_access WHERE tenant_id = $1 AND resource_type = $2
                    AND resource_id = $3 AND state IN ('pending', 'accepted')
                ORDER BY created_at DESC, id DESC LIMIT $4
                """, [tenant, .text(resourceType), .text(resourceID), .integer(max(0, limit))]
            ).map(ShareColumns.record)
        }
    }

    package func write(_ changes: [ProjectChange]) async throws(ProjectStoreError) {
        guard !changes.isEmpty else { return }
        try await mapped {
            // Whether projects are there and what is shared between them is one question: one replica at a time changes a tenant's.
            let locks = changes.map { "projects/" + JSONValue.array([.optional($0.tenantID)]).jsonText }
            try await committer.write(order: locks[0], locks: locks) { write in
                for change in changes { try ProjectWriter.apply(change, write) }
            }
        }
    }

    // MARK: - Means

    /// One row more than the page holds, the newest first, and how many there are on all pages.
    private static func page(
        _ table: String, _ columns: String, _ condition: String, _ values: [PostgreSQLValue], _ page: PageRequest,
        _ transaction: PostgreSQLTransaction
    ) throws -> (rows: [PostgreSQLRow], total: Int) {
        var (text, bound) = (condition, values)
        if let cursor = page.cursor {
            text += " AND (created_at, id) < ($\(bound.count + 1), $\(bound.count + 2))"
            bound += [.integer(cursor.createdAt.microseconds), .text(cursor.id)]
        }
        bound.append(.integer(page.limit + 1))
        let results = try transaction.run([
            PostgreSQLStatement("SELECT count(*) FROM \(table) WHERE \(condition)", values),
            PostgreSQLStatement(
                "SELECT \(columns) FROM \(table) WHERE \(text) ORDER BY created_at DESC, id DESC LIMIT $\(bound.count)",
                bound),
        ])
        return (results[1].rows, Int(try results[0].rows[0].integer(0)))
    }

    /// Reads among the rows of a tenant; nil is those who have none.
    private func reading<Value: Sendable>(
        _ tenant: String?, _ body: @escaping @Sendable (PostgreSQLTransaction, PostgreSQLValue) throws -> Value
    ) async throws(ProjectStoreError) -> Value {
        try await mapped {
            let scope = TenantScope.owner(tenant)
            let id = PostgreSQLValue.optional(try scope.tenantID())
            return try await database.transaction(scope, isReadOnly: true) { try body($0, id) }
        }
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
