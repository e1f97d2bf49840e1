// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Tokens of one use, in five classes that have nothing in common with each other: what is read from a cache is not also input, and what was
/// thought is not also output.
package struct TokenCounts: Sendable, Hashable {
    package var input: Int64
    package var output: Int64
    package var cacheRead: Int64
    package var cacheWrite: Int64
    package var reasoning: Int64

    package init(
        input: Int64 = 0, output: Int64 = 0, cacheRead: Int64 = 0, cacheWrite: Int64 = 0, reasoning: Int64 = 0
    ) {
        self.input = input
        self.output = output
        self.cacheRead = cacheRead
        self.cacheWrite = cacheWrite
        self.reasoning = reasoning
    }

    /// Takes the counts of a provider that counts cached tokens inside of its input and reasoning inside of its output.
    ///
    /// - Throws: `usage.inconsistent_counts` where a part is larger than what it is a part of.
    package init(
        inputWithCache: Int64, outputWithReasoning: Int64, cacheRead: Int64 = 0, cacheWrite: Int64 = 0,
        reasoning: Int64 = 0
    ) throws(Refusal) {
        let input = Int128(inputWithCache) - Int128(cacheRead) - Int128(cacheWrite)
        let output = Int128(outputWithReasoning) - Int128(reasoning)
        guard input >= 0, output >= 0, let input = Int64(exactly: input), let output = Int64(exactly: output) else {
            throw Refusal(
                .usageInconsistentCounts, details: ["field": .string(input < 0 ? "input" : "output")])
        }
        self.init(input: input, output: output, cacheRead: cacheRead, cacheWrite: cacheWrite, reasoning: reasoning)
    }

    /// Largest count of one class in one use.
    package static let maximum: Int64 = 1_000_000_000

    /// Every class together; saturates.
    package var total: Int64 {
        input.addingSaturated(output).addingSaturated(cacheRead).addingSaturated(cacheWrite)
            .addingSaturated(reasoning)
    }

    /// Whether no class of these counts is below that of others: a running total never falls.
    package func isAtLeast(_ other: TokenCounts) -> Bool {
        input >= other.input && output >= other.output && cacheRead >= other.cacheRead
            && cacheWrite >= other.cacheWrite && reasoning >= other.reasoning
    }
}
