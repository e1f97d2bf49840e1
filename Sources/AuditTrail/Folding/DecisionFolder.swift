// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Folds allowed decisions into one entry per actor, host, method, route and span of time.
final class DecisionFolder: Sendable {
    private struct Key: Hashable {
        let actor: String
        let host: String
        let method: String
        let route: String
    }

    /// What one folded entry stands for.
    struct Group: Sendable {
        let sample: AllowedDecision
        var count: Int64
        var last: Timestamp

        /// The entry.
        var draft: AuditDraft {
            var metadata: JSONObject = [
                "auth_source": .string(sample.authSource), "count": .int(count),
                "first_time": .string(sample.at.rfc3339Micros), "host": .string(sample.host),
                "last_time": .string(last.rfc3339Micros), "method": .string(sample.method),
                "route": .string(sample.route), "status": .int(Int64(sample.status)),
            ]
            if count == 1 {
                metadata["first_time"] = nil
                metadata["last_time"] = nil
            }
            return AuditDraft(
                actor: sample.actor, action: "decision.check", resource: sample.path, outcome: .success,
                metadata: metadata, ip: sample.ip?.description, tenant: sample.tenant, requestID: sample.requestID)
        }
    }

    private struct State {
        var slots: [Key: Int] = [:]
        /// In the order of their first decision; `head` is the oldest that is open.
        var groups: [Group] = []
        var keys: [Key] = []
    }

    private let capacity: Int
    private let spanMicroseconds: Int64
    private let state = Mutex(State())

    init(capacity: Int, seconds: Int64) {
        self.capacity = max(1, capacity)
        spanMicroseconds = seconds * 1_000_000
    }

    /// Counts a decision.
    ///
    /// - Returns: false when no more folded entries may be open: the decision is then recorded whole.
    func count(_ decision: AllowedDecision) -> Bool {
        let key = Key(actor: decision.actor, host: decision.host, method: decision.method, route: decision.route)
        return state.withLock { state in
            if let slot = state.slots[key] {
                state.groups[slot].count += 1
                state.groups[slot].last = decision.at
                return true
            }
            guard state.groups.count < capacity else { return false }
            state.slots[key] = state.groups.count
            state.groups.append(Group(sample: decision, count: 1, last: decision.at))
            state.keys.append(key)
            return true
        }
    }

    /// Takes the groups whose span is over; with nil all of them.
    func take(endedAt now: Timestamp?) -> [Group] {
        state.withLock { state in
            var ended = state.groups.count
            if let now {
                // A first time that lies ahead means that the clock was set back: such a group is ended too.
                ended =
                    state.groups.firstIndex {
                        let age = now.microseconds - $0.sample.at.microseconds
                        return age >= 0 && age < spanMicroseconds
                    } ?? ended
            }
            guard ended > 0 else { return [] }
            let taken = Array(state.groups[..<ended])
            for key in state.keys[..<ended] { state.slots[key] = nil }
            state.groups.removeFirst(ended)
            state.keys.removeFirst(ended)
            for (key, slot) in state.slots { state.slots[key] = slot - ended }
            return taken
        }
    }
}
