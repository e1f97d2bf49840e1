// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
package import Billing
internal import Essentials
package import Metrics
package import RuntimeState

/// The step of the pipeline that keeps callers to the number of requests that their plan and the host allow.
package struct RequestLimitStage: AdmissionStage {
    private let store: any RequestLimitStore
    private let refused: [String: Counter]

    /// - Parameter store: where requests are counted.
    package init(store: any RequestLimitStore, metricsFactory: any MetricsFactory) {
        self.store = store
        refused = Dictionary(
            uniqueKeysWithValues: ["key", "subject", "account", "auth_config"].map { kind in
                let counter = Counter(
                    label: "tollgate_rate_limited_total", dimensions: [("limit", kind)], factory: metricsFactory)
                counter.increment(by: 0)
                return (kind, counter)
            })
    }

    package var step: DecisionStep { .requestLimit }

    package func concerns(
        _ principal: Principal, config: CompiledAuthConfig, rule: RouteRule?, usage: StatedUsage?,
        accounts: AccountTable
    ) -> Bool {
        RequestLimitTable.mayLimit(principal, config: config, accounts: accounts)
    }

    package func admit(_ request: AdmissionRequest) async -> AdmissionOutcome {
        let limits = Self.limits(request)
        guard !limits.isEmpty else { return .admitted(detail: Self.unlimited, giveBack: nil) }
        let answer: RequestLimitAnswer
        do throws(Refusal) {
            answer = try await store.take(limits, at: request.now, timeLeft: request.timeLeft)
        } catch {
            return .refused(error, detail: "the store of request counts cannot be asked")
        }
        guard answer.isAdmitted else {
            if let told = answer.told { refused[limits[told.limitIndex].key.kind]?.increment() }
            return outcome(answer, limits, request)
        }
        return .admitted(detail: "every window has room", limits: RateLimitReport(answer, now: request.now)) {
            [store] in
            await store.giveBack(limits, answer)
        }
    }

    /// What `admit` would find now, taking nothing.
    package func preview(_ request: AdmissionRequest) async -> AdmissionOutcome? {
        let limits = Self.limits(request)
        guard !limits.isEmpty else { return .admitted(detail: Self.unlimited, giveBack: nil) }
        do throws(Refusal) {
            return outcome(
                try await store.look(limits, at: request.now, timeLeft: request.timeLeft), limits, request)
        } catch {
            return .refused(error, detail: "the store of request counts cannot be asked")
        }
    }

    private static let unlimited = "no request limit applies"

    private static func limits(_ request: AdmissionRequest) -> [RequestLimit] {
        RequestLimitTable.limits(
            request.principal, config: request.config, accounts: request.accounts, now: request.now)
    }

    /// An answer in words, without anything to give back.
    private func outcome(
        _ answer: RequestLimitAnswer, _ limits: [RequestLimit], _ request: AdmissionRequest
    ) -> AdmissionOutcome {
        let detail = answer.windows.map { window in
            let kind = limits[window.limitIndex].key.kind
            return "\(kind) \(window.window.rawValue): \(window.remaining) of \(window.limit) left"
        }.joined(separator: ", ")
        let report = RateLimitReport(answer, now: request.now)
        guard let wait = answer.wait(from: request.now) else {
            return .admitted(detail: detail, limits: report, giveBack: nil)
        }
        return .refused(Refusal(.rateLimited, retryAfterSeconds: wait), detail: detail, limits: report)
    }
}
