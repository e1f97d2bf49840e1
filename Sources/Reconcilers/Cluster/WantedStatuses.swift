// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import Synchronization

/// What the last passes want the status of each object to say.
final class WantedStatuses: Sendable {
    /// A status and the generation of the object that it is about.
    struct Wanted: Sendable, Hashable {
        var status: ObjectStatus
        var generation: Int64
        /// The first snapshot that has the object in this generation; nil for kinds that do not tell.
        var snapshot: UInt64?

        /// The document that says it.
        ///
        /// - Parameter previous: the status as it is stored: transition times are kept while a state stays.
        func document(previous: JSONValue?, now: Timestamp) -> JSONValue {
            var full = status
            if let snapshot { full.members["snapshot"] = .int(Int64(snapshot)) }
            return StatusDocument.make(full, generation: generation, previous: previous, now: now)
        }
    }

    private let wanted = Mutex<[ResourceKind: [ObjectKey: Wanted]]>([:])

    subscript(key: ObjectKey) -> Wanted? { wanted.withLock { $0[key.kind]?[key] } }

    /// Those of a kind.
    func all(_ kind: ResourceKind) -> [ObjectKey: Wanted] { wanted.withLock { $0[kind] ?? [:] } }

    /// Replaces those of a kind.
    func replace(_ kind: ResourceKind, _ new: [ObjectKey: Wanted]) { wanted.withLock { $0[kind] = new } }
}
