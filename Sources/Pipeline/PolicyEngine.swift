// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization

/// A policy engine outside of the process, asked instead of the evaluator in it.
package protocol PolicyEngine: Sendable {
    /// Asks, and waits no longer than `timeLeft`. Whatever goes wrong is `unavailable`.
    ///
    /// - Parameter expiresIn: how long the credential is still good; an answer is kept no longer. Nil = it does not end.
    func answer(_ question: PolicyQuestion, timeLeft: Duration, expiresIn: Duration?) async -> EngineAnswer
}
