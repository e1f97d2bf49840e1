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

    /// Whether it does the work of accounts in the background.
    var works: Bool { self == .all || self == .worker }

    /// Whether it decides about other systems' requests.
    var decides: Bool { self == .all || self == .api }

    /// Whether it may hold the Lease of a cluster: who holds it writes objects and their status.
    var mayLead: Bool { self == .all || self == .controller }
}

/// What the process does, and whether it is for development.
struct ProcessSettings: Sendable {
    var role: ProcessRole
    /// Everything is in memory, with seeded accounts, without a queue and without a payment provider.
    var isDevnet: Bool
}
