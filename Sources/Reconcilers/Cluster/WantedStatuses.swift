// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ResourceModel
internal import Synchronization

/// What the last pass wants the status of each object to say.
final class WantedStatuses: Sendable {
    /// A status and the generation of the object that it is about.
    struct Wanted: Sendable {
        var status: ObjectStatus
        var generation: Int64
    }

    private let wanted = Mutex<[ObjectKey: Wanted]>([:])

    subscript(key: ObjectKey) -> Wanted? { wanted.withLock { $0[key] } }

    /// Replaces all of them.
    func replace(_ new: [ObjectKey: Wanted]) { wanted.withLock { $0 = new } }
}
