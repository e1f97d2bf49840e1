// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import RuntimeState

/// Says what was needed and what was there.
enum EntitlementText {
    /// Of an entitlement: `tokens of gpt-4o on plan pro: 0.75 credits needed, 5 there`.
    static func granted(_ entitlement: Entitlement, _ request: EntitlementRequest) -> String {
        var text = "\(what(request)) on plan \(entitlement.plan)"
        guard let remaining = entitlement.remainingMicroCredits else { return text }
        let needed = entitlement.neededMicroCredits
        let there = remaining.addingReportingOverflow(needed)
        text += ": \(CreditText.credits(needed)) credits needed"
        if !there.overflow { text += ", \(CreditText.credits(there.partialValue)) there" }
        return text
    }

    /// Of a refusal, with the amounts that it names.
    static func refused(_ refusal: Refusal, _ request: EntitlementRequest) -> String {
        var text = "\(what(request)): \(refusal.message)"
        if let needed = refusal.details?["required_credits"]?.intValue,
            let there = refusal.details?["available_credits"]?.intValue
        {
            text += ": \(CreditText.credits(needed)) credits needed, \(CreditText.credits(there)) there"
        }
        return text
    }

    private static func what(_ request: EntitlementRequest) -> String {
        switch request.action {
        case .none: request.asksLedger ? "one request" : "what the plan includes"
        case .task: request.count == 1 ? "one task" : "\(request.count) tasks"
        case .tokens: "tokens of \(shown(request.model))"
        case .agentHire: "hiring agent \(shown(request.id))"
        case .slot: "a place for \(request.slot?.rawValue ?? "-") \(shown(request.id))"
        }
    }

    private static func shown(_ text: String?) -> String { text.map(PolicyExplanation.shown) ?? "-" }
}
