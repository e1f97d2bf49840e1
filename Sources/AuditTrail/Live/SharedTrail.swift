// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The entries of every replica, in the store that they share. Within a series numbers become visible in order and without gaps.
package protocol SharedTrail: Sendable {
    /// Every series with the number of its newest entry.
    func heads() async throws -> [String: Int64]

    /// The first entries of a series after that number, in order.
    func rows(of writer: String, after sequence: Int64, limit: Int) async throws -> [AuditRow]
}
