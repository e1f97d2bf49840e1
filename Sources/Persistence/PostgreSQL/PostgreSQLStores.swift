// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
package import Essentials

/// The product's stores in one PostgreSQL database, which several replicas share: service tokens, API keys, projects and their shares, answers
/// under idempotency keys and statuses of objects.
///
/// What it acknowledged is committed. Every statement names its tenant, beside what the database's own row-level security demands; only the
/// narrow functions of the schema see more than one.
package struct PostgreSQLStores: Sendable {
    /// Service tokens.
    package let serviceTokens: PostgreSQLServiceTokenStore
    /// API keys and their owners.
    package let apiKeys: PostgreSQLAPIKeyStore
    /// Projects and shares.
    package let projects: PostgreSQLProjectStore
    /// Answers under idempotency keys.
    package let idempotency: PostgreSQLIdempotencyStore
    /// Statuses of objects.
    package let statuses: PostgreSQLObjectStatusStore

    /// - Parameters:
    ///   - clock: what the age of reservations is measured with; nil = the database's own clock, which all replicas share.
    ///   - random: names this replica in its reservations.
    ///   - unreadable: told of each row that cannot be read when many are read at once: it is left out, and so out of force.
    package init(
        _ database: PostgreSQLDatabase, clock: (any WallClock)? = nil, random: any RandomSource,
        unreadable: @escaping @Sendable (any Error) -> Void = { _ in }
    ) {
        // Each kind has transactions of its own, so that one that waits does not hold the others up.
        serviceTokens = PostgreSQLServiceTokenStore(database, unreadable: unreadable)
        apiKeys = PostgreSQLAPIKeyStore(database, unreadable: unreadable)
        projects = PostgreSQLProjectStore(database, unreadable: unreadable)
        idempotency = PostgreSQLIdempotencyStore(database, clock: clock, random: random)
        statuses = PostgreSQLObjectStatusStore(database)
    }
}
