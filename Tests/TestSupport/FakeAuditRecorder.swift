// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Essentials
internal import Synchronization

/// A trail in memory that can be taken away.
package final class FakeAuditRecorder: AuditRecording {
    /// What was given to it.
    package struct Entries: Sendable {
        package var queued: [AuditDraft] = []
        package var durable: [AuditDraft] = []
        package var allowed: [AllowedDecision] = []
    }

    /// How it answers.
    package enum Health: Sendable {
        case sound
        /// Nothing is accepted at once, but there is room after a moment.
        case slow
        /// Nothing is accepted.
        case away
    }

    private let state = Mutex((entries: Entries(), health: Health.sound))

    /// A trail that accepts everything.
    package init() {}

    /// Everything that it accepted.
    package var entries: Entries { state.withLock { $0.entries } }

    /// Changes how it answers from now on.
    package func become(_ health: Health) { state.withLock { $0.health = health } }

    package func acceptNow(_ draft: AuditDraft) -> Bool {
        state.withLock { state in
            guard state.health == .sound else { return false }
            state.entries.queued.append(draft)
            return true
        }
    }

    package func accept(_ draft: AuditDraft) async throws(Refusal) {
        try append(draft, to: \.queued)
    }

    package func acceptAllowedDecision(_ decision: AllowedDecision) -> Bool {
        state.withLock { state in
            guard state.health == .sound else { return false }
            state.entries.allowed.append(decision)
            return true
        }
    }

    package func record(_ draft: AuditDraft) async throws(Refusal) {
        try append(draft, to: \.durable)
    }

    package func checkWritable() throws(Refusal) {
        guard state.withLock({ $0.health }) != .away else { throw Refusal(.auditUnavailable) }
    }

    private func append(
        _ draft: AuditDraft, to list: sending WritableKeyPath<Entries, [AuditDraft]>
    ) throws(Refusal) {
        let isAccepted = state.withLock { state in
            guard state.health != .away else { return false }
            state.entries[keyPath: list].append(draft)
            return true
        }
        guard isAccepted else { throw Refusal(.auditUnavailable) }
    }
}
