// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import GRDB

/// Documents of the installation, in the place of an account that there never is.
extension SQLiteBillingLedger {
    private static let (number, kind) = (Int64(0), "installation")

    package func installationDocument(_ name: String) async throws -> String? {
        try await reading { db in
            try String.fetchOne(
                db.cachedStatement(
                    sql: "SELECT document FROM billing_documents WHERE account = ? AND kind = ? AND name = ?"),
                arguments: [Self.number, Self.kind, name])
        }
    }

    package func putInstallationDocuments(_ documents: [(name: String, document: String)]) async throws {
        try await writing { db in
            let statement = try db.cachedStatement(
                sql: "INSERT OR REPLACE INTO billing_documents (account, kind, name, document) VALUES (?, ?, ?, ?)")
            for (name, document) in documents {
                try statement.execute(arguments: [Self.number, Self.kind, try PackedText.checked(name), document])
            }
        }
    }
}
