// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What a million tokens of each class cost, in micro-US-dollars: exact, with six decimals of a dollar.
package struct TokenRates: Sendable, Hashable {
    package var input: Int64
    package var output: Int64
    package var cacheRead: Int64
    package var cacheWrite: Int64
    package var reasoning: Int64

    /// A class without a rate of its own is never free: cache classes cost what input costs, reasoning what output costs.
    package init(
        input: Int64, output: Int64, cacheRead: Int64? = nil, cacheWrite: Int64? = nil, reasoning: Int64? = nil
    ) {
        self.input = input
        self.output = output
        self.cacheRead = cacheRead ?? input
        self.cacheWrite = cacheWrite ?? input
        self.reasoning = reasoning ?? output
    }

    /// Tokens for which a rate is stated.
    static let tokensPerRate: Int128 = 1_000_000

    /// The exact price in millionths of a micro-US-dollar.
    ///
    /// - Throws: `billing.overflow` where it has no place in 128 bits, or a count is negative.
    func exact(_ counts: TokenCounts) throws(Refusal) -> Int128 {
        guard counts.input >= 0, counts.output >= 0, counts.cacheRead >= 0, counts.cacheWrite >= 0,
            counts.reasoning >= 0
        else { throw Refusal(.billingOverflow) }
        // A product of two numbers of 63 bits always fits; their sum need not.
        var sum = Int128(counts.input) * Int128(input)
        var overflows = false
        func add(_ count: Int64, _ rate: Int64) {
            let (next, overflow) = sum.addingReportingOverflow(Int128(count) * Int128(rate))
            sum = next
            overflows = overflows || overflow
        }
        add(counts.output, output)
        add(counts.cacheRead, cacheRead)
        add(counts.cacheWrite, cacheWrite)
        add(counts.reasoning, reasoning)
        guard !overflows else { throw Refusal(.billingOverflow) }
        return sum
    }
}
