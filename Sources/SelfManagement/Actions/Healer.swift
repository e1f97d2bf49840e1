// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import ControllerRuntime
package import Essentials
package import Healing
package import Logging
internal import Synchronization

/// Takes alerts, decides, acts and sees to it that what was begun comes to an end, also when another process began it.
///
/// Decisions are made one after the other; actions are verified beside each other. Only the leader does anything.
package final class Healer: Sendable {
    /// What it is made of.
    package struct Parts: Sendable {
        package var settings: HealingSettings
        package var rules: RulesBook
        package var store: any HealingBookStore
        package var executor: any ActionExecutor
        package var fence: any LeadershipFence
        package var recorder: HealingRecorder
        package var teller: NoticeTeller
        package var metrics: HealingMetrics
        /// Of 1,000: so many live actions are not sent and fail.
        package var chaosPermille: Int
        /// Takes secrets out of errors.
        package var redact: @Sendable (String) -> String
        package var clock: any WallClock
        package var time: any MonotonicClock
        package var random: any RandomSource
        package var logger: Logger

        package init(
            settings: HealingSettings, rules: RulesBook, store: any HealingBookStore, executor: any ActionExecutor,
            fence: any LeadershipFence, recorder: HealingRecorder, teller: NoticeTeller, metrics: HealingMetrics,
            chaosPermille: Int = 0, redact: @escaping @Sendable (String) -> String, clock: any WallClock,
            time: any MonotonicClock, random: any RandomSource, logger: Logger
        ) {
            self.settings = settings
            self.rules = rules
            self.store = store
            self.executor = executor
            self.fence = fence
            self.recorder = recorder
            self.teller = teller
            self.metrics = metrics
            self.chaosPermille = chaosPermille
            self.redact = redact
            self.clock = clock
            self.time = time
            self.random = random
            self.logger = logger
        }
    }

    struct State {
        var gates = HealingGates()
        /// Whether the books are those of the store: read at the beginning of each leadership.
        var isLoaded = false
        /// Whether the store lacks something that the books say.
        var isBehind = false
        /// Actions whose end somebody waits for.
        var watched: Set<String> = []
    }

    /// How long a call to the API server may take.
    static let callLimit = Duration.seconds(10)
    private static let pass = Duration.seconds(30)

    let parts: Parts
    let state = Mutex(State())
    let order = SerialLock()
    private let led = Signal()
    private let watches: AsyncStream<String>
    private let watch: AsyncStream<String>.Continuation

    /// Nothing is read yet.
    package init(_ parts: Parts) {
        self.parts = parts
        (watches, watch) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .unbounded)
        parts.metrics.configure(parts.settings)
    }

    /// What is remembered now.
    package var books: HealingBooks { state.withLock(\.gates.books) }

    /// What is shown of it: who does not lead knows nothing that would still hold.
    package var shownBooks: HealingBooks { parts.fence.isLeading ? books : HealingBooks() }

    /// What the caller of a replica that does not lead is told; Alertmanager repeats the call.
    static var notLeading: Refusal {
        Refusal(.k8sNoLeader, message: "This replica does not lead", retryAfterSeconds: 2)
    }

    /// This replica leads from now on: what others have written since is read before the next decision.
    package func beganLeading() {
        state.withLock { $0.isLoaded = false }
        led.call()
    }

    /// Shows what the books say now.
    package func recordGauges() {
        parts.metrics.show(shownBooks, rules: parts.rules.rules, settings: parts.settings, at: parts.clock.now())
    }

    // MARK: - Alerts

    /// Takes a webhook call.
    ///
    /// - Throws: `k8s.no_leader`, also when the Lease is lost on the way: the call is repeated, and what was done then meets its cooldown.
    package func receive(_ payload: AlertPayload, requestID: String?) async throws(Refusal) -> [AlertResult] {
        guard parts.fence.isLeading else { throw Self.notLeading }
        await parts.recorder.tell(
            .received(payload), resource: payload.receiver ?? "alertmanager", requestID: requestID)
        var results: [AlertResult] = []
        results.reserveCapacity(payload.alerts.count)
        for alert in payload.alerts { results.append(try await handle(alert, requestID)) }
        return results
    }

    private func handle(_ alert: Alert, _ requestID: String?) async throws(Refusal) -> AlertResult {
        let (verdict, fault) = try await order.withLock {
            () async throws(Refusal) -> (HealingVerdict, String?) in
            try await decide(alert, requestID)
        }
        switch verdict {
        case .skip(let skip): return await skipped(skip, alert, requestID)
        case .dryRun(let plan):
            // No action of a dry run fails: it was none.
            if let fault { return unwritten(plan, alert, fault) }
            parts.metrics.ended(plan.alertName, .dryRun)
            await parts.recorder.record(.dryRun(plan), about: plan)
            return AlertResult(alert, .dryRun, command: plan.command)
        case .act(let plan):
            if let fault { return await refused(plan, alert, fault) }
            parts.metrics.began(plan.alertName, at: plan.startedAt)
            return try await act(plan, alert)
        }
    }

    /// Decides and writes the books; the second value says why they could not be written.
    private func decide(
        _ alert: Alert, _ requestID: String?
    ) async throws(Refusal) -> (HealingVerdict, String?) {
        guard parts.fence.isLeading else { throw Self.notLeading }
        var fault: String?
        do {
            try await loadIfNeeded()
        } catch {
            fault = "the books cannot be read: \(error)"
        }
        let now = parts.clock.now()
        let id = UUIDv7.make(at: now, random: parts.random)
        let rules = parts.rules.rules
        let verdict = state.withLock {
            $0.gates.judge(alert, rules: rules, settings: parts.settings, id: id, requestID: requestID, at: now)
        }
        let entry: BookEntry
        switch verdict {
        case .skip: return (verdict, nil)
        case .dryRun(let plan): entry = BookEntry(plan: plan, isDryRun: true, state: .succeeded)
        case .act(let plan): entry = BookEntry(plan: plan, isDryRun: false, state: .sending)
        }
        if let fault { return (verdict, fault) }
        let changes = state.withLock { state in
            // Who looks for what was interrupted must not take it for that.
            if !entry.isDryRun { state.watched.insert(entry.plan.id) }
            return state.gates.books.begin(entry)
        }
        do {
            try await parts.store.write(changes)
            return (verdict, nil)
        } catch {
            // The store may have taken it nevertheless: the next pass puts that right.
            state.withLock { state in
                state.watched.remove(entry.plan.id)
                _ = state.gates.books.forget(entry.plan.id)
                state.isBehind = true
            }
            guard parts.fence.isLeading else { throw Self.notLeading }
            return (verdict, "the books cannot be written: \(error)")
        }
    }

    private func skipped(_ skip: HealingSkip, _ alert: Alert, _ requestID: String?) async -> AlertResult {
        parts.metrics.skipped(skip.reason)
        if skip.reason == .cooldown { parts.metrics.ended(alert.name, .cooldownSkip) }
        await parts.recorder.tell(.skip(skip, alert), resource: skip.target ?? alert.name, requestID: requestID)
        if skip.reason == .budget { await tellBudget(skip, alert, requestID) }
        return AlertResult(
            alert, skip.reason == .cooldown ? .cooldownSkip : .skipped, reason: skip.reason.rawValue)
    }

    private func tellBudget(_ skip: HealingSkip, _ alert: Alert, _ requestID: String?) async {
        guard !parts.settings.isDryRun, let rule = parts.rules.rules.rules.first(where: { $0.name == skip.rule }),
            let changes = state.withLock({ $0.gates.books.tellsBudget(at: parts.clock.now()) })
        else { return }
        await store(changes)
        _ = await parts.teller.tell(
            .budgetExhausted,
            [
                "alertname": .string(alert.name), "target": .optional(skip.target), "rule": .string(rule.name),
                "reason": "the budget of actions for this hour is exhausted",
            ], channels: rule.channels, requestID: requestID)
    }

    /// Nothing is done that could not be remembered.
    func refused(_ plan: PlannedAction, _ alert: Alert, _ fault: String) async -> AlertResult {
        parts.metrics.ended(plan.alertName, .error)
        await parts.recorder.record(
            .failed(plan, milliseconds: 0, stage: .apply, error: parts.redact(fault)), about: plan)
        return unwritten(plan, alert, fault)
    }

    private func unwritten(_ plan: PlannedAction, _ alert: Alert, _ fault: String) -> AlertResult {
        let fault = parts.redact(fault)
        parts.logger.error(
            "no action: it could not be remembered or recorded",
            metadata: [LogKeys.object: "\(plan.targetKey)", LogKeys.error: "\(fault)"])
        return AlertResult(alert, .error, reason: BoundedText.cut(fault, bytes: 512), command: plan.command)
    }

    // MARK: - Ends

    /// Notes that an action took effect and tells of it.
    func succeed(_ plan: PlannedAction, verified: Bool, baseline: JSONObject, after: JSONValue) async {
        let milliseconds = elapsed(since: plan)
        let changes = state.withLock {
            $0.gates.books.settle(plan.id, succeeded: true, at: parts.clock.now()).changes
        }
        await store(changes)
        parts.metrics.ended(plan.alertName, .executed)
        parts.metrics.took(milliseconds: milliseconds)
        let event = HealingEvent.done(
            plan, milliseconds: milliseconds, verified: verified, before: baseline["before"] ?? .null, after: after)
        await parts.recorder.record(event, about: plan)
        // An action of type notify has told already.
        guard plan.action.actsOnCluster else { return }
        _ = await parts.teller.tell(
            .succeeded, event.members, channels: plan.channels, labels: plan.labels, requestID: plan.requestID)
    }

    /// Notes that an action failed and tells of it.
    func fail(
        _ plan: PlannedAction, stage: HealingEvent.Stage, error: String, isChaos: Bool = false,
        before: JSONValue? = nil
    ) async {
        let milliseconds = elapsed(since: plan)
        let (changes, halted) = state.withLock {
            $0.gates.books.settle(plan.id, succeeded: false, at: parts.clock.now())
        }
        await store(changes)
        parts.metrics.ended(plan.alertName, .failed)
        parts.metrics.took(milliseconds: milliseconds)
        let event = HealingEvent.failed(
            plan, milliseconds: milliseconds, stage: stage, error: parts.redact(error), isChaos: isChaos,
            before: before ?? .null)
        await parts.recorder.record(event, about: plan)
        _ = await parts.teller.tell(
            .failed, event.members, channels: plan.channels, labels: plan.labels, requestID: plan.requestID)
        guard let halted else { return }
        parts.logger.critical(
            "live healing is halted until somebody resumes it", metadata: [LogKeys.reason: "\(halted)"])
        _ = await parts.teller.tell(
            .halted,
            [
                "alertname": .string(plan.alertName), "target": .string(plan.targetKey), "rule": .string(plan.rule),
                "reason": .string(halted),
            ], channels: plan.channels, requestID: plan.requestID)
    }

    private func elapsed(since plan: PlannedAction) -> Int64 {
        max(0, parts.clock.now().milliseconds - plan.startedAt.milliseconds)
    }

    // MARK: - Running

    /// Has the end of an action awaited.
    func follow(_ id: String) {
        guard state.withLock({ $0.watched.insert(id).inserted }) else { return }
        watch.yield(id)
    }

    /// Works until it is cancelled: a pass every 30 seconds, and each running action to its end.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepPassing() }
            for await id in watches {
                group.addTask {
                    await self.conclude(id)
                    self.state.withLock { _ = $0.watched.remove(id) }
                }
            }
            group.cancelAll()
        }
    }

    private func keepPassing() async {
        while !Task.isCancelled {
            await passOnce()
            // Who begins to lead does not let what another began wait for the next pass.
            _ = await parts.time.limited(to: Self.pass) { [led] in await led.wait() }
        }
    }
}
