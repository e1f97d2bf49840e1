// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Healing

/// Does what rules ask for, one step at a time; whoever calls keeps the order, the limits and the records.
///
/// What a step needs to know of the steps before travels as the action's baseline, which outlives the process.
package protocol ActionExecutor: Sendable {
    /// Reads what the target is like before anything is done. Writes nothing.
    func prepare(_ plan: PlannedAction) async throws(ActionFault) -> JSONObject

    /// Sends the action: one write.
    ///
    /// - Returns: the baseline with what the answer told.
    func apply(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONObject

    /// Whether an action whose answer is not known was carried out: the baseline as `apply` would have given it, nil when it was not.
    func recover(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONObject?

    /// Looks whether it has taken effect.
    ///
    /// - Returns: what the target is like then; nil when it has not yet.
    func check(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONValue?
}

/// Why an action could not be done.
package struct ActionFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// For people.
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}

/// Stands where there is no cluster: decisions and notices work, everything else fails.
package struct NoClusterExecutor: ActionExecutor {
    private static let fault = ActionFault("no cluster: this Tollgate runs without one, it can only notify")

    package init() {}

    package func prepare(_ plan: PlannedAction) async throws(ActionFault) -> JSONObject { throw Self.fault }

    package func apply(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONObject {
        throw Self.fault
    }

    package func recover(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONObject? {
        throw Self.fault
    }

    package func check(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONValue? {
        throw Self.fault
    }
}
