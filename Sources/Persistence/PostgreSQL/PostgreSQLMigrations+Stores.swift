// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension PostgreSQLMigrations {
    /// The tables of the stores.
    static let stores: [PostgreSQLMigration] = [
        serviceTokens, apiKeys, projects, idempotency, objectStatuses, audit, sharedKeys, healing, liveEntries,
        billingAccounts, billingUsage, billingOutside, billingWork, billingVersions,
        billingPurchases, idempotencyFields,
    ]
}
