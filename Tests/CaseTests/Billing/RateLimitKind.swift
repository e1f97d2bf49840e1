// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Metrics
internal import Pipeline
internal import TestSupport
internal import Testing

extension BillingKinds {
    /// Sends so many requests at each step: the status of each of them, and the headers of the last.
    @Sendable static func rateLimit(_ record: CaseRecord) async throws {
        let store = MemoryRequestLimitStore(maxKeys: 100, metricsFactory: NOOPMetricsHandler.instance)
        let rate = try #require(record.given["rate"])
        let limit = RequestLimit(
            key: .apiKey("case"),
            rate: RequestRate(
                minute: rate["minute"]?.intValue, hour: rate["hour"]?.intValue, day: rate["day"]?.intValue))
        for (index, step) in record.steps.enumerated() {
            let now = Timestamp(seconds: try #require(step["at"]?.intValue))
            let status = try #require(step["expect"]?["status"]?.intValue)
            var headers: [String: String] = [:]
            for _ in 0..<(try #require(step["count"]?.intValue)) {
                let answer = try await store.take([limit], at: now, timeLeft: .seconds(1))
                #expect((answer.isAdmitted ? 200 : 429) == status, "step \(index)")
                headers = [:]
                RateLimitReport(answer, now: now)?.eachHeader { headers[$0] = $1 }
                if let wait = answer.wait(from: now) { headers["Retry-After"] = String(wait) }
            }
            for member in step["expect"]?["headers"]?.objectValue?.members ?? [] {
                let wanted = member.value.intValue.map(String.init) ?? member.value.stringValue
                #expect(headers[member.name] == wanted, "step \(index): \(member.name)")
            }
            for name in step["expect"]?["absent"]?.arrayValue ?? [] {
                #expect(headers[try #require(name.stringValue)] == nil, "step \(index): \(name)")
            }
        }
    }
}
