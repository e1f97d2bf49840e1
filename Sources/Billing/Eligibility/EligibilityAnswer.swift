// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Whether something may be done, and the numbers behind it.
package struct EligibilityAnswer: Sendable, Hashable {
    /// What a number counts.
    package enum Unit: String, Sendable {
        case models, tokens, tasks, slots
        case microUSD = "micro_usd"
        case microCredits = "micro_credits"
    }

    /// Nil = allowed.
    package var code: ErrorCode?
    package var message: String?
    /// −1 = no limit.
    package var remaining: Int64?
    package var limit: Int64?
    package var unit: Unit?
    package var resetsAt: Timestamp?
    package var costMicroCredits: Int64?
    package var upgrade: PlanCatalogue.Upgrade?
    /// Where credits are missing, in micro-credits.
    package var requiredMicroCredits: Int64?
    package var availableMicroCredits: Int64?
    /// Name of the budget that is in the way.
    package var budget: String?

    package init(
        code: ErrorCode? = nil, message: String? = nil, remaining: Int64? = nil, limit: Int64? = nil,
        unit: Unit? = nil, resetsAt: Timestamp? = nil
    ) {
        self.code = code
        self.message = message
        self.remaining = remaining
        self.limit = limit
        self.unit = unit
        self.resetsAt = resetsAt
    }

    package var isAllowed: Bool { code == nil }

    /// The code as answers name it: without its area.
    package var reason: String? { code.map { String($0.rawValue.split(separator: ".", maxSplits: 1).last ?? "") } }

    /// `{allowed, reason, remaining, limit, unit, resets_at, cost_micro_credits?, upgrade}`
    package var json: JSONObject {
        var object: JSONObject = ["allowed": .bool(isAllowed)]
        if let reason {
            object["reason"] = ["code": .string(reason), "message": .string(message ?? code?.message ?? "")]
        } else {
            object["reason"] = .null
        }
        addNumbers(to: &object)
        return object
    }

    /// What an enforcing door answers; nil where it is allowed.
    package var refusal: Refusal? {
        guard let code else { return nil }
        var details: JSONObject = [:]
        addNumbers(to: &details)
        if let required = requiredMicroCredits, let available = availableMicroCredits {
            let missing = max(0, required - available)
            details["required_credits"] = .int(Self.credits(required, roundedUp: true))
            details["available_credits"] = .int(Self.credits(available, roundedUp: false))
            details["additional_needed"] = .int(Self.credits(missing, roundedUp: true))
            details["required_micro_credits"] = .int(required)
            details["available_micro_credits"] = .int(available)
            details["additional_needed_micro_credits"] = .int(missing)
        }
        if let budget { details["budget"] = .string(budget) }
        return Refusal(code, message: message, details: details)
    }

    private func addNumbers(to object: inout JSONObject) {
        object["remaining"] = remaining.map(JSONValue.int) ?? .null
        object["limit"] = limit.map(JSONValue.int) ?? .null
        object["unit"] = .optional(unit?.rawValue)
        object["resets_at"] = .optional(resetsAt?.rfc3339)
        if let costMicroCredits { object["cost_micro_credits"] = .int(costMicroCredits) }
        object["upgrade"] = upgrade?.json ?? .null
    }

    private static func credits(_ microCredits: Int64, roundedUp: Bool) -> Int64 {
        let whole = microCredits / 1_000_000
        return roundedUp && microCredits % 1_000_000 > 0 ? whole + 1 : whole
    }
}
