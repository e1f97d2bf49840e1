// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Authentication
internal import Authorization
package import Essentials
package import Logging
package import Metrics
package import RuntimeState
internal import Synchronization

/// The one pipeline behind every door: normalise → select → failure limit → authenticate → authorise → admission stages → audit.
///
/// It takes one snapshot at the start of a decision and does no network I/O beside that of its policy engine and stages. Nothing that it
/// is given makes it throw.
package final class RequestPipeline: RequestDeciding {
    let snapshots: SnapshotStore
    let authenticator: Authenticator
    let sessions: SessionKeeper?
    let clock: any WallClock
    private let stages: [any AdmissionStage]
    private let observers: [any DecisionObserving]
    let engine: (any PolicyEngine)?
    let settings: PipelineSettings
    private let metrics: PipelineMetrics
    let recorder: DecisionRecorder
    private let underWay = Atomic<Int>(0)
    /// One decision in this many has its steps timed: the clock would cost more than most steps.
    private static let timedOneIn: UInt64 = 64
    private let started = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - sessions: finds sessions by their cookies; nil = cookies are no credential.
    ///   - engine: asked what the evaluator in the process would be asked; nil = the evaluator decides.
    package init(
        snapshots: SnapshotStore, authenticator: Authenticator, sessions: SessionKeeper? = nil,
        audit: any AuditRecording,
        stages: [any AdmissionStage] = [], observers: [any DecisionObserving] = [],
        engine: (any PolicyEngine)? = nil, settings: PipelineSettings, clock: any WallClock, logger: Logger,
        metricsFactory: any MetricsFactory
    ) {
        self.snapshots = snapshots
        self.authenticator = authenticator
        self.sessions = sessions
        self.stages = stages
        self.observers = observers
        self.engine = engine
        self.settings = settings
        self.clock = clock
        metrics = PipelineMetrics(factory: metricsFactory)
        recorder = DecisionRecorder(audit: audit, logger: logger)
    }

    package func decide(_ input: DecisionInput) async -> Decision {
        await decide(input, snapshot: snapshots.current())
    }

    package func decide(_ inputs: [DecisionInput]) async -> [Decision] {
        let snapshot = snapshots.current()
        var decisions: [Decision] = []
        decisions.reserveCapacity(inputs.count)
        for input in inputs { decisions.append(await decide(input, snapshot: snapshot)) }
        return decisions
    }

    private func decide(_ input: DecisionInput, snapshot: RuntimeSnapshot?) async -> Decision {
        let watch = Stopwatch()
        let depth = underWay.add(1, ordering: .relaxed).newValue
        defer { underWay.subtract(1, ordering: .relaxed) }
        guard depth <= settings.maxInFlight else {
            var decision = Decision(snapshotGeneration: snapshot?.generation ?? 0, requestID: input.requestID)
            decision.refusal = Refusal(.decisionOverloaded, retryAfterSeconds: 1)
            metrics.decided(
                door: input.door, refusal: decision.refusal, hasConfig: false, nanoseconds: watch.nanoseconds)
            return decision
        }
        let timed = started.add(1, ordering: .relaxed).oldValue % Self.timedOneIn == 0
        var run = DecisionRun(
            input: input, snapshot: snapshot, now: clock.now(),
            tracer: StepTracer(explains: input.explain, metrics: timed ? metrics : nil))
        // Kept apart, so that what only an engine needs is not carried through every decision.
        if let engine {
            await judge(&run, by: engine, watch: watch)
        } else if let question = run.judge(authenticator: authenticator), let policy = snapshot?.policy {
            run.conclude(policy.decide(question))
        }
        if let pending = run.pendingReview { await judge(&run, after: pending, watch: watch) }
        let taken = await runStages(&run, watch: watch)
        if case .policyPathInvalid? = run.decision.refusal?.code {
            metrics.rejectedPath(reason: run.decision.refusal?.details?["reason"]?.stringValue ?? "")
        }
        await recorder.record(&run, nanoseconds: watch.nanoseconds)
        if run.decision.isRefused {
            for giveBack in taken.reversed() { await giveBack() }
            run.decision.granted = nil
        } else {
            run.decision.taken = taken
        }
        let nanoseconds = watch.nanoseconds
        metrics.decided(
            door: input.door, refusal: run.decision.refusal, hasConfig: run.decision.authConfig != nil,
            nanoseconds: nanoseconds)
        recorder.log(run.decision, input: input, nanoseconds: nanoseconds)
        if !input.dryRun {
            if run.decision.passedWithoutEngine { metrics.failedOpen() }
            for observer in observers { observer.decided(run.decision, at: run.now) }
        }
        guard input.explain else { return run.decision }
        run.decision.steps = run.tracer.steps
        run.decision.blanks = run.tracer.blanks
        return input.dryRun ? run.decision.withoutOthersData : run.decision
    }

    /// Judges with the answer of an engine outside of the process.
    func judge(_ run: inout DecisionRun, by engine: any PolicyEngine, watch: Stopwatch) async {
        guard let question = run.judge(authenticator: authenticator), let policy = run.snapshot?.policy else { return }
        run.conclude(await ask(engine, question, policy: policy, run: &run, watch: watch))
    }

    /// What is left of the time for a decision.
    private func timeLeft(_ watch: Stopwatch, _ run: borrowing DecisionRun) -> Duration {
        let limit = run.input.timeout(atMost: settings.timeout)
        return max(.zero, limit + .nanoseconds(run.forgivenNanoseconds - watch.nanoseconds))
    }

    /// Runs the stages that may wait, until one refuses or time runs out.
    ///
    /// - Returns: what undoes them, for a decision that ends in a refusal after all, here or in the audit step.
    private func runStages(_ run: inout DecisionRun, watch: Stopwatch) async -> [@Sendable () async -> Void] {
        var taken: [@Sendable () async -> Void] = []
        let limit = run.input.timeout(atMost: settings.timeout).wholeMicroseconds * 1000 + run.forgivenNanoseconds
        if !stages.isEmpty {
            for stage in stages where !run.decision.isRefused && run.concerns(stage) {
                guard let request = run.admissionRequest(timeLeft: timeLeft(watch, run)) else { break }
                switch await stage.admit(request) {
                case .admitted(let detail, let limits, let granted, let giveBack):
                    if let giveBack { taken.append(giveBack) }
                    if let limits { run.decision.limits = limits }
                    if let granted { run.decision.granted = granted }
                    if watch.nanoseconds > limit {
                        run.refuse(
                            Refusal(.decisionTimeout), at: stage.step,
                            Explanation(.asker, "the decision took too long"))
                    } else {
                        run.tracer.note(stage.step, nil, StageExplanation.taken(detail, limits: limits))
                    }
                case .refused(let refusal, let detail, let limits):
                    if let limits { run.decision.limits = limits }
                    run.refuse(refusal, at: stage.step, Explanation(.caller, detail))
                }
            }
            if run.tracer.explains { await previewStages(&run, watch: watch) }
        }
        run.skipOmittedStages()
        // Whoever asked and went away gets no answer: what was taken for it has to go back.
        if !run.decision.isRefused, watch.nanoseconds > limit || (!taken.isEmpty && Task.isCancelled) {
            run.decision.refusal = Refusal(.decisionTimeout)
        }
        return taken
    }

    /// Asks the stages that did not run what they would find; a dry run that they would refuse is refused.
    private func previewStages(_ run: inout DecisionRun, watch: Stopwatch) async {
        for stage in stages where !run.tracer.hasStep(stage.step) {
            guard let request = run.previewRequest(timeLeft: timeLeft(watch, run)) else { return }
            switch await stage.preview(request) {
            case .admitted(let detail, let limits, _, _)?:
                if let limits { run.decision.limits = limits }
                run.tracer.note(stage.step, nil, Explanation(.caller, detail))
            case .refused(let refusal, let detail, let limits)?:
                if let limits { run.decision.limits = limits }
                run.refuse(refusal, at: stage.step, Explanation(.caller, detail))
            case nil: continue
            }
        }
    }
}
