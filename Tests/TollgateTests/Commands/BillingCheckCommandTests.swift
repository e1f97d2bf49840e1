// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct BillingCheckCommandTests {
    private static let key = "sk_test_fake"

    /// The shipped catalogue names these prices; the fake knows them.
    private static func fake() -> StripeFake {
        let fake = StripeFake(key: key)
        fake.change { state in
            for (id, cents) in [
                ("price_1SoawKE8yr4fu4JjkHQA2Y2c", Int64(4900)), ("price_1SoawKE8yr4fu4Jj7iDEjsk6", 19_900),
            ] {
                state.prices[id] = [
                    "id": .string(id), "unit_amount": .int(cents), "currency": "usd", "active": true,
                    "recurring": ["interval": "month", "interval_count": 1],
                ]
            }
        }
        return fake
    }

    private func check(
        _ fake: StripeFake, _ arguments: [String] = [], _ environment: [String: String] = [:]
    ) async throws -> CommandRun {
        try await LoopbackHTTPServer.with({ fake.answer($0) }) { server in
            await run(
                ["billing", "check"] + arguments,
                environment: ["STRIPE_API_KEY": Self.key, "STRIPE_API_BASE": server.url].merging(environment) { $1 })
        }
    }

    @Test func isContentWhereEverythingIsTheSame() async throws {
        let shown = try await check(Self.fake())
        #expect(shown.status == 0)
        #expect(shown.output == "2 prices: each is at Stripe as the catalogue says\n")
        let json = try await check(Self.fake(), ["--output", "json"])
        #expect(json.output == #"{"prices":2,"differences":[]}"# + "\n")
    }

    @Test func listsEveryDifference() async throws {
        let fake = Self.fake()
        fake.change { state in
            state.prices["price_1SoawKE8yr4fu4JjkHQA2Y2c"] = nil
            state.prices["price_1SoawKE8yr4fu4Jj7iDEjsk6"] = [
                "id": "price_1SoawKE8yr4fu4Jj7iDEjsk6", "unit_amount": 19_950, "currency": "eur", "active": true,
                "recurring": ["interval": "year", "interval_count": 1],
            ]
        }
        let shown = try await check(fake)
        #expect(shown.status == 1 && shown.errors == "Error: 4 differences\n")
        #expect(
            shown.output == """
                ITEM             PRICE                           WHAT      CATALOGUE  STRIPE
                plan pro         price_1SoawKE8yr4fu4JjkHQA2Y2c  missing   -          -
                plan enterprise  price_1SoawKE8yr4fu4Jj7iDEjsk6  amount    $199.00    $199.50
                plan enterprise  price_1SoawKE8yr4fu4Jj7iDEjsk6  currency  usd        eur
                plan enterprise  price_1SoawKE8yr4fu4Jj7iDEjsk6  interval  1 month    1 year

                """)
        let json = try await check(fake, ["--output", "json"])
        let body = try JSONParser.parse(text: json.output)
        #expect(json.status == 1 && body["differences"]?.arrayValue?.count == 4)
        #expect(
            body["differences"]?.arrayValue?[1] == [
                "item": "plan enterprise", "price": "price_1SoawKE8yr4fu4Jj7iDEjsk6", "what": "amount",
                "catalogue": "199000000", "stripe": "199500000",
            ])
    }

    @Test func needsAKey() async {
        let shown = await run(["billing", "check"])
        #expect(shown.status == 2)
        #expect(
            shown.errors == "Error: no key to Stripe: set STRIPE_API_KEY, or STRIPE_API_KEY_FILE to a file with it\n")
        let wrong = await run(["billing", "check"], environment: ["STRIPE_API_KEY": "nonsense"])
        #expect(wrong.status == 2 && wrong.errors.contains("STRIPE_API_KEY") && !wrong.errors.contains("nonsense"))
    }

    @Test func aKeyThatStripeRefusesIsNoDifference() async throws {
        let shown = try await check(Self.fake(), [], ["STRIPE_API_KEY": "sk_test_other"])
        #expect(shown.status == 8 && shown.output.isEmpty)
        #expect(shown.errors.hasPrefix("Error: Stripe cannot be asked: "))
        #expect(!shown.errors.contains("sk_test"))
    }

    @Test func takesTheCatalogueOfTheSettings() async throws {
        let shown = try await check(Self.fake(), [], ["TOLLGATE_BILLING_PLANS_FILE": "/nonexistent/plans.yaml"])
        #expect(shown.status == 1 && shown.errors.contains("there is no file /nonexistent/plans.yaml"))
        let plain = await run(
            ["billing", "check"],
            environment: ["STRIPE_API_KEY": Self.key, "STRIPE_API_BASE": "http://stripe.example"])
        #expect(plain.status == 2 && plain.errors.contains("STRIPE_API_BASE: http://stripe.example may not be called"))
    }
}
