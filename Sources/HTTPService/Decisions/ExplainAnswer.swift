// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Pipeline

/// Writes the member `explain` of a decision.
enum ExplainAnswer {
    /// What the same decision would be at doors that change the status.
    private static let doors: [Door] = [.nginx, .traefik, .envoy]

    /// Appends the member, with a comma before it.
    static func write(_ decision: Decision, to json: inout JSONWriter) {
        json.raw(#","explain":{"matched":"#)
        json.object(matched(decision))
        json.raw(#","canonical_path":"#)
        json.string(decision.canonicalPath)
        json.raw(#","steps":["#)
        for (index, step) in decision.steps.enumerated() {
            if index > 0 { json.raw(",") }
            json.object([
                "step": .string(step.name), "outcome": .string(step.outcome.rawValue),
                "code": .optional(step.code?.rawValue), "detail": .string(step.detail),
                "remedy": .optional(step.remedy), "duration_us": .int(step.microseconds),
            ])
        }
        json.raw(#"],"would_be":"#)
        json.object(
            JSONObject(
                doors.map { ($0.rawValue, .int(Int64(ForwardAuthAnswer.status(decision.status, door: $0)))) }))
        json.raw("}")
    }

    private static func matched(_ decision: Decision) -> JSONObject {
        func shown(_ text: String?) -> JSONValue {
            decision.blanks.host ? .string(ExplainAudience.blank) : .optional(text)
        }
        return [
            "auth_config": shown(decision.authConfig), "host_rule": shown(decision.hostRule),
            "route": shown(decision.route), "permission": shown(decision.policy?.permission),
        ]
    }
}
