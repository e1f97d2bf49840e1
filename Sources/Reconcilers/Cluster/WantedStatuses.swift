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
        /// The resourceVersion in which the object says just this; nil while none is known.
        var agreedAt: String?

        /// The document that says it.
        ///
        /// - Parameter previous: the status as it is stored: transition times are kept while a state stays.
        func document(previous: JSONValue?, now: Timestamp) -> JSONValue {
            var full = status
            if let snapshot { full.members["snapshot"] = .int(Int64(snapshot)) }
            return StatusDocument.make(full, generation: generation, previous: previous, now: now)
        }
    }

    /// How objects of a kind fared in a pass, `Ready` not summed up yet.
    struct Said {
        /// Those that were worked out.
        var statuses: [ObjectKey: ObjectStatus] = [:]
        /// Objects that are not there any more; nil = all that were not worked out.
        var gone: Set<ObjectKey>? = []
        /// The generation that was worked on.
        var generation: (ObjectKey) -> Int64? = { _ in nil }
    }

    /// The objects as they are, and the pass that looks at them.
    struct Look {
        var find: (ObjectKey) -> ClusterObject?
        /// The snapshot in force.
        var snapshot: UInt64
        /// Whether what did not change is compared with what is wanted, too.
        var isResync: Bool
        /// Whether any object of the kind may say something else than in the last such look.
        var mayDiffer: Bool
        var now: Timestamp
    }

    fileprivate struct Kind: Sendable {
        var all: [ObjectKey: Wanted] = [:]
        /// Objects that said something else when they were looked at last.
        var disagreeing: Set<ObjectKey> = []
    }

    fileprivate struct State: Sendable {
        var kinds: [ResourceKind: Kind] = [:]
        /// Conditions that several objects share: those of thousands are mostly the same.
        var conditions: Set<Conditions> = []
    }

    /// When there are more, they are forgotten: what is wanted stays as it is.
    private static let mostShared = 4096

    private let state = Mutex(State())

    subscript(key: ObjectKey) -> Wanted? { state.withLock { $0.kinds[key.kind]?.all[key] } }

    /// Those of a kind.
    func all(_ kind: ResourceKind) -> [ObjectKey: Wanted] { state.withLock { $0.kinds[kind]?.all ?? [:] } }

    /// Takes note of what a pass worked out.
    ///
    /// - Returns: the objects that say something else, as far as that can have changed.
    func take(_ said: Said, of kind: ResourceKind, _ look: Look) -> [ObjectKey] {
        state.withLock { state in
            var known = state.kinds.removeValue(forKey: kind) ?? Kind()
            defer { state.kinds[kind] = known }
            known.forget(said.gone ?? Set(known.all.keys).subtracting(said.statuses.keys))
            var stale: [ObjectKey] = []
            for (key, status) in said.statuses {
                guard let generation = said.generation(key) else {
                    known.forget([key])
                    continue
                }
                var status = status
                status.sumUp()
                let stands = known.all[key].map { $0.generation == generation && $0.status == status } ?? false
                if !stands {
                    status.conditions = Self.shared(status.conditions, &state.conditions)
                    known.all[key] = Wanted(status: status, generation: generation)
                }
                if !stands || look.isResync, known.isStale(key, kind, look) { stale.append(key) }
            }
            guard look.isResync else { return stale }
            for key in look.mayDiffer ? Set(known.all.keys) : known.disagreeing where said.statuses[key] == nil {
                if known.isStale(key, kind, look) { stale.append(key) }
            }
            return stale
        }
    }

    private static func shared(_ conditions: Conditions, _ known: inout Set<Conditions>) -> Conditions {
        // Texts that are equal can be of different bytes, unless all of them are ASCII.
        guard conditions.all.allSatisfy({ $0.message.utf8.allSatisfy { $0 < 0x80 } }) else { return conditions }
        if known.count >= mostShared { known = [] }
        return known.insert(conditions).memberAfterInsert
    }
}

extension WantedStatuses.Kind {
    fileprivate mutating func forget(_ keys: Set<ObjectKey>) {
        for key in keys {
            all[key] = nil
            disagreeing.remove(key)
        }
    }

    /// Compares an object with what is wanted of it.
    ///
    /// - Returns: whether it has to be written.
    fileprivate mutating func isStale(
        _ key: ObjectKey, _ kind: ResourceKind, _ look: WantedStatuses.Look
    ) -> Bool {
        guard var wanted = all[key] else { return false }
        guard let object = look.find(key) else {
            forget([key])
            return false
        }
        guard wanted.agreedAt != object.resourceVersion || object.resourceVersion.isEmpty else { return false }
        if kind == .authConfig {
            let isObserved = object.status?["observedGeneration"]?.intValue == wanted.generation
            let first = isObserved ? object.status?["snapshot"]?.intValue.map { UInt64(clamping: $0) } : nil
            wanted.snapshot = first ?? wanted.snapshot ?? look.snapshot
        }
        let isCurrent = object.generation == wanted.generation
        let agrees =
            isCurrent
            && StatusDocument.agree(wanted.document(previous: object.status, now: look.now), object.status)
        wanted.agreedAt = agrees ? object.resourceVersion : nil
        all[key] = wanted
        if agrees { disagreeing.remove(key) } else { disagreeing.insert(key) }
        return isCurrent && !agrees
    }
}
