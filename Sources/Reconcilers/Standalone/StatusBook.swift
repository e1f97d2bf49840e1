// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import ResourceModel

/// The status of every object while there is no API server that keeps it: what was stored, what is new, and what has to be written.
struct StatusBook {
    private(set) var statuses: [ObjectKey: JSONValue]
    private var changes: [ObjectKey: JSONValue?] = [:]

    init(stored: [ObjectKey: JSONValue] = [:]) { statuses = stored }

    /// Puts a status in; nothing is noted when nothing differs.
    ///
    /// - Returns: whether `Ready` changed.
    mutating func set(_ status: ObjectStatus, of key: ObjectKey, generation: Int64, now: Timestamp) -> Bool {
        let before = statuses[key]
        let after = StatusDocument.make(status, generation: generation, previous: before, now: now)
        guard after != before else { return false }
        statuses[key] = after
        changes[key] = after
        return Self.ready(before) != Self.ready(after)
    }

    /// Forgets objects that are gone.
    mutating func keep(only keys: Set<ObjectKey>) {
        for key in statuses.keys where !keys.contains(key) {
            statuses[key] = nil
            changes[key] = .some(nil)
        }
    }

    /// What has to be written, and nothing has to be any more.
    mutating func takeChanges() -> [ObjectKey: JSONValue?] {
        defer { changes = [:] }
        return changes
    }

    /// Puts changes back that could not be written, unless newer ones came.
    mutating func restore(_ lost: [ObjectKey: JSONValue?]) { changes.merge(lost) { newer, _ in newer } }

    private static func ready(_ status: JSONValue?) -> JSONValue? {
        status?["conditions"]?.arrayValue?.first { $0["type"] == "Ready" }?["status"]
    }
}
