// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The conditions of one object: one a type, each with the time at which its status last flipped.
package struct Conditions: Sendable, Hashable {
    /// Whether a condition holds.
    package enum State: String, Sendable {
        case `true` = "True"
        case `false` = "False"
        case unknown = "Unknown"
    }

    /// One condition as status shows it.
    package struct Condition: Sendable, Hashable {
        package var type: String
        package var state: State
        /// One word in CamelCase.
        package var reason: String
        /// For people; at most 1 KiB is kept.
        package var message: String
    }

    private(set) var all: [Condition] = []

    package init() {}

    /// Sets a condition, replacing one of the same type.
    package mutating func set(_ type: String, _ state: State, _ reason: String, _ message: String = "") {
        let kept = BoundedText.cut(message, bytes: 1024)
        let condition = Condition(type: type, state: state, reason: reason, message: kept)
        if let index = all.firstIndex(where: { $0.type == type }) {
            all[index] = condition
        } else {
            all.append(condition)
        }
    }

    /// The condition of that type.
    package subscript(type: String) -> Condition? { all.first { $0.type == type } }

    /// The list of `status.conditions`, sorted by type. A transition time of `previous` is kept while the state stays.
    ///
    /// - Parameter previous: `status.conditions` as it was stored.
    package func json(generation: Int64, previous: JSONValue?, now: Timestamp) -> JSONValue {
        let earlier = previous?.arrayValue ?? []
        return .array(
            all.sorted { $0.type < $1.type }.map { condition in
                let before = earlier.first { $0["type"]?.stringValue == condition.type }
                let same = before?["status"]?.stringValue == condition.state.rawValue
                let since = same ? before?["lastTransitionTime"]?.stringValue : nil
                return [
                    "type": .string(condition.type), "status": .string(condition.state.rawValue),
                    "reason": .string(condition.reason), "message": .string(condition.message),
                    "lastTransitionTime": .string(since ?? now.rfc3339), "observedGeneration": .int(generation),
                ]
            })
    }
}
