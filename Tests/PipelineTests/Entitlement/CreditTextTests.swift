// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Pipeline
internal import TestSupport
internal import Testing

@Suite struct CreditTextTests {
    @Test(
        arguments: [
            (0, "0"), (1, "0.000001"), (10, "0.00001"), (100_000, "0.1"), (1_000_000, "1"), (4_250_000, "4.25"),
            (-1_500_000, "-1.5"), (-1, "-0.000001"), (1_000_000_000_000, "1000000"),
            (Int64.max, "9223372036854.775807"),
            (Int64.min, "-9223372036854.775808"),
        ] as [(Int64, String)])
    func writesCreditsWithoutTrailingZeros(_ amount: Int64, _ text: String) {
        #expect(CreditText.credits(amount) == text)
    }

    @Test func losesNothing() throws {
        let random = SeededRandom(seed: 19)
        for _ in 0..<5000 {
            let amount = Int64(bitPattern: random.next()) >> Int64(random.below(60))
            let text = CreditText.credits(amount)
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            let fraction = parts.count == 2 ? String(parts[1]) : ""
            #expect(fraction.last != "0")
            let zeros = String(repeating: "0", count: 6 - fraction.count)
            let whole = try #require(Int64("\(parts[0])\(fraction)\(zeros)"))
            #expect(whole == amount, "\(text)")
        }
    }

    @Test func headersSayPlanAndWhatIsLeft() throws {
        let entitlement = Entitlement(account: "acme", key: "k", plan: "pro+é", remainingMicroCredits: 4_250_000)
        for principal in [Self.somebody, .anonymous] {
            let headers = IdentityHeaders(principal, entitlement: entitlement)
            #expect(headers.values.count == IdentityHeaders.names.count)
            #expect(headers.values.suffix(2) == ["pro+%C3%A9", "4.25"])
        }
        #expect(IdentityHeaders(Self.somebody).values.suffix(2) == ["", ""])
        let unasked = Entitlement(account: "acme", key: "k", plan: "pro")
        #expect(IdentityHeaders(Self.somebody, entitlement: unasked).values.suffix(2) == ["pro", ""])
    }

    private static let somebody = Principal(
        subject: "ci", identityType: .service, authSource: .serviceToken, scoped: true, tenantID: "acme")
}
