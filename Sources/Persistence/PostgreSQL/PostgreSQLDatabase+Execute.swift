// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension PostgreSQLDatabase {
    /// Runs one statement in a transaction of its own.
    func execute(_ scope: TenantScope, _ sql: String, _ parameters: [PostgreSQLValue]) async throws {
        try await transaction(scope) { transaction in
            _ = try transaction.execute(sql, parameters)
        }
    }
}
