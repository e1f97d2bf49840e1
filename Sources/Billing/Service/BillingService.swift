// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Metrics

/// What doors and workers ask of accounts: each call is one transaction of one account, and everything in it is kept or nothing.
///
/// A "no" is thrown as `Refusal`; a fault of the store is `billing.unavailable`, and nothing ever goes ahead without its record.
package final class BillingService: Sendable {
    package let ledger: any BillingLedger
    package let plans: PlanBook
    package let prices: PriceBook
    package let settings: BillingSettings
    /// What is known of every account that somebody speaks for.
    package let directory = AccountDirectory()
    let clock: any WallClock
    let metrics: BillingMetrics
    private let cache: AccountCache
    private let reservations: ReservationCache
    private let knownValues = KnownValues()
    private let outbox: AccountWork.Outbox

    /// - Parameter outbox: where events go that owners are told, within the transaction of their cause.
    package init(
        ledger: any BillingLedger, plans: PlanBook, prices: PriceBook, settings: BillingSettings = BillingSettings(),
        clock: any WallClock, metricsFactory: any MetricsFactory,
        outbox: @escaping AccountWork.Outbox = { _, _, _ in }
    ) {
        self.ledger = ledger
        self.plans = plans
        self.prices = prices
        self.settings = settings
        self.clock = clock
        self.outbox = outbox
        metrics = BillingMetrics(factory: metricsFactory)
        cache = AccountCache(capacity: settings.cachedAccounts)
        reservations = ReservationCache(capacity: settings.cachedAccounts)
    }

    /// What holds for every account now.
    package var terms: BillingTerms { settings.terms(plans.catalogue) }

    /// What one transaction came to. It is an object, because the ledger hands it on without knowing its type.
    private final class Done<Value: Sendable>: Sendable {
        let result: Result<Value, Refusal>
        let book: AccountBook
        let version: Int64
        let entries: [LedgerEntry.Kind]
        let admitted: [KnownValues.Entry]

        init(_ result: Result<Value, Refusal>, _ work: AccountWork, version: Int64) {
            self.result = result
            book = work.book
            self.version = version
            entries = work.changes.entries.map(\.kind)
            admitted = work.admitted
        }
    }

    /// Runs an operation on an account in one transaction. What the account's time has brought is kept also where the operation is refused.
    ///
    /// - Parameters:
    ///   - makes: whether an account that is not there is made; nil = as the settings say.
    ///   - opens: whether the operation puts a subscription in force.
    ///   - body: may run more than once.
    func change<Value: Sendable>(
        _ account: String, actor: String = "system", makes: Bool? = nil, opens: Bool = false,
        _ body: @escaping @Sendable (inout AccountWork, any BillingTransaction) throws -> Value
    ) async throws(Refusal) -> Value {
        let (now, terms, cache, outbox, knownValues) = (clock.now(), terms, cache, outbox, knownValues)
        let reservations = reservations
        let makes = makes ?? settings.makesAccounts
        let done: Done<Value>
        do {
            done = try await ledger.transact(account) { transaction in
                var work = try AccountWork(
                    account, at: now, in: transaction, terms: terms, makes: makes, actor: actor, opens: opens
                ) {
                    cache.book(account, version: $0)
                } decode: {
                    try cache.book($0) ?? AccountBook($0)
                }
                work.knownValues = knownValues
                work.knownReservations = reservations
                let result: Result<Value, Refusal>
                let before = work
                do {
                    result = .success(try body(&work, transaction))
                } catch let refusal as Refusal {
                    result = .failure(refusal)
                    // Of what is refused nothing stays but that the owner was told of a budget in the way.
                    if refusal.code != .billingBudgetExceeded { work = before }
                }
                let stored = try work.store(in: transaction, outbox: outbox)
                if let stored { cache.propose(work.book, stored) }
                return Done(result, work, version: stored?.version ?? work.version)
            }
        } catch { throw fault(error, account) }
        if done.version > 0 {
            cache.keep(done.book, version: done.version)
            directory.take(done.book, version: done.version)
        }
        knownValues.keep(done.admitted)
        metrics.wrote(done.entries)
        return try done.result.get()
    }

    /// Looks at an account as it is now, without writing; one that is not stored looks as it would when it is made.
    func look<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (AccountWork, any BillingReader) throws -> Value
    ) async throws(Refusal) -> Value {
        let (now, terms, cache, makes) = (clock.now(), terms, cache, settings.makesAccounts)
        do {
            return try await ledger.read(account) { reader in
                let work = try AccountWork(account, at: now, in: reader, terms: terms, makes: makes) {
                    cache.book(account, version: $0)
                }
                return try body(work, reader)
            }
        } catch { throw fault(error, account) }
    }

    /// Reads rows of an account.
    func rows<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingReader) throws -> Value
    ) async throws(Refusal) -> Value {
        do {
            return try await ledger.read(account, body)
        } catch { throw fault(error, account) }
    }

    /// A refusal is one; everything else is a store that is not there.
    func fault(_ error: any Error, _ account: String) -> Refusal {
        if let refusal = error as? Refusal { return refusal }
        cache.forget(account)
        return Refusal(.billingUnavailable)
    }
}
