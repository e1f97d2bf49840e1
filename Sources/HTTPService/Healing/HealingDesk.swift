// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Healing

/// Who takes alerts and the word of people about them. Protocol of the doors; the composition root joins it with the healer.
package protocol HealingDesk: Sendable {
    /// Takes a webhook call.
    ///
    /// - Throws: `k8s.no_leader`.
    func receive(_ payload: AlertPayload, requestID: String?) async throws(Refusal) -> [AlertResult]

    /// Lets live actions happen again.
    ///
    /// - Returns: whether they were halted.
    /// - Throws: `k8s.no_leader`, `healing.books_unavailable`.
    func resume() async throws(Refusal) -> Bool

    /// Counts an event that a door emits.
    func emitted(_ kind: HealingEvent.Kind)

    /// What `GET /` answers.
    func status() -> JSONObject
}
