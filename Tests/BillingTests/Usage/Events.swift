// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Events of tests.
enum Events {
    static let now = Timestamp(seconds: 1_772_366_400)

    /// An event of tokens with one thing changed; null takes a member away.
    static func tokens(_ changes: JSONObject = [:], data: JSONValue? = nil) -> JSONObject {
        var event: JSONObject = [
            "specversion": "1.0", "id": "1", "source": "gw", "type": "dev.tollgate.usage.tokens", "subject": "acme",
            "data": data ?? ["model": "gpt-4o-mini", "input_tokens": 10],
        ]
        for change in changes.members { event[change.name] = change.value.isNull ? .none : .some(change.value) }
        return event
    }

    static func agent(_ data: JSONValue) -> JSONObject { tokens(["type": "dev.tollgate.usage.agent"], data: data) }

    static func task(_ data: JSONValue) -> JSONObject { tokens(["type": "dev.tollgate.usage.task"], data: data) }

    /// Checks events as the tenant acme, or as a platform principal.
    static func check(_ events: [JSONObject], asPlatform: Bool = false, at now: Timestamp = now) -> [UsageCandidate] {
        UsageIntake(account: asPlatform ? nil : "acme", now: now, dedupWindow: .seconds(32 * 86_400))
            .check(CloudEventBatch(events: events.map { CloudEvent(members: $0) }, isSingle: false))
    }

    /// What became of one event that was never seen before; everything is applied for nothing.
    static func outcome(_ event: JSONObject, asPlatform: Bool = false, at now: Timestamp = now) -> UsageResult.Outcome {
        UsageSorting.results(of: check([event], asPlatform: asPlatform, at: now)) { _, _ in
            nil
        } apply: { _ in
            .success(0)
        }[0].outcome
    }

    /// The event that is taken; nil where it is refused.
    static func taken(_ event: JSONObject, asPlatform: Bool = false) -> UsageEvent? {
        guard case .taken(_, .success(let event)) = check([event], asPlatform: asPlatform)[0].state else { return nil }
        return event
    }

    static func refusal(_ code: ErrorCode, _ field: String) -> Refusal {
        Refusal(code, message: "\(field): \(code.message)", details: ["field": .string(field)])
    }
}
