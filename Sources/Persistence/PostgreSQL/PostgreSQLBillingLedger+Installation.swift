// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Documents of the installation, and what of it is forgotten.
extension PostgreSQLBillingLedger {
    package func installationDocument(_ name: String) async throws -> String? {
        try await mapped {
            try await database.transaction(.platform, isReadOnly: true) { transaction in
                try transaction.query(
                    """
                    SELECT document FROM billing_documents
                    WHERE tenant_id = '_platform' AND kind = 'installation' AND name = $1
                    """, [.text(name)]
                ).first?.text(0)
            }
        }
    }

    package func putInstallationDocuments(_ documents: [(name: String, document: String)]) async throws {
        guard !documents.isEmpty else { return }
        // Always in one order, so that two replicas never wait for each other.
        let sorted = documents.sorted { $0.name < $1.name }
        try await mapped {
            try await database.transaction(.platform) { transaction in
                _ = try transaction.execute(
                    """
                    INSERT INTO billing_documents (tenant_id, kind, name, document)
                    SELECT '_platform', 'installation', n.name, n.document
                    FROM unnest($1::text[], $2::text[]) AS n (name, document)
                    ON CONFLICT (tenant_id, kind, name) DO UPDATE SET document = excluded.document
                    """, [.texts(sorted.map(\.name)), .texts(sorted.map(\.document))])
            }
        }
    }

    /// Answered events of the provider that no subscription is folded from.
    ///
    /// - Returns: how many there were, at most the limit.
    func forgetEvents(before: Timestamp, limit: Int) async throws -> Int {
        try await mapped {
            try await database.transaction(.platform) { transaction in
                try transaction.execute(
                    """
                    WITH old AS (
                        SELECT id FROM billing_provider_events
                        WHERE tenant_id = '_platform' AND state = 'done' AND received_at < $1
                            AND (subscription IS NULL OR outcome IS NULL OR outcome NOT IN ('processed', 'late'))
                        ORDER BY received_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
                    )
                    DELETE FROM billing_provider_events e USING old
                    WHERE e.tenant_id = '_platform' AND e.id = old.id
                    """, [.integer(before.microseconds), .integer(limit)])
            }
        }
    }
}
