// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What a process does of the whole.
enum ProcessRole: String, Sendable, CaseIterable {
    /// Everything.
    case all
    /// HTTP and decisions.
    case api
    /// The queue of usage, resets, expiries, retries, outgoing webhooks and meter reports.
    case worker
    /// Objects and their status.
    case controller
}

/// What the process does, and whether it is for development.
struct ProcessSettings: Sendable {
    var role: ProcessRole
    /// Everything is in memory, with seeded accounts, without a queue and without a payment provider.
    var isDevnet: Bool
}
