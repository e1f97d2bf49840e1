// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Healing

/// Opens an incident at PagerDuty when an action fails, and resolves it at the next success. A suspension of self-healing is an incident of its own
/// each time.
///
/// Source: https://developer.pagerduty.com/docs/events-api-v2-overview
package struct PagerDutySender: NoticeSending {
    /// Where events go.
    package static let address = "https://events.pagerduty.com/v2/enqueue"
    private let routingKey: Redacted<String>
    private let poster: OutboundPoster
    private let url: String

    /// - Parameter url: another address than PagerDuty's own, for tests.
    package init(routingKey: Redacted<String>, poster: OutboundPoster, url: String = Self.address) {
        self.routingKey = routingKey
        self.poster = poster
        self.url = url
    }

    package func send(_ notice: HealingNotice) async throws(NoticeError) {
        let body = JSONValue.object(event(notice)).encoded()
        let answer: OutboundPoster.Answer
        do {
            answer = try await poster.post(body, to: Redacted(url))
        } catch {
            throw NoticeError("PagerDuty: \(error.message)")
        }
        if let refusal = answer.refusal(by: "PagerDuty") { throw refusal }
    }

    private func event(_ notice: HealingNotice) -> JSONObject {
        let name = notice.alertName ?? "Tollgate"
        var event: JSONObject = [
            "routing_key": .string(routingKey.revealed), "event_action": "resolve",
            "dedup_key": .string(BoundedText.cut(Self.key(notice, name), bytes: 255)),
        ]
        guard notice.kind != .succeeded, notice.kind != .resumed else { return event }
        let summary =
            switch notice.kind {
            case .failed: "\(name): \(notice.event["cmd"]?.stringValue ?? "action") failed"
            case .halted: "healing is halted: \(notice.event["reason"]?.stringValue ?? "")"
            case .budgetExhausted: "\(name): the budget of healing actions is exhausted"
            case .selfSuspended: "self-healing is suspended: \(notice.event["reason"]?.stringValue ?? "")"
            case .succeeded, .resumed, .told: name
            }
        event["event_action"] = "trigger"
        event["payload"] = [
            "summary": .string(BoundedText.cut(summary, bytes: 1024)), "source": "tollgate",
            "severity": notice.kind == .told ? "info" : "error", "timestamp": .string(notice.at.rfc3339),
            "component": .optional(notice.target), "custom_details": .object(notice.event),
        ]
        return event
    }

    /// By which PagerDuty knows what belongs together.
    private static func key(_ notice: HealingNotice, _ name: String) -> String {
        switch notice.kind {
        case .halted, .resumed: "tollgate healing halted"
        // Nothing resolves it: the next one must not be taken for a part of it.
        case .selfSuspended: "tollgate self-healing suspended \(notice.at.rfc3339)"
        default: [name, notice.target].compactMap(\.self).joined(separator: " ")
        }
    }
}
