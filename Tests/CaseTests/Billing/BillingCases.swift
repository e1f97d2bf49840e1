// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// Runs every case of `Tests/Cases/billing*.json`.
@Suite struct BillingCases {
    /// How each kind of case is run. A kind that is not here fails.
    static let runners: [String: @Sendable (CaseRecord) async throws -> Void] = [
        "agent_rating": BillingKinds.agentRating,
        "cloudevents": BillingKinds.cloudEvents,
        "credits": BillingKinds.credits,
        "eligibility": BillingKinds.eligibility,
        "forecast": BillingKinds.forecast,
        "period_bounds": BillingKinds.periodBounds,
        "rate_limit": BillingKinds.rateLimit,
        "rating": BillingKinds.rating,
        "rating_stream": BillingKinds.ratingStream,
        "slots": BillingKinds.slots,
        "stripe_events": BillingKinds.stripeEvents,
        "stripe_parse": BillingKinds.stripeParse,
        "stripe_signature": BillingKinds.stripeSignature,
        "thresholds": BillingKinds.thresholds,
        "webhook_signature": BillingKinds.webhookSignature,
        "windows": BillingKinds.windows,
    ]

    @Test(arguments: CaseFile.all(area: "billing"))
    func holds(_ record: CaseRecord) async throws {
        let run = try #require(Self.runners[record.kind], "unknown kind \(record.kind) in \(record.id)")
        try await run(record)
    }

    @Test func thereAreCases() {
        #expect(CaseFile.all(area: "billing").count >= 74)
    }
}

/// One function a kind, each in a file of its own beside this one.
enum BillingKinds {
    /// A time of a case.
    static func time(_ value: JSONValue?) throws -> Timestamp {
        try #require(value?.stringValue.flatMap { Timestamp(rfc3339: $0) })
    }

    /// Compares the members that the case names, and no others.
    static func expect(_ found: JSONValue, has wanted: JSONValue, _ place: String) {
        for member in wanted.objectValue?.members ?? [] {
            #expect(found[member.name] == member.value, "\(place): \(member.name)")
        }
    }
}
