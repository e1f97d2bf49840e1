// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Why a call to Stripe came to nothing. Stripe's own texts can hold what was sent, so only its codes are kept.
struct StripeFailure: Error, Sendable, Hashable {
    /// The value of the metric's label.
    enum Result: String, Sendable, CaseIterable {
        case ok
        case notConfigured = "not_configured"
        case card
        case refused
        case unavailable
        case breakerOpen = "breaker_open"
        case cancelled
    }

    let result: Result
    /// For logs.
    let summary: String
    /// `error.code`, else `error.type`, where they are plain words.
    let stripeCode: String?
    let status: Int?

    static let unreadable = StripeFailure(result: .refused, summary: "the answer is no JSON")
    static let breakerOpen = StripeFailure(result: .breakerOpen, summary: "it did not answer and is left alone")
    static let cancelled = StripeFailure(result: .cancelled, summary: "given up by the caller")

    private init(result: Result, summary: String, stripeCode: String? = nil, status: Int? = nil) {
        self.result = result
        self.summary = summary
        self.stripeCode = stripeCode
        self.status = status
    }

    init(_ fault: StripeTransport.Fault) {
        switch fault {
        case .unreachable(let reason): self.init(result: .unavailable, summary: reason)
        case .tooLarge: self.init(result: .refused, summary: "the answer is too large")
        case .cancelled: self = .cancelled
        }
    }

    init(status: Int, body: JSONValue?) {
        let error = body?["error"]
        let type = Self.word(error?["type"])
        let code = Self.word(error?["code"])
        let isCard = status == 402 || type == "card_error"
        let decline = isCard ? Self.word(error?["decline_code"]) : nil
        let result: Result = isCard ? .card : status == 429 || status >= 500 ? .unavailable : .refused
        self.init(
            result: result, summary: "it answered \(status)", stripeCode: code ?? decline ?? type, status: status)
    }

    /// What the caller gets.
    var refusal: Refusal {
        var details = JSONObject()
        details["stripe_code"] = stripeCode.map(JSONValue.string)
        details["reason"] = .string(result.rawValue)
        switch result {
        case .card: return Refusal(.stripeCardError, details: details)
        case .notConfigured: return Refusal(.billingNotConfigured)
        case .ok, .refused, .unavailable, .breakerOpen, .cancelled:
            return Refusal(.stripeUpstreamError, details: details)
        }
    }

    private static func word(_ value: JSONValue?) -> String? {
        guard let text = value?.stringValue, (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F })
        else { return nil }
        return text
    }
}
