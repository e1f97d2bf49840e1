// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The bounds of asking the cluster about tokens.
package struct TokenReviewSettings: Sendable {
    /// For one question.
    package var timeout: Duration
    /// How many answers are kept.
    package var cacheCapacity: Int

    /// The documented values: 2 s, 10 000 answers.
    package init(timeout: Duration = .seconds(2), cacheCapacity: Int = 10_000) {
        self.timeout = timeout
        self.cacheCapacity = cacheCapacity
    }
}
