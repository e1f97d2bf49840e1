// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct RatingTests {
    /// Model, provider, and the id that is found.
    @Test(
        arguments: [
            ("gpt-4o", nil, "gpt-4o"),
            ("gpt-4o", "openai", "gpt-4o"),
            ("gpt-4o", "azure", nil),
            ("openai/gpt-4o", nil, "gpt-4o"),
            ("openai/gpt-4o", "openai", "gpt-4o"),
            ("openai/gpt-4o", "azure", nil),
            ("azure/gpt-4o", nil, nil),
            ("gpt-4", nil, nil),
            ("gpt-4o-", nil, nil),
            ("GPT-4o", nil, nil),
            ("", nil, nil),
            ("/", nil, nil),
            ("openai/", nil, nil),
            ("/gpt-4o", nil, nil),
        ] as [(String, String?, String?)])
    func findsByExactNames(_ name: String, _ provider: String?, _ found: String?) throws {
        let prices = try Prices.shipped()
        #expect(prices.model(name, provider: provider, at: Prices.now)?.model == found)
        if found == nil {
            let refusal = Refusal(.billingUnknownModel, details: ["field": "model", "model": .string(name)])
            #expect(throws: refusal) {
                try prices.rate(
                    TokenCounts(input: 1), model: name, provider: provider, creditValueMicroUSD: 10_000,
                    at: Prices.now)
            }
        }
    }

    @Test func moreThanOneHitIsNoHit() throws {
        let prices = try Prices.read([
            Prices.model("m", ["a"], input: "1"), Prices.model("m", ["b"], input: "2"),
            Prices.model("org/m", ["c"], aliases: ["short"]),
        ])
        #expect(prices.model("m", at: Prices.now) == nil)
        #expect(prices.model("m", provider: "b", at: Prices.now)?.rates.input == 2_000_000)
        #expect(prices.model("a/m", at: Prices.now)?.rates.input == 1_000_000)
        #expect(prices.model("org/m", at: Prices.now)?.model == "org/m")
        #expect(prices.model("c/org/m", at: Prices.now)?.model == "org/m")
        #expect(prices.model("short", provider: "c", at: Prices.now)?.model == "org/m")
        #expect(prices.model("short", provider: "a", at: Prices.now) == nil)
    }

    @Test func theNewestPriceNotAfterTheUseHolds() throws {
        let prices = try Prices.read([
            Prices.model("m", input: "2", from: "2026-02-01T00:00:00Z"),
            Prices.model("m", input: "3", from: "2026-03-01T00:00:00Z"),
            Prices.model("n", input: "1"), Prices.model("n", input: "9", from: "2026-03-01T00:00:00Z"),
        ])
        func rate(_ name: String, _ at: String) throws -> Int64? {
            prices.model(name, at: try #require(Timestamp(rfc3339: at)))?.rates.input
        }
        #expect(try rate("m", "2026-01-31T23:59:59.999999Z") == nil)
        #expect(try rate("m", "2026-02-01T00:00:00Z") == 2_000_000)
        #expect(try rate("m", "2026-02-28T23:59:59.999999Z") == 2_000_000)
        #expect(try rate("m", "2026-03-01T00:00:00Z") == 3_000_000)
        #expect(try rate("n", "2025-01-01T00:00:00Z") == 1_000_000)
        #expect(try rate("n", "2027-01-01T00:00:00Z") == 9_000_000)
    }

    @Test func anUnknownModelIsNeverFree() throws {
        let prices = try Prices.read([], unknown: "quarantine", markup: "50")
        let amount = try prices.rate(
            TokenCounts(input: 10, output: 10, reasoning: 10), model: "new", creditValueMicroUSD: 10_000,
            at: Prices.now)
        #expect(
            amount
                == RatedAmount(
                    listMicroUSD: 80, chargeMicroUSD: 120, chargeMicroCredits: 12_000, priceVersion: "7",
                    isQuarantined: true))
        #expect(throws: Refusal.self) {
            try prices.rate(
                TokenCounts(), model: "new", creditValueMicroUSD: 10_000, at: Prices.now, unknown: .fail)
        }
    }

    @Test func anEstimateTakesTheDearerOfOutputAndReasoning() throws {
        var model = try #require(Prices.model("m", input: "1", output: "2").objectValue)
        model["rates"] = ["input": "1", "output": "2", "reasoning": "5"]
        let prices = try Prices.read([.object(model), Prices.model("n", input: "1", output: "2")])
        func estimate(_ name: String) throws -> Int64 {
            try prices.estimate(
                TokenCounts(input: 100), maxOutput: 10, model: name, creditValueMicroUSD: 10_000, at: Prices.now
            ).listMicroUSD
        }
        #expect(try estimate("m") == 150)
        #expect(try estimate("n") == 120)
        #expect(throws: Refusal(.billingUnknownModel, details: ["field": "model", "model": "o"])) { try estimate("o") }
    }

    @Test(
        arguments: [
            (0, 0, 0), (1, 0, 7), (0, 1, 11), (0, 3600, 11), (0, 3601, 22), (2, 7200, 36), (3, 7201, 54),
        ] as [(Int64, Int64, Int64)])
    func agentsCostCallsAndStartedHours(_ calls: Int64, _ seconds: Int64, _ list: Int64) throws {
        let amount = try Prices.read([]).rateAgent(
            calls: calls, seconds: seconds, markup: MarkupPercent(hundredths: 10_000), creditValueMicroUSD: 10_000)
        #expect(amount.listMicroUSD == list)
        #expect(amount.chargeMicroUSD == 2 * list)
        #expect(amount.chargeMicroCredits == 200 * list)
        #expect(amount.markupMicroUSD == list)
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let prices = try Prices.read([Prices.model("m", input: "999999999.999999", output: "999999999.999999")])
        for counts in [
            TokenCounts(input: .max), TokenCounts(input: .max, output: .max), TokenCounts(output: -1),
            TokenCounts(input: .max, output: .max, cacheRead: .max, cacheWrite: .max, reasoning: .max),
        ] {
            #expect(throws: Refusal(.billingOverflow)) {
                try prices.rate(
                    counts, model: "m", markup: MarkupPercent(hundredths: 100_000), creditValueMicroUSD: 10_000,
                    at: Prices.now)
            }
        }
        #expect(throws: Refusal(.billingOverflow)) {
            try prices.rateAgent(calls: -1, seconds: 0, creditValueMicroUSD: 10_000)
        }
        #expect(throws: Refusal(.billingOverflow)) {
            try prices.rateAgent(calls: .max, seconds: .max, creditValueMicroUSD: 10_000)
        }
        #expect(throws: Refusal(.billingOverflow)) {
            try RatedAmount.microCredits(.max, creditValueMicroUSD: 10_000)
        }
        // The largest use there is fits.
        let most = TokenCounts.maximum
        let amount = try prices.rate(
            TokenCounts(input: most, output: most), model: "m", creditValueMicroUSD: 1_000_000, at: Prices.now)
        #expect(amount.chargeMicroUSD == 1_999_999_999_999_998_000)
    }

    @Test(
        arguments: [
            ("0", 0), ("20", 2000), ("12.5", 1250), ("12.55", 1255), ("1000", 100_000), ("0.01", 1),
            ("1000.00", 100_000),
            ("1000.01", nil), ("12.555", nil), ("-1", nil), ("", nil), (".5", nil), ("5.", nil), ("1e2", nil),
            ("x", nil),
        ] as [(String, Int64?)])
    func markupHasTwoDecimals(_ text: String, _ hundredths: Int64?) throws {
        #expect(MarkupPercent(json: .string(text))?.hundredths == hundredths)
        if let value = try? JSONParser.parse(text: text), hundredths != nil || value.intValue != nil {
            #expect(MarkupPercent(json: value)?.hundredths == hundredths, "as a number")
        }
        if let hundredths {
            let text = try #require(MarkupPercent(hundredths: hundredths)?.text)
            #expect(MarkupPercent(json: .string(text))?.hundredths == hundredths)
        }
    }

    @Test(
        arguments: [
            (0, 2, 0), (1, 2, 1), (1, 3, 0), (2, 3, 1), (3, 2, 2), (5, 10, 1), (4, 10, 0), (15, 10, 2), (14, 10, 1),
            (Int64.max, 1, Int64.max),
        ] as [(Int64, Int64, Int64)])
    func halvesGoUp(_ numerator: Int64, _ denominator: Int64, _ rounded: Int64) throws {
        #expect(try HalfUp.quotient(Int128(numerator), Int128(denominator)) == rounded)
    }

    @Test func roundingRefusesWhatHasNoPlace() {
        for (numerator, denominator) in [(Int128(Int64.max) + 1, Int128(1)), (-1, 1), (1, 0), (1, -1)] {
            #expect(throws: Refusal(.billingOverflow)) { try HalfUp.quotient(numerator, denominator) }
        }
        // One half above the largest number has no place, and does not trap.
        #expect(throws: Refusal(.billingOverflow)) { try HalfUp.quotient(Int128(Int64.max) * 2 + 1, 2) }
        #expect(throws: Refusal(.billingOverflow)) { try HalfUp.quotient(Int128.max, 1) }
    }

    @Test func partsOfAWholeAreTakenOut() throws {
        #expect(
            try TokenCounts(inputWithCache: 100, outputWithReasoning: 50, cacheRead: 30, cacheWrite: 20, reasoning: 50)
                == TokenCounts(input: 50, output: 0, cacheRead: 30, cacheWrite: 20, reasoning: 50))
        #expect(throws: Refusal(.usageInconsistentCounts, details: ["field": "input"])) {
            try TokenCounts(inputWithCache: 49, outputWithReasoning: 0, cacheRead: 30, cacheWrite: 20)
        }
        #expect(throws: Refusal(.usageInconsistentCounts, details: ["field": "output"])) {
            try TokenCounts(inputWithCache: 0, outputWithReasoning: 1, reasoning: 2)
        }
        #expect(!TokenCounts(input: 5).isAtLeast(TokenCounts(output: 1)))
        #expect(TokenCounts(input: 5, output: 1).isAtLeast(TokenCounts(output: 1)))
    }

    // MARK: Properties

    /// A reference in one step with a rational number: every figure is the exact value, rounded once.
    @Test func everyFigureIsRoundedOnceFromTheExactValue() throws {
        let random = SeededRandom(seed: 20_260_301)
        for _ in 0..<FuzzCases.count(2000) {
            let rates = (0..<5).map { _ in Int64(random.below(100_000_000)) }
            let counts = (0..<5).map { _ in Int64(random.below(random.below(2) == 0 ? 10 : 1_000_000_000)) }
            let markup = Int64(random.below(100_001))
            var model = try #require(Prices.model("m").objectValue)
            model["rates"] = .object(
                JSONObject(
                    zip(["input", "output", "cacheRead", "cacheWrite", "reasoning"], rates).map {
                        ($0, .string("\($1 / 1_000_000).\(String(1_000_000 + $1 % 1_000_000).dropFirst())"))
                    }))
            let amount = try Prices.read([.object(model)]).rate(
                TokenCounts(
                    input: counts[0], output: counts[1], cacheRead: counts[2], cacheWrite: counts[3],
                    reasoning: counts[4]),
                model: "m", markup: MarkupPercent(hundredths: markup), creditValueMicroUSD: 10_000, at: Prices.now)
            let exact = zip(rates, counts).reduce(Int128(0)) { $0 + Int128($1.0) * Int128($1.1) }
            // |2·(rounded·d − n)| ≤ d, and a half goes up.
            func isRounded(_ value: Int64, _ numerator: Int128, _ denominator: Int128) -> Bool {
                let twice = 2 * (Int128(value) * denominator - numerator)
                return twice > -denominator && twice <= denominator
            }
            #expect(isRounded(amount.listMicroUSD, exact, 1_000_000))
            #expect(isRounded(amount.chargeMicroUSD, exact * Int128(10_000 + markup), 10_000_000_000))
            #expect(amount.chargeMicroCredits == amount.chargeMicroUSD * 100)
        }
    }

    /// However a stream is cut, it costs what its total costs.
    @Test func theIncrementsOfAStreamAddUpToItsTotal() throws {
        let random = SeededRandom(seed: 99)
        let prices = try Prices.shipped()
        let markup = MarkupPercent(hundredths: 1733)
        for _ in 0..<FuzzCases.count(300) {
            let model = prices.models[random.below(prices.models.count)].model
            var total = TokenCounts()
            var charged: Int64 = 0
            for _ in 0..<(1 + random.below(30)) {
                total.input += Int64(random.below(5))
                total.output += Int64(random.below(5))
                total.reasoning += Int64(random.below(3))
                total.cacheRead += Int64(random.below(3))
                let now = try prices.rate(
                    total, model: model, markup: markup, creditValueMicroUSD: 10_000, at: Prices.now)
                #expect(now.chargeMicroUSD >= charged)
                charged += now.chargeMicroUSD - charged
            }
            let whole = try prices.rate(
                total, model: model, markup: markup, creditValueMicroUSD: 10_000, at: Prices.now)
            #expect(charged == whole.chargeMicroUSD)
        }
    }

    @Test func aBookGivesWhatWasPutInForce() throws {
        let book = PriceBook(try Prices.shipped())
        let other = try Prices.read([])
        book.replace(other)
        #expect(book.prices == other)
    }
}
