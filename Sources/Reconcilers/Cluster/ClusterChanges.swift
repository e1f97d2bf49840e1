// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ResourceModel
internal import Synchronization

/// What has changed since the last pass of the compiler.
struct ClusterChanges: Sendable {
    /// Objects that came, went or are not as they were.
    var keys: Set<ObjectKey> = []
    /// The kinds of which an object has changed since everything was looked at last, be it the status alone.
    var restated: Set<ResourceKind> = []
    /// Whether everything is to be compiled anew.
    var isWhole = false
    /// Whether every object is to be compared with what is wanted, and what changes by itself (time, files, key sets) looked at.
    var isResync = false
    /// Whether another catalogue of plans is in force.
    var plans = false
    /// Whether the ledger says something else of an account.
    var accounts = false
    /// Whether key sets have been fetched.
    var keySets = false

    /// Whether objects of the kind may not be what they were when everything was looked at last.
    func mayDiffer(_ kind: ResourceKind) -> Bool { isResync && (isWhole || restated.contains(kind)) }

    func has(_ kind: ResourceKind) -> Bool { keys.contains { $0.kind == kind } }
}

/// Gathers changes from wherever they are noticed until a pass takes them.
final class PendingChanges: Sendable {
    private let changes: Mutex<ClusterChanges>

    /// Begins with everything to be done.
    init() { changes = Mutex(ClusterChanges(isWhole: true, isResync: true)) }

    func note(_ note: (inout ClusterChanges) -> Void) { changes.withLock { note(&$0) } }

    /// Takes all; what comes from now on is for the next pass.
    func take() -> ClusterChanges {
        changes.withLock { changes in
            // What is for the next look at everything waits for it.
            defer { changes = ClusterChanges(restated: changes.isResync ? [] : changes.restated) }
            return changes
        }
    }
}
