// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Logging
internal import Metrics
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import tollgate

/// What waited for a customer is in force as soon as an object says whose the customer is.
@Suite struct LinkingLedgerTests {
    @Test func whatWaitedIsFoldedOnce() async throws {
        let (ledger, clock) = (MemoryBillingLedger(), ManualClock())
        let plans = PlanBook(try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML)))
        let billing = BillingService(
            ledger: ledger, plans: plans,
            prices: PriceBook(try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML))), clock: clock,
            metricsFactory: NOOPMetricsHandler.instance)
        let events = ProviderEventService(
            ledger: ledger, effects: AccountEffects(terms: { billing.terms }), plans: plans,
            secrets: { ProviderSecrets(webhookSecrets: Redacted([])) }, clock: clock,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            metricsFactory: NOOPMetricsHandler.instance)
        var event = ProviderEvent(
            id: "evt_1", type: "customer.subscription.updated", created: Timestamp(seconds: clock.now().seconds))
        (event.customer, event.subscription, event.status) = ("cus_1", "sub_1", "active")
        event.prices = ["price_1SoawKE8yr4fu4JjkHQA2Y2c"]
        event.periodStart = event.created
        event.periodEnd = event.created.adding(seconds: 30 * 86_400)
        #expect(try await events.take(event).outcome == .parked)

        let asked = Mutex<[String]>([])
        let linking = LinkingLedger(billing) { customer in
            // The store does not answer the first time.
            let isFirst = asked.withLock { asked in
                asked.append(customer)
                return asked.count == 1
            }
            return isFirst ? false : await events.takeParked(of: customer)
        }
        let spec = StatedSubscription(uid: "uid", source: .stripe, plan: nil, anchor: clock.now())
        let order = SubscriptionOrder(spec: spec, customer: "cus_1")
        #expect(try await linking.keep(order, account: "acme").view.standing.plan.name == "free")
        let facts = try await linking.keep(order, account: "acme")
        #expect(facts.customers == ["cus_1"] && facts.view.standing.plan.name == "pro")
        #expect(try await linking.keep(order, account: "acme").view.standing.plan.name == "pro")
        // The customer of somebody else is nobody's business here.
        let other = try await linking.keep(order, account: "globex")
        #expect(other.customers == [] && other.view.standing.plan.name == "free")
        #expect(asked.withLock { $0 } == ["cus_1", "cus_1"])
    }
}
