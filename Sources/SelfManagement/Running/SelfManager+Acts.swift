// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ControllerRuntime
package import Essentials
internal import Healing
internal import Logging
internal import ResourceModel
internal import Synchronization

/// What one pass came to.
package struct SelfPassReport: Sendable, Hashable {
    package var deployment: EnsureReport
    /// Nil where there are no pods to look at.
    package var health: HealthReport?
    /// What the load made of the number of replicas.
    package var scaled: ScaleOutcome?
}

extension SelfManager {
    /// One pass over the own Deployment and its pods; who asks while one runs gets what that one comes to.
    package func pass() async -> Result<SelfPassReport, Refusal> {
        await passes.run { () async -> Result<SelfPassReport, Refusal> in
            let result: Result<SelfPassReport, Refusal>
            do throws(Refusal) {
                result = .success(try await leading { () async throws(Refusal) in try await self.wholePass() })
            } catch {
                result = .failure(error)
            }
            let now = parts.clock.now()
            state.withLock { state in
                state.lastPass = now
                switch result {
                case .success(let report): state.lastFault = report.health?.fault?.message
                case .failure(let refusal): state.lastFault = refusal.message
                }
            }
            return result
        }
    }

    private func wholePass() async throws(Refusal) -> SelfPassReport {
        let ensured = await ensure()
        // What went wrong with it is thrown in the end.
        var report = SelfPassReport(deployment: (try? ensured.get()) ?? EnsureReport(mode: parts.settings.mode))
        guard parts.objects.deployment != nil, parts.objects.isFilled else {
            _ = try ensured.get()
            return report
        }
        report.health = try await acting.withLock { () async throws(Refusal) in
            try await checkHealth(dryRun: parts.settings.healing == .dryRun)
        }
        report.scaled = try await acting.withLock { () async throws(Refusal) in try await autoscale() }
        _ = try ensured.get()
        return report
    }

    /// Brings the owned fields in order. A template that cannot be read closes nothing but itself: pods are looked after all the same.
    private func ensure() async -> Result<EnsureReport, Refusal> {
        do throws(Refusal) {
            return .success(
                try await acting.withLock { () async throws(Refusal) in
                    let report = try await keeper.ensure(remembered().memory)
                    if !report.foreign.isEmpty {
                        healer.tell(
                            .warning, "FieldConflict",
                            "others hold fields of the template: \(report.foreign.prefix(8).joined(separator: ", "))")
                    }
                    return report
                })
        } catch {
            healer.tell(.warning, "EnsureFailed", BoundedText.cut(error.message, bytes: 512))
            return .failure(error)
        }
    }

    /// A look at the own pods, and what is done about them.
    ///
    /// - Parameter dryRun: only says what would be done.
    /// - Throws: `k8s.no_deployment`, `k8s.no_leader`, `k8s.api_unavailable`.
    package func health(dryRun: Bool) async throws(Refusal) -> HealthReport {
        let look: @Sendable () async throws(Refusal) -> HealthReport = { () async throws(Refusal) in
            try await self.acting.withLock { () async throws(Refusal) in
                try await self.checkHealth(dryRun: dryRun || self.parts.settings.healing == .dryRun)
            }
        }
        parts.objects.observe()
        guard !dryRun else { return try await leading(look) }
        return try await checks.run { () async -> Result<HealthReport, Refusal> in
            do throws(Refusal) {
                return .success(try await leading(look))
            } catch {
                return .failure(error)
            }
        }.get()
    }

    /// Has so many replicas wanted.
    ///
    /// - Parameter actor: who asked.
    package func scale(to request: ScaleRequest, by actor: String) async throws(Refusal) -> ScaleOutcome {
        try request.check(parts.settings.bounds)
        return try await leading { () async throws(Refusal) in
            try await self.acting.withLock { () async throws(Refusal) in
                let outcome = try await self.scaler.scale(to: request, actor: actor, reason: "asked for")
                if outcome.changed { await self.rememberScaling() }
                return outcome
            }
        }
    }

    // MARK: - Within the turn

    /// What the leader remembers; read from the Deployment the first time.
    private func remembered() -> KeptMemory {
        guard let deployment = parts.objects.deployment else { return state.withLock(\.memory) ?? KeptMemory() }
        var kept = state.withLock(\.memory) ?? KeptMemory(memory: memory(of: deployment), text: deployment.memory)
        kept.take(deployment.memory, at: parts.clock.now())
        state.withLock { [kept] state in state.memory = kept }
        return kept
    }

    private func checkHealth(dryRun: Bool) async throws(Refusal) -> HealthReport {
        let objects = parts.objects
        guard objects.info.deployment != nil else {
            throw Refusal(.k8sNoDeployment, details: ["reason": .optional(objects.info.reason)])
        }
        guard objects.isFilled else {
            throw Refusal(.k8sAPIUnavailable, message: "The own pods are not known yet", retryAfterSeconds: 5)
        }
        guard let deployment = objects.deployment else {
            throw Refusal(.k8sNoDeployment, details: ["reason": "the own Deployment is gone"])
        }
        let now = parts.clock.now()
        let pods = objects.pods
        let judged = judged()
        let before = remembered()
        let (plan, next) = planned(judged, deployment, before.memory)
        var after = next
        let healing = parts.settings.healing
        var acted = PodHealer.Acted(memory: before)
        if !dryRun, healing == .on {
            if plan.action == .suspended, after.toldSuspended == nil, await told(judged, deployment) {
                after.toldSuspended = now
            }
            acted = await healer.carryOut(
                plan, pods: pods, verdicts: Dictionary(judged.map { ($0.name, $0.verdict) }, uniquingKeysWith: { $1 }),
                before: before, after: after, at: now)
            remember(acted, plan)
        }
        var report = HealthReport(
            checked: judged.count, healthy: judged.count { $0.verdict.health == .healthy }, unhealthy: [], plan: plan,
            evictionsLeft: planner.evictionsLeft(acted.memory.memory, at: now),
            nextRestart: planner.nextRestart(acted.memory.memory),
            isDryRun: dryRun, at: now, fault: acted.fault)
        report.unhealthy = judged.filter { $0.verdict.health == .unhealthy }.map { pod in
            HealthReport.Finding(
                pod: pod.name, reason: pod.verdict.reason, action: pod.verdict.action,
                result: acted.results[pod.name]
                    ?? Self.result(pod, plan, failed: acted.fault != nil, dryRun: dryRun, healing: healing))
        }
        return report
    }

    /// Tells people that healing is suspended, by every channel that there is.
    ///
    /// - Returns: whether they will hear of it; where not, the next look tries again.
    private func told(_ judged: [JudgedPod], _ deployment: OwnDeployment) async -> Bool {
        guard let notices = parts.notices else { return false }
        let pods = judged.filter { $0.verdict.health == .unhealthy }.prefix(10).map { pod in
            "\(pod.name): \(pod.verdict.reason.rawValue)"
        }
        let fault = await notices.tell(
            .selfSuspended,
            [
                "target": .string("Deployment/\(parts.objects.info.namespace)/\(deployment.name)"),
                "reason": .string(Self.suspended), "pods": .strings(pods),
            ], channels: HealingRule.Channel.allCases)
        return fault == nil
    }

    private static let suspended = "pods are unhealthy, and the budget of evictions or restarts is used up"

    private func remember(_ acted: PodHealer.Acted, _ plan: HealthPlan) {
        let isSuspended = plan.action == .suspended
        let wasSuspended = state.withLock { state in
            // What another wrote meanwhile is read at the next look.
            state.memory = acted.fault == nil ? acted.memory : nil
            defer { state.isSuspended = isSuspended }
            return state.isSuspended
        }
        guard isSuspended else { return }
        healer.tell(.warning, "HealingSuspended", Self.suspended)
        if !wasSuspended { parts.logger.warning("self-management is suspended: its budget is used up") }
    }

    private static func result(
        _ pod: JudgedPod, _ plan: HealthPlan, failed: Bool, dryRun: Bool, healing: SelfSettings.Healing
    ) -> String {
        if pod.verdict.action == .report { return "reported" }
        if dryRun { return "dry_run" }
        if healing == .off { return "disabled" }
        switch plan.action {
        case .suspended: return "suspended"
        case .rollingRestart: return failed ? "failed" : "restarting"
        case .none, .wait, .evict: return "waiting"
        }
    }

    private func autoscale() async throws(Refusal) -> ScaleOutcome? {
        guard let autoscaler, let deployment = parts.objects.deployment,
            let reference = parts.objects.info.deploymentReference
        else { return nil }
        let other = try await scaler.autoscaler(of: reference)
        let next = await autoscaler.look(
            deployment, pods: parts.objects.pods, isLeftAlone: other != nil, scaledAt: remembered().memory.scaledAt,
            clock: parts.clock)
        guard let next else { return nil }
        let request = ScaleRequest(replicas: next)
        try request.check(parts.settings.bounds)
        let outcome = try await scaler.scale(
            to: request, actor: SelfJournal.system,
            reason: next > deployment.replicas ? "the load rose" : "the load fell")
        autoscaler.changed(outcome, at: parts.clock.now())
        return outcome
    }

    /// Somebody asked for a number: the load does not change it for a while.
    private func rememberScaling() async {
        guard autoscaler != nil else { return }
        var kept = remembered()
        kept.memory.scaledAt = parts.clock.now()
        do throws(KubernetesError) {
            try await keeper.save(kept.memory, expecting: kept.text)
            state.withLock { [kept] state in state.memory = .written(kept.memory) }
        } catch {
            // This leader knows it all the same: it sees that the number is another.
            parts.logger.info("the time of a scaling is not kept", metadata: [LogKeys.error: "\(error)"])
            state.withLock { $0.memory = nil }
        }
    }
}
