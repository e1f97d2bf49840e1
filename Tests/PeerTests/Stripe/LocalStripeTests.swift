// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(5))) struct LocalStripeTests {
    private static let plan = "price_1SoawKE8yr4fu4JjkHQA2Y2c"

    private static func world() throws -> ProviderWorld {
        try ProviderWorld(
            now: SystemWallClock().now(), webhookSecrets: ["whsec_other", LocalStripe.secret], apiKey: "sk_test_local")
    }

    /// Waits for webhooks of these types and takes all that came, in the order of their arrival.
    private static func take(
        _ types: Set<String>, from server: LoopbackHTTPServer, into world: ProviderWorld
    ) async throws -> [String: ProviderOutcome] {
        func type(_ request: LoopbackHTTPServer.Request) -> String {
            (try? JSONParser.parse(request.body))?["type"]?.stringValue ?? "none"
        }
        try await Eventually.holds("\(types.sorted())", within: .seconds(60)) {
            types.isSubset(of: server.requests.map(type))
        }
        world.clock.set(SystemWallClock().now())
        var outcomes: [String: ProviderOutcome] = [:]
        for request in server.requests {
            let answer = try await world.service.receive(
                header: request.header("stripe-signature"), body: request.body)
            outcomes[answer.type] = answer.outcome
        }
        return outcomes
    }

    @Test func aSubscriptionIsBoughtReadCanceledAndEnded() async throws {
        let world = try Self.world()
        try await LoopbackHTTPServer.with { _ in
            .json("{}")
        } _: { server in
            try await LocalStripe.with(webhooks: server.port) { stripe in
                try await stripe.makePlan(Self.plan, cents: 4900)
                let customer = try await stripe.client.createCustomer(account: "acme", wish: "setup")
                #expect(!customer.hasPaymentMethod)
                try await stripe.attach(LocalStripe.good, to: customer.id)
                let canPay = try await stripe.client.customer(customer.id).hasPaymentMethod
                #expect(canPay)
                let id = try await stripe.subscribe(customer.id, to: Self.plan, account: "acme")

                let bought = try await Self.take(
                    ["customer.subscription.created", "invoice.payment_succeeded"], from: server, into: world)
                #expect(bought["customer.subscription.created"] == .processed)
                #expect(bought["customer.created"] == .ignored)
                let standing = try #require(world.effects.account("acme").standing)
                #expect(standing.subscription == id)
                #expect(standing.state == .active)
                #expect(standing.boughtPlan == "pro")
                #expect(world.ledger.kept.links == [customer.id: "acme"])
                #expect(world.ledger.kept.events.values.allSatisfy { $0.state == .done })

                let read = try await stripe.client.subscription(id)
                #expect(read.fact.prices == [Self.plan])
                #expect(read.fact.periodStart == standing.periodStart)
                #expect(read.fact.periodEnd == standing.periodEnd)
                let invoices = try await stripe.client.invoices(customer: customer.id, limit: 10)
                #expect(invoices.map(\.amountPaid) == [4900])
                #expect(invoices.first?.status == "paid")

                let ending = try await stripe.client.cancel(id, atPeriodEnd: true, account: "acme", wish: "1")
                #expect(ending.fact.cancelAtPeriodEnd == true)
                let ended = try await stripe.client.cancel(id, atPeriodEnd: false, account: "acme", wish: "2")
                #expect(ended.fact.status == "canceled")
                _ = try await Self.take(["customer.subscription.deleted"], from: server, into: world)
                #expect(world.effects.account("acme").standing?.state == .canceled)
            }
        }
    }

    @Test func aPaymentThatFailsLaterEndsTheSubscription() async throws {
        let world = try Self.world()
        try await LoopbackHTTPServer.with { _ in
            .json("{}")
        } _: { server in
            try await LocalStripe.with(webhooks: server.port) { stripe in
                try await stripe.makePlan(Self.plan, cents: 4900)
                let customer = try await stripe.client.createCustomer(account: "acme", wish: "setup")
                try await stripe.attach(LocalStripe.failing, to: customer.id)
                _ = try await stripe.subscribe(customer.id, to: Self.plan, account: "acme")
                let outcomes = try await Self.take(
                    [
                        "customer.subscription.created", "invoice.payment_failed", "customer.subscription.deleted",
                    ], from: server, into: world)
                let failure = try #require(outcomes["invoice.payment_failed"])
                #expect([.processed, .late].contains(failure))
                #expect(world.effects.account("acme").standing?.state == .canceled)
                #expect(world.effects.account("acme").standing?.boughtPlan == "pro")
                #expect(world.effects.account("acme").standing?.lastEventType == "customer.subscription.deleted")
            }
        }
    }

    @Test func whatIsChangedOnTheWayIsRefused() async throws {
        let world = try Self.world()
        try await LoopbackHTTPServer.with { _ in
            .json("{}")
        } _: { server in
            try await LocalStripe.with(webhooks: server.port) { stripe in
                _ = try await stripe.client.createCustomer(account: "acme", wish: "setup")
                try await Eventually.holds("a webhook", within: .seconds(60)) { !server.requests.isEmpty }
                let request = try #require(server.requests.first)
                world.clock.set(SystemWallClock().now())
                for index in stride(from: 0, to: request.body.count, by: 97) {
                    var body = request.body
                    body[index] ^= 1
                    let error = await #expect(throws: Refusal.self) {
                        try await world.service.receive(header: request.header("stripe-signature"), body: body)
                    }
                    #expect(error?.details == ["reason": "no_match"])
                }
            }
        }
    }
}
