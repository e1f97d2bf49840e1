// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import ControllerRuntime
package import Essentials
package import Logging
package import Metrics
package import ResourceModel
internal import Synchronization

/// Looks after the own Deployment: every replica watches it, the leader acts.
package final class SelfManager: Sendable {
    /// What it is made of.
    package struct Parts: Sendable {
        package var api: any KubernetesAPI
        package var fence: any LeadershipFence
        /// Keeps what only the leader does within the time in which this replica leads.
        package var leading: LeaderWork
        package var settings: SelfSettings
        package var objects: OwnObjects
        package var events: EventRecorder
        package var audit: any AuditRecording
        package var metrics: any MetricsFactory
        package var clock: any WallClock
        package var logger: Logger
        /// Tells people; nil where they cannot be reached.
        package var notices: NoticeTeller?
        /// The metrics of a replica as text; nil when it does not give them.
        package var readMetrics: @Sendable (OwnPod) async -> String?

        package init(
            api: any KubernetesAPI, fence: any LeadershipFence, leading: LeaderWork, settings: SelfSettings,
            objects: OwnObjects, events: EventRecorder, audit: any AuditRecording, metrics: any MetricsFactory,
            clock: any WallClock, logger: Logger, notices: NoticeTeller? = nil,
            readMetrics: @escaping @Sendable (OwnPod) async -> String?
        ) {
            self.api = api
            self.fence = fence
            self.leading = leading
            self.settings = settings
            self.objects = objects
            self.events = events
            self.audit = audit
            self.metrics = metrics
            self.clock = clock
            self.logger = logger
            self.notices = notices
            self.readMetrics = readMetrics
        }
    }

    struct State {
        /// What the leader remembers; nil when it has to be read first.
        var memory: KeptMemory?
        var isSuspended = false
        var lastPass: Timestamp?
        var lastFault: String?
    }

    let parts: Parts
    let planner = HealthPlanner()
    let classifier: PodClassifier
    let keeper: DeploymentKeeper
    let scaler: Scaler
    let healer: PodHealer
    let autoscaler: Autoscaler?
    let metrics: SelfMetrics
    let state = Mutex(State())
    /// Acts happen one after another.
    let acting = SerialLock()
    let passes = SinglePass<SelfPassReport>()
    let checks = SinglePass<HealthReport>()
    private let wake = Signal()

    package init(_ parts: Parts) {
        self.parts = parts
        classifier = PodClassifier(parts.settings.rules)
        metrics = SelfMetrics(factory: parts.metrics)
        let api = FencedAPI(parts.api, fence: parts.fence)
        let groups = ClusterGroups(api: api)
        let journal = SelfJournal(audit: parts.audit, metrics: metrics, logger: parts.logger)
        keeper = DeploymentKeeper(
            api: api, objects: parts.objects, mode: parts.settings.mode, journal: journal)
        scaler = Scaler(
            api: api, scale: ScaleCall(api: api), autoscalers: AutoscalerLookup(api: api, groups: groups),
            journal: journal, objects: parts.objects)
        healer = PodHealer(
            api: api, evictor: PodEvictor(api: api, groups: groups), keeper: keeper, journal: journal,
            events: parts.events, objects: parts.objects)
        autoscaler = parts.settings.autoscale.map {
            Autoscaler($0, bounds: parts.settings.bounds, read: parts.readMetrics)
        }
        parts.objects.attention.listen { [wake] in wake.call() }
    }

    /// What is shown of the own objects.
    package var objects: OwnObjects { parts.objects }

    package var settings: SelfSettings { parts.settings }

    /// This replica leads from now on: what it remembers of another time is not true any more.
    package func beginLeading() {
        state.withLock { $0 = State() }
        autoscaler?.forget()
        wake.call()
    }

    /// Looks at every interval, which varies by a tenth, as soon as this replica leads, and when the Deployment vanishes; until it is
    /// cancelled.
    package func run(
        every interval: Duration, time: any MonotonicClock = SystemMonotonicClock(), random: any RandomSource
    ) async {
        while !Task.isCancelled {
            await tick()
            let pause = interval * (0.9 + 0.2 * random.fraction())
            _ = await time.limited(to: pause) { [wake] in await wake.wait() }
        }
    }

    /// Watches until it is cancelled.
    package func watch() async { await parts.objects.run() }

    /// What is done at every interval: every replica looks, the leader acts.
    package func tick() async {
        do throws(KubernetesError) {
            try await parts.objects.identify()
        } catch {
            parts.logger.debug("the own Deployment is not known", metadata: [LogKeys.error: "\(error)"])
        }
        parts.objects.observe()
        guard parts.fence.isLeading, parts.objects.info.deployment != nil else { return }
        if case .failure(let refusal) = await pass() {
            parts.logger.warning(
                "self-management",
                metadata: [LogKeys.code: "\(refusal.code.rawValue)", LogKeys.error: "\(refusal.message)"])
        }
    }

    /// Brings the gauges up to date.
    package func show() {
        metrics.show(replicas: parts.objects.deployment)
        var counts: [PodVerdict.Health: Int] = [:]
        for pod in judged() { counts[pod.verdict.health, default: 0] += 1 }
        metrics.show(pods: counts)
        metrics.suspended(isSuspended)
    }

    /// The pods as they are now.
    package func judged() -> [JudgedPod] {
        let now = parts.clock.now()
        return parts.objects.pods.map { pod in
            JudgedPod(
                name: pod.name,
                verdict: classifier.verdict(pod, history: parts.objects.history(of: pod), at: now),
                stalled: classifier.stalled(pod, at: now))
        }
    }

    /// Whether healing would have to act and may not.
    package var isSuspended: Bool {
        guard parts.settings.healing != .off, let deployment = parts.objects.deployment else { return false }
        return planned(judged(), deployment, memory(of: deployment)).plan.action == .suspended
    }

    /// When the last pass ended and what was wrong with it; only the leader has any.
    package var lastPass: (at: Timestamp?, fault: String?) {
        state.withLock { ($0.lastPass, $0.lastFault) }
    }

    /// The name of the HorizontalPodAutoscaler that decides; nil where none does.
    package func autoscalerName() async throws(Refusal) -> String? {
        guard let reference = parts.objects.info.deploymentReference else { return nil }
        return try await scaler.autoscaler(of: reference)
    }

    // MARK: - What the acts share

    /// The memory of the leader, or what the Deployment says of it.
    func memory(of deployment: OwnDeployment) -> HealingMemory {
        state.withLock(\.memory)?.memory
            ?? HealingMemory(
                reading: deployment.memory, at: parts.clock.now(), budget: planner.limits.evictions)
    }

    func planned(
        _ pods: [JudgedPod], _ deployment: OwnDeployment, _ memory: HealingMemory
    ) -> (plan: HealthPlan, memory: HealingMemory) {
        planner.plan(
            pods, isRollingOut: deployment.isRollingOut, ownPod: parts.objects.info.podName, memory: memory,
            at: parts.clock.now())
    }

    /// Runs what only the leader does; it is cancelled when this replica leads no more.
    ///
    /// - Throws: `k8s.no_leader`, and what the body throws.
    func leading<Value: Sendable>(
        _ body: @escaping @Sendable () async throws(Refusal) -> Value
    ) async throws(Refusal) -> Value {
        let outcome = Mutex<Result<Value, Refusal>?>(nil)
        _ = await parts.leading.run {
            do throws(Refusal) {
                let value = try await body()
                outcome.withLock { $0 = .success(value) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
            return .done
        }
        guard let outcome = outcome.withLock({ $0 }) else { throw Refusal(.k8sNoLeader, retryAfterSeconds: 2) }
        return try outcome.get()
    }
}
