// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Billing
internal import Essentials
internal import HTTPService
internal import Metrics
internal import Pipeline
internal import TestSupport
internal import Testing

extension IdentityKinds {
    /// Requests of one key under the rate of its plan.
    @Sendable static func requestLimit(_ record: CaseRecord) async throws {
        let given = try #require(record.given["rate"])
        let rate = RequestRate(
            minute: given["minute"]?.intValue, hour: given["hour"]?.intValue, day: given["day"]?.intValue)
        let store = MemoryRequestLimitStore(maxKeys: 100, metricsFactory: NOOPMetricsHandler.instance)
        let limits = [RequestLimit(key: .apiKey("k"), rate: rate)]
        let start = Timestamp(seconds: 1_772_366_400)
        for step in record.steps {
            let now = start.adding(seconds: step["at"]?.intValue ?? 0)
            var last: RequestLimitAnswer?
            for _ in 0..<(step["times"]?.intValue ?? 1) {
                last = try await store.take(limits, at: now, timeLeft: .seconds(1))
            }
            let answer = try #require(last)
            let expect = try #require(step["expect"])
            let report = RateLimitReport(answer, now: now)
            let told: ForwardAuthAnswer
            if let wait = answer.wait(from: now) {
                let refusal = Refusal(.rateLimited, retryAfterSeconds: wait)
                Identity.expect(refusal, expect)
                told = .refused(door: .traefik, outcome: .init(refusal), limits: report, requestID: "r")
            } else {
                #expect(expect["status"]?.intValue == 200)
                told = .allowed(
                    door: .traefik, principal: .anonymous, credentialHeader: nil, forwardsCredential: false,
                    limits: report, requestID: "r")
            }
            for member in expect["headers"]?.objectValue?.members ?? [] {
                let sent = told.headers.filter { $0.name.lowercased() == member.name.lowercased() }
                #expect(sent.map(\.value) == [member.value.stringValue], "\(member.name)")
            }
        }
    }
}
