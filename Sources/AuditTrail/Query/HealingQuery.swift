// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What is asked of the healing events: the last matches, oldest first. Filters are ANDed.
package struct HealingQuery: Sendable, Hashable {
    /// 1–5000.
    package var count = 200
    /// Inclusive.
    package var since: Timestamp?
    /// One of `HealingView.kinds`; nothing else occurs.
    package var kind: String?
    package var filter = HealingFilter()

    /// The newest 200 events.
    package init() {}

    /// The actions of the entries that are looked through.
    var actions: [String] {
        guard let kind else { return HealingView.actions }
        return HealingView.kinds.contains(kind) ? [HealingView.actionPrefix + kind] : []
    }

    /// The filters that were given, as the entry about the query names them.
    package var metadata: JSONObject {
        var object: JSONObject = ["n": .int(Int64(count))]
        let texts = [
            ("since", since?.rfc3339Micros), ("kind", kind), ("alertname", filter.alertname),
            ("contains", filter.contains), ("q", filter.query?.text),
        ]
        for (name, text) in texts { if let text { object[name] = .string(text) } }
        return object
    }
}

/// What healing events are looked at for one by one.
package struct HealingFilter: Sendable, Hashable {
    /// Exact.
    package var alertname: String?
    /// Occurs somewhere in the event's JSON, whatever the case.
    package var contains: String? { didSet { lowered = contains.map(LoweredText.bytes) } }
    package var query: BooleanQuery?
    private var lowered: [UInt8]?

    /// Everything.
    package init() {}

    /// Whether an event in its flat form fits.
    package func matches(_ event: JSONObject) -> Bool {
        if let alertname, event["alertname"] != .string(alertname) { return false }
        if let query, !query.matches(event) { return false }
        guard let lowered else { return true }
        let text = String(decoding: HealingView.encoded(event), as: UTF8.self)
        return LoweredText.contains(LoweredText.bytes(text), lowered)
    }

    func matches(_ row: AuditRow) -> Bool { HealingView.event(of: row).map(matches) ?? false }
}
