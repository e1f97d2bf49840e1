// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import ControllerRuntime
package import Essentials
package import ResourceModel
internal import Synchronization

/// Brings accounts to what their Subscription objects ask for, and keeps what the ledger says of them for status.
///
/// Passes of a compiler say what is wanted and are never held up; the work on each object follows in its turn of a work queue.
package final class SubscriptionAccounts: Sendable {
    private struct Entry: Sendable {
        var order: AccountOrder
        /// What the ledger has been handed for certain.
        var applied: AccountOrder?
        /// What was tried last, with success or without.
        var tried: AccountOrder?
        var report: AccountReport?
        /// Why the ledger could not be asked; nil where it could.
        var outage: String?
        /// The account as it was when it was looked at.
        var known: KnownAccount?
        var version: Int64 = 0
        var lookedAt: Timestamp?
        var dueAt: Timestamp?
        /// When the numbers of the report were others last.
        var countedAt: Timestamp?
        /// What of the object could not be put in force.
        var faults: [String] = []
    }

    private struct State: Sendable {
        var entries: [ObjectKey: Entry] = [:]
        /// The catalogue that the last pass compiled with.
        var catalogue: PlanCatalogue?
    }

    /// What is known of the account of an object.
    package enum Standing: Sendable, Hashable {
        /// Nothing yet: the ledger has not been asked for what the object says now.
        case unknown
        /// The ledger does not answer, and why.
        case away(String)
        case known(AccountReport)
    }

    /// How often numbers alone change a status.
    private static let numbersSeconds: Int64 = 30

    /// Called when a pass would say something else.
    package let changes = ChangeHook()
    private let ledger: any AccountLedger
    private let clock: any WallClock
    private let state = Mutex(State())

    /// Listens to the ledger's directory.
    package init(ledger: any AccountLedger, clock: any WallClock) {
        self.ledger = ledger
        self.clock = clock
        ledger.directory.changes.listen { [changes] in changes.call() }
    }

    /// What is known of every account, from memory.
    package var known: [String: KnownAccount] { ledger.directory.all }

    /// What holds for every account.
    package var terms: BillingTerms { ledger.terms }

    // MARK: - Passes

    /// Takes note of what all objects want now.
    ///
    /// - Parameter catalogue: the one that they were compiled with; another one has every account looked at.
    package func want(_ orders: [ObjectKey: AccountOrder], catalogue: PlanCatalogue) {
        state.withLock { state in
            let isOther = state.catalogue.map { $0 != catalogue } ?? false
            state.catalogue = catalogue
            var entries: [ObjectKey: Entry] = Dictionary(minimumCapacity: orders.count)
            for (key, order) in orders {
                var entry = state.entries[key] ?? Entry(order: order)
                if entry.order.account != order.account { entry = Entry(order: order) }
                entry.order = order
                if isOther { (entry.applied, entry.tried) = (nil, nil) }
                entries[key] = entry
            }
            state.entries = entries
        }
    }

    /// The objects whose accounts have to be looked at.
    ///
    /// - Parameter isResync: whether those are named too that failed and wait for their next try.
    package func needingLook(isResync: Bool) -> [ObjectKey] {
        let now = clock.now()
        return state.withLock { state in
            state.entries.compactMap { key, entry in
                let isOpen = entry.applied != entry.order && (isResync || entry.tried != entry.order)
                return isOpen || needsRead(entry, at: now) ? key : nil
            }
        }
    }

    /// Whether the ledger may say something else of an account that it was handed: at once where more than credits has changed.
    private func needsRead(_ entry: Entry, at now: Timestamp) -> Bool {
        guard entry.applied == entry.order, case .keep(_, let account) = entry.order, let lookedAt = entry.lookedAt
        else { return false }
        if let due = entry.dueAt, due <= now { return true }
        guard ledger.directory.version(of: account) != entry.version else { return false }
        return ledger.directory[account] != entry.known || lookedAt.adding(seconds: Self.numbersSeconds) <= now
    }

    /// How the account of an object stands.
    package func standing(of key: ObjectKey) -> Standing {
        state.withLock { state in
            guard let entry = state.entries[key] else { return .unknown }
            if entry.applied == entry.order, let report = entry.report { return .known(report) }
            return entry.outage.map(Standing.away) ?? .unknown
        }
    }

    /// Forgets what the ledger was handed, because another replica may have handed it something else since.
    package func forget() {
        state.withLock { state in state.entries = state.entries.mapValues { Entry(order: $0.order) } }
        changes.call()
    }

    // MARK: - Work

    /// Hands the ledger what an object asks for, or reads how its account stands. Never twice at once for one object.
    package func reconcile(_ key: ObjectKey) async -> ReconcileResult {
        guard let entry = state.withLock({ $0.entries[key] }) else { return .done }
        do throws(Refusal) {
            switch entry.order {
            case .withdraw(let uid, let account):
                guard entry.applied != entry.order else { return .done }
                try await ledger.withdraw(uid, account: account)
                note(key) { $0.applied = entry.order }
                return .done
            case .keep(let order, let account):
                let isApplied = entry.applied == entry.order
                // From before the work: what changes while it is done is seen.
                let version = ledger.directory.version(of: account)
                guard !isApplied || needsRead(entry, at: clock.now()) else { return next(entry.dueAt) }
                let facts = isApplied ? try await ledger.facts(account) : try await ledger.keep(order, account: account)
                let parked =
                    order.spec.source == .stripe
                    ? try await ledger.accountsWithParkedEvents().contains(account) : false
                return take(facts, of: key, entry, version: version, hasParkedEvents: parked)
            }
        } catch {
            note(key) { changed in
                changed.tried = entry.order
                changed.outage = error.message
            }
            return .failed("the account of \(key): \(error.message)")
        }
    }

    /// Takes away what an object that is being deleted put in force.
    ///
    /// - Parameter account: the object's; nil where it cannot be read any more.
    /// - Throws: `billing.unavailable`.
    package func withdraw(_ uid: String, account: String?) async throws(Refusal) {
        let accounts = account.map { [$0] } ?? known.filter { $0.value.spec?.uid == uid }.map(\.key)
        for account in accounts { try await ledger.withdraw(uid, account: account) }
    }

    private func take(
        _ facts: AccountFacts, of key: ObjectKey, _ entry: Entry, version: Int64, hasParkedEvents: Bool
    ) -> ReconcileResult {
        let terms = ledger.terms
        // What was handed over just now is said at once, with its numbers.
        let isRead = entry.applied == entry.order
        let faults = isRead ? entry.faults : facts.faults
        let report = AccountReport(facts, hasParkedEvents: hasParkedEvents, faults: faults, terms: terms)
        let dueAt = AccountReport.dueAt(facts, terms: terms)
        let now = clock.now()
        let known = KnownAccount(facts.view.book)
        note(key) { changed in
            changed.applied = entry.order
            changed.tried = entry.order
            changed.outage = nil
            changed.faults = faults
            changed.known = known
            changed.version = version
            changed.lookedAt = now
            changed.dueAt = dueAt
            let isCounted = changed.countedAt.map { now < $0.adding(seconds: Self.numbersSeconds) } ?? false
            if isRead, isCounted, let before = changed.report, before.agrees(with: report) { return }
            if changed.report?.numbers != report.numbers { changed.countedAt = now }
            changed.report = report
        }
        return next(dueAt)
    }

    /// Changes an entry that is still there, and tells where passes would see something else.
    private func note(_ key: ObjectKey, _ change: (inout Entry) -> Void) {
        let differs = state.withLock { state in
            guard let before = state.entries[key] else { return false }
            var after = before
            change(&after)
            state.entries[key] = after
            return before.report != after.report || before.outage != after.outage
                || (before.applied == before.order) != (after.applied == after.order)
        }
        if differs { changes.call() }
    }

    private func next(_ due: Timestamp?) -> ReconcileResult {
        guard let due else { return .done }
        let pause = due.microseconds.subtractingReportingOverflow(clock.now().microseconds)
        return .requeue(after: .microseconds(max(0, pause.overflow ? Int64.max : pause.partialValue)))
    }
}
