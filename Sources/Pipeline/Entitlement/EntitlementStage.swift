// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
package import Billing
internal import Essentials
package import Metrics
package import RuntimeState

/// The step of the pipeline that asks whether the account can pay, and takes what the request costs.
///
/// What the plan must include is decided from the snapshot; the ledger is asked only where something is reserved, counted or charged.
package struct EntitlementStage: AdmissionStage {
    private let service: (any EntitlementService)?
    private let upgradeURL: String
    private let metrics: EntitlementMetrics

    /// - Parameters:
    ///   - service: the ledger; nil where there is none: then everything that costs is refused with `billing.unavailable`.
    ///   - upgradeURL: `TOLLGATE_BILLING_UPGRADE_URL`.
    package init(service: (any EntitlementService)?, upgradeURL: String, metricsFactory: any MetricsFactory) {
        self.service = service
        self.upgradeURL = upgradeURL
        metrics = EntitlementMetrics(factory: metricsFactory)
    }

    package var step: DecisionStep { .entitlement }

    package func concerns(
        _ principal: Principal, config: CompiledAuthConfig, rule: RouteRule?, usage: StatedUsage?,
        accounts: AccountTable
    ) -> Bool {
        usage != nil || config.metering(for: rule) != nil
    }

    package func admit(_ request: AdmissionRequest) async -> AdmissionOutcome {
        guard let question = question(request, isPreview: false) else {
            return .admitted(detail: "nothing is metered here", giveBack: nil)
        }
        switch question {
        case .refused(let refusal, let asked): return refused(refusal, asked)
        case .included(let entitlement, let asked):
            metrics.decided(asked.action, nil)
            return .admitted(
                detail: EntitlementText.granted(entitlement, asked), granted: GrantedEntitlement(entitlement),
                giveBack: nil)
        case .ledger(let service, let asked):
            switch await service.decide(asked) {
            case .failure(let refusal): return refused(refusal, asked)
            case .success(let entitlement):
                metrics.decided(asked.action, nil)
                var giveBack: (@Sendable () async -> Void)?
                if entitlement.tookSomething { giveBack = { await service.giveBack(entitlement) } }
                return .admitted(
                    detail: EntitlementText.granted(entitlement, asked), granted: GrantedEntitlement(entitlement),
                    giveBack: giveBack)
            }
        }
    }

    /// What `admit` would find now; nil where nothing is metered.
    package func preview(_ request: AdmissionRequest) async -> AdmissionOutcome? {
        switch question(request, isPreview: true) {
        case nil: return nil
        case .refused(let refusal, let asked)?:
            return .refused(refusal, detail: EntitlementText.refused(refusal, asked))
        case .included(let entitlement, let asked)?:
            return .admitted(detail: EntitlementText.granted(entitlement, asked), giveBack: nil)
        case .ledger(let service, let asked)?:
            switch await service.preview(asked) {
            case .failure(let refusal):
                return .refused(refusal, detail: EntitlementText.refused(refusal, asked))
            case .success(let entitlement):
                return .admitted(detail: EntitlementText.granted(entitlement, asked), giveBack: nil)
            }
        }
    }

    /// How far the snapshot alone gets.
    private enum Question {
        case refused(Refusal, EntitlementRequest)
        /// The plan includes what is required, and nothing costs.
        case included(Entitlement, EntitlementRequest)
        case ledger(any EntitlementService, EntitlementRequest)
    }

    private func question(_ request: AdmissionRequest, isPreview: Bool) -> Question? {
        let metering = request.config.metering(for: request.match?.rule)
        guard metering != nil || request.usage != nil else { return nil }
        let principal = request.principal
        let account = request.usage?.account ?? principal.accountID ?? principal.tenantID
        var asked = EntitlementRequest(account: account ?? "", metering: metering, request: request, key: "")
        guard let account else {
            return .refused(PlanCheck.refused(.billingAccountNotFound, upgrade: nil), asked)
        }
        let state = request.accounts.state(of: account, at: request.now)
        let check = PlanCheck(
            accounts: request.accounts, requirements: asked.requirements, upgradeURL: upgradeURL)
        if let refusal = check.refusal(state) { return .refused(refusal, asked) }
        // Where accounts are not made by themselves, only the ledger knows whether there is this one.
        guard asked.asksLedger || service?.makesAccounts == false else {
            return .included(Entitlement(account: account, key: "", plan: state.plan), asked)
        }
        guard let service else { return .refused(Refusal(.billingUnavailable), asked) }
        // Never the request's own id: through a proxy that passes it on, a client could give all its requests the same.
        if !isPreview { asked.key = request.meteringKey ?? "decision:\(UUIDv7.make(at: request.now))" }
        return .ledger(service, asked)
    }

    private func refused(_ refusal: Refusal, _ asked: EntitlementRequest) -> AdmissionOutcome {
        metrics.decided(asked.action, refusal)
        return .refused(refusal, detail: EntitlementText.refused(refusal, asked))
    }
}
