// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Healing
internal import Synchronization

/// The rules in force. Whoever reads the file replaces them as a whole.
package final class RulesBook: Sendable {
    private struct State {
        var rules: HealingRules
        var problem: String?
    }

    private let state: Mutex<State>

    /// Begins with these rules.
    package init(_ rules: HealingRules = HealingRules()) { state = Mutex(State(rules: rules)) }

    /// What decides now.
    package var rules: HealingRules { state.withLock(\.rules) }

    /// Why the file as it is now is refused; nil while it is in force.
    package var problem: String? { state.withLock(\.problem) }

    /// Other rules are in force from now on.
    package func replace(_ rules: HealingRules) { state.withLock { $0 = State(rules: rules) } }

    /// The file is refused; the rules stay.
    package func refuse(_ problem: String) { state.withLock { $0.problem = problem } }
}
