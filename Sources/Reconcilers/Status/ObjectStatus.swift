// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
package import Essentials

/// One entry of `spec.hosts` and what became of it.
package struct HostPlace: Sendable {
    package enum State: String, Sendable {
        case linked, conflicted, notAllowed, invalid
    }
    /// As it was written, normalised where it could be.
    package var text: String
    package var state: State
    /// `namespace/name` of the AuthConfig that has the host.
    package var heldBy: String?

    package init(text: String, state: State) {
        self.text = text
        self.state = state
    }
}

/// The status of an object while it is worked out: conditions and the members of its kind.
package struct ObjectStatus: Sendable, Hashable {
    package var conditions: Conditions
    /// Members of `status` beside conditions and observedGeneration.
    package var members: JSONObject

    package init(conditions: Conditions, members: JSONObject = JSONObject()) {
        self.conditions = conditions
        self.members = members
    }

    /// Fills in what host selection decided.
    mutating func finish(places: [HostPlace], conflicts: [HostTable.Conflict]) {
        var places = places
        for index in places.indices {
            guard let conflict = conflicts.first(where: { $0.host == places[index].text }) else { continue }
            places[index].state = .conflicted
            places[index].heldBy = conflict.winner
        }
        if !conflicts.isEmpty {
            conditions.set(
                "Conflicted", .true, "HostTaken",
                conflicts.map { "\($0.host) is held by \($0.winner)" }.joined(separator: "; "))
        }
        members["hosts"] = .array(
            places.map {
                ["host": .string($0.text), "state": .string($0.state.rawValue), "heldBy": .optional($0.heldBy)]
            })
        members["linked"] = .string("\(places.filter { $0.state == .linked }.count)/\(places.count)")
        if places.contains(where: { $0.state == .invalid }), conditions["Invalid"]?.state != .true {
            conditions.set("Invalid", .true, "InvalidHost", "spec.hosts holds entries that are no host names")
        }
    }

    /// Sets `Ready` from the other conditions, unless a reason for not being ready is there already.
    package mutating func sumUp() {
        guard conditions["Ready"] == nil else { return }
        let bad = conditions.all.first { Self.isBad($0) }
        if let bad {
            conditions.set("Ready", .false, bad.reason, bad.message)
        } else {
            conditions.set("Ready", .true, "InForce", "in force")
        }
    }

    private static func isBad(_ condition: Conditions.Condition) -> Bool {
        switch condition.type {
        case "Invalid", "Conflicted", "HostNotAllowed", "OverLimit", "Unenforced", "Expired", "Revoked":
            condition.state == .true
        default: condition.state != .true
        }
    }
}
