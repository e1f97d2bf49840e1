// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The status of an object as it is stored.
package enum StatusDocument {
    /// Puts conditions and members together. What has no value is left out: an API server has no place for it.
    ///
    /// - Parameter previous: the status as it was stored: transition times are kept while a state stays.
    package static func make(
        _ status: ObjectStatus, generation: Int64, previous: JSONValue?, now: Timestamp
    ) -> JSONValue {
        var object: JSONObject = [
            "observedGeneration": .int(generation),
            "conditions": status.conditions.json(generation: generation, previous: previous?["conditions"], now: now),
        ]
        for member in status.members.members { object[member.name] = withoutNulls(member.value) }
        return .object(object)
    }

    /// Whether two documents say the same, in whatever order their members stand.
    package static func agree(_ left: JSONValue?, _ right: JSONValue?) -> Bool {
        switch (left, right) {
        case (.object(let left)?, .object(let right)?):
            left.members.count == right.members.count
                && left.members.allSatisfy { member in
                    right[member.name].map { agree(member.value, $0) } ?? false
                }
        case (.array(let left)?, .array(let right)?):
            left.count == right.count && zip(left, right).allSatisfy { agree($0, $1) }
        default: left == right
        }
    }

    /// `Ready` as a status says it: its state and reason.
    package static func ready(_ status: JSONValue?) -> (state: String, reason: String, message: String)? {
        guard let condition = status?["conditions"]?.arrayValue?.first(where: { $0["type"] == "Ready" }) else {
            return nil
        }
        return (
            condition["status"]?.stringValue ?? "", condition["reason"]?.stringValue ?? "",
            condition["message"]?.stringValue ?? ""
        )
    }

    private static func withoutNulls(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .null: nil
        case .object(let object):
            .object(
                JSONObject(
                    object.members.compactMap { member in withoutNulls(member.value).map { (member.name, $0) } }))
        case .array(let elements): .array(elements.compactMap(withoutNulls))
        default: value
        }
    }
}
