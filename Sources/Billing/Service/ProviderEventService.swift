// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
package import Metrics

/// Takes the events of the provider: claimed, then processed and done in one transaction, so that each has its effect once, however often and
/// in whatever order it comes.
package struct ProviderEventService: Sendable {
    private let ledger: any BillingLedger
    private let effects: any ProviderEffects
    private let plans: PlanBook
    private let rules: ProviderEventRules
    private let secrets: @Sendable () -> ProviderSecrets
    private let clock: any WallClock
    private let logger: Logger
    private let metrics: ProviderEventMetrics
    private let folded: @Sendable (String) async -> Void

    /// - Parameters:
    ///   - secrets: those that are in force now; asked for every event.
    ///   - folded: told of each account that an event was kept for, before the provider is answered.
    package init(
        ledger: any BillingLedger, effects: any ProviderEffects, plans: PlanBook,
        rules: ProviderEventRules = ProviderEventRules(), secrets: @escaping @Sendable () -> ProviderSecrets,
        clock: any WallClock, logger: Logger, metricsFactory: any MetricsFactory,
        folded: @escaping @Sendable (String) async -> Void = { _ in }
    ) {
        self.folded = folded
        self.ledger = ledger
        self.effects = effects
        self.plans = plans
        self.rules = rules
        self.secrets = secrets
        self.clock = clock
        self.logger = logger
        metrics = ProviderEventMetrics(factory: metricsFactory)
    }

    /// Takes a delivery of the provider.
    ///
    /// - Parameters:
    ///   - header: `Stripe-Signature`.
    ///   - body: the raw bytes.
    /// - Throws: `billing.not_configured`, `billing.invalid_signature`, `request.too_large`, `request.malformed`, `request.invalid`,
    ///   `billing.event_claimed`, `billing.unavailable`.
    package func receive(header: String?, body: [UInt8]) async throws(Refusal) -> ProviderEventAnswer {
        let secrets = secrets()
        guard !secrets.webhookSecrets.revealed.isEmpty else { throw Refusal(.billingNotConfigured) }
        guard body.count <= StripeEventReader.maximumBytes else { throw Refusal(.requestTooLarge) }
        do {
            try StripeSignature.check(
                header: header, body: body, secrets: secrets.webhookSecrets, at: clock.now(),
                tolerance: rules.tolerance)
        } catch {
            throw error.refusal
        }
        switch try StripeEventReader.read(body) {
        case .event(let event): return try await take(event, isLive: secrets.isLive)
        case .incomplete(let event, let missing): return try await take(event, missing: missing, isLive: secrets.isLive)
        }
    }

    /// Takes an event that was read, from the provider or from a front end.
    ///
    /// - Parameters:
    ///   - missing: what it needs and does not have, which fails it.
    ///   - isLive: the mode of the key; nil = not known.
    /// - Throws: `billing.event_claimed`, `billing.unavailable`.
    package func take(
        _ event: ProviderEvent, missing: String? = nil, isLive: Bool? = nil
    ) async throws(Refusal) -> ProviderEventAnswer {
        let answer = try await takeAlone(event, missing: missing, isLive: isLive)
        // Whatever links a customer, or finds it linked, brings what waited for it.
        if answer.outcome == .processed || answer.outcome == .late { await takeParked(with: event) }
        return answer
    }

    private func takeAlone(
        _ event: ProviderEvent, missing: String?, isLive: Bool?
    ) async throws(Refusal) -> ProviderEventAnswer {
        var document = event.json.objectValue ?? JSONObject()
        document["fault"] = missing.map(JSONValue.string)
        let now = clock.now()
        let wanted = ProviderEventRow(
            id: event.id, type: event.type, created: event.created, state: .claimed, customer: event.customer,
            subscription: event.fact, document: JSONValue.object(document).jsonText,
            leaseUntil: now.adding(seconds: ProviderEventRules.leaseSeconds), receivedAt: now)
        let claim: ProviderEventClaim
        do {
            claim = try await ledger.claim(wanted, at: now)
        } catch {
            throw unavailable(error, event)
        }
        switch claim {
        case .done:
            metrics.took(event, .duplicate)
            return ProviderEventAnswer(type: event.type, outcome: .duplicate)
        case .busy(let until):
            metrics.took(event, .claimed)
            throw Refusal(.billingEventClaimed, retryAfterSeconds: max(1, until.seconds - now.seconds))
        case .claimed(let row):
            let outcome = try await work(on: event, row: row, missing: missing, isLive: isLive)
            return ProviderEventAnswer(type: event.type, outcome: outcome)
        }
    }

    /// Works on what failed, on what a worker that is gone had claimed, and on what was parked and has an account now.
    ///
    /// - Returns: how many events were worked on.
    package func retry(limit: Int = 100) async throws -> Int {
        var rows = try await ledger.dueProviderEvents(at: clock.now(), limit: limit)
        for row in try await ledger.providerEvents(.parked, limit: limit) where await isLinked(row) { rows.append(row) }
        for row in rows { await resume(row) }
        return rows.count
    }

    /// Books a sale that was told otherwise than by an event.
    ///
    /// - Returns: false where its payment bought something before under another key.
    /// - Throws: `billing.unavailable`.
    package func book(_ sale: PackSale, account: String) async throws(Refusal) -> Bool {
        let now = clock.now()
        do {
            let entries = try await ledger.transact(account) { [effects] transaction in
                try ProviderEventWork.book(sale, account, now, effects, in: transaction)
            }
            metrics.wrote(entries ?? [])
            return entries != nil
        } catch {
            logger.error("a sale cannot be booked", metadata: [LogKeys.error: "\(error)"])
            throw Refusal(.billingUnavailable)
        }
    }

    /// Only those whose own word does not stand against it: a conflict waits for a person.
    private func isLinked(_ row: ProviderEventRow) async -> Bool {
        guard let customer = row.customer, let event = ProviderEvent(document: row.document) else { return false }
        // Not known now is known later.
        guard let owner = try? await ledger.account(ofCustomer: customer) else { return false }
        return event.account == nil || event.account == owner
    }

    private func resume(_ row: ProviderEventRow) async {
        guard let event = ProviderEvent(document: row.document) else {
            return logger.error("a stored event cannot be read", metadata: [LogKeys.object: "\(row.id)"])
        }
        let document = try? JSONParser.parse(text: row.document)
        // What becomes of it is in its row; a refusal was logged where it arose.
        _ = try? await takeAlone(event, missing: document?["fault"]?.stringValue, isLive: secrets().isLive)
        guard row.state != .parked else { return }
        await takeParked(with: event)
    }

    private func work(
        on event: ProviderEvent, row: ProviderEventRow, missing: String?, isLive: Bool?
    ) async throws(Refusal) -> ProviderOutcome {
        do {
            if let missing { throw ProviderEventFault(missing: missing) }
            let outcome = try await process(event, row: row, isLive: isLive)
            metrics.took(event, outcome)
            return outcome
        } catch {
            try await fail(row, event, error)
        }
    }

    private func process(
        _ event: ProviderEvent, row: ProviderEventRow, isLive: Bool?
    ) async throws -> ProviderOutcome {
        let isOther = isLive != nil && event.isLive != nil && isLive != event.isLive
        guard isUsed(event), !isOther else {
            try await ledger.finish(ended(row, .done, .ignored))
            return .ignored
        }
        guard let account = try await account(of: event, row: row) else { return .parked }
        let work = ProviderEventWork(
            event: event, row: row, account: account, now: clock.now(), rules: rules, catalogue: plans.catalogue,
            effects: effects)
        let done = try await ledger.transact(account) { try work.run(in: $0) }
        metrics.wrote(done.entries)
        if done.hasUnknownPrice { metrics.unknownPrice() }
        await folded(account)
        return done.outcome
    }

    /// Single bills, and sessions of which nobody could ever say whose they are, are not ours.
    private func isUsed(_ event: ProviderEvent) -> Bool {
        guard let kind = event.kind, event.account != nil || event.customer != nil else { return false }
        return kind.isSession || event.fact != nil
    }

    /// Nil where it is not known: then the event is parked.
    private func account(of event: ProviderEvent, row: ProviderEventRow) async throws -> String? {
        if let account = event.account { return account }
        guard let customer = event.customer else { return nil }
        if let account = try await ledger.account(ofCustomer: customer) { return account }
        try await ledger.finish(ended(row, .parked, .parked))
        // It may have been linked since, by an event that did not see this one waiting.
        return try await ledger.account(ofCustomer: customer)
    }

    /// Folds what waited for the customer of an event.
    private func takeParked(with event: ProviderEvent) async {
        if let customer = event.customer { await takeParked(of: customer) }
    }

    /// Folds what waited for a customer that is linked to an account now.
    ///
    /// - Returns: whether the store could say what waited.
    @discardableResult
    package func takeParked(of customer: String) async -> Bool {
        do {
            for row in try await ledger.parkedEvents(ofCustomer: customer, limit: 1000) where await isLinked(row) {
                await resume(row)
            }
            return true
        } catch {
            // The worker looks for them as well.
            logger.warning("parked events cannot be listed", metadata: [LogKeys.error: "\(error)"])
            return false
        }
    }

    private func ended(
        _ row: ProviderEventRow, _ state: ProviderEventRow.State, _ outcome: ProviderOutcome
    ) -> ProviderEventRow {
        var row = row
        row.state = state
        row.outcome = outcome.rawValue
        row.leaseUntil = nil
        row.nextAt = nil
        return row
    }

    private func fail(_ row: ProviderEventRow, _ event: ProviderEvent, _ error: any Error) async throws(Refusal)
        -> Never
    {
        var row = row
        row.attempts += 1
        row.nextAt = ProviderEventRules.next(after: row.attempts, receivedAt: row.receivedAt, at: clock.now())
        row.state = row.nextAt == nil ? .dead : .failed
        row.leaseUntil = nil
        metrics.took(event, row.nextAt == nil ? .dead : .failed)
        // Where even that cannot be kept, the lease ends and the event is due again.
        try? await ledger.finish(row)
        throw unavailable(error, event)
    }

    private func unavailable(_ error: any Error, _ event: ProviderEvent) -> Refusal {
        logger.error(
            "an event of the provider failed",
            metadata: [LogKeys.object: "\(event.id)", LogKeys.reason: "\(event.type)", LogKeys.error: "\(error)"])
        return Refusal(.billingUnavailable, retryAfterSeconds: 60)
    }
}

/// An event lacks what it needs.
struct ProviderEventFault: Error, Sendable, CustomStringConvertible {
    let missing: String

    var description: String { "it has no \(missing)" }
}
