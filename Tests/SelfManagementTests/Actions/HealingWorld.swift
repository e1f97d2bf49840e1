// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import ControllerRuntime
internal import Essentials
internal import Healing
internal import Logging
internal import Metrics
internal import SelfManagement
internal import Synchronization
internal import TestSupport

/// A healer among fakes, on clocks that stand still.
struct HealingWorld {
    let clock = ManualClock()
    let time = ManualMonotonicClock()
    let audit = FakeAuditRecorder()
    let store: FakeHealingStore
    let executor = FakeExecutor()
    let fence = SwitchedFence()
    let rules: RulesBook
    let healer: Healer

    static let rule = HealingRule(
        name: "restart", alertNames: ["A"], action: .rolloutRestart,
        target: TargetTemplate(kind: .deployment, namespace: .text("crm"), name: .label("app")), verifyWithin: 60,
        channels: [.slack])

    init(
        rules: [HealingRule] = [rule], store: FakeHealingStore = FakeHealingStore(), chaosPermille: Int = 0,
        settings: HealingSettings = HealingSettings(isEnabled: true, isDryRun: false, namespaces: ["crm"]),
        channels: Set<HealingRule.Channel> = [.slack, .webhook],
        factory: any MetricsFactory = NOOPMetricsHandler.instance, seed: UInt64 = 1
    ) {
        self.store = store
        self.rules = RulesBook(HealingRules(rules))
        let metrics = HealingMetrics(factory: factory)
        metrics.loaded(HealingRules(rules))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let random = SeededRandom(seed: seed)
        healer = Healer(
            Healer.Parts(
                settings: settings, rules: self.rules, store: store, executor: executor, fence: fence,
                recorder: HealingRecorder(audit: audit, metrics: metrics, clock: clock, logger: logger),
                teller: NoticeTeller(
                    outbox: store, configured: channels, clock: clock, random: random, metrics: metrics,
                    logger: logger, arrival: {}), metrics: metrics, chaosPermille: chaosPermille,
                redact: { $0.replacing("hunter2", with: "[REDACTED]") }, clock: clock, time: time, random: random,
                logger: logger))
    }

    static func alert(_ name: String = "A", app: String = "api") -> Alert {
        Alert(
            status: "firing", labels: ["alertname": name, "app": app], isOptedIn: true, startsAt: "t",
            fingerprint: "\(name)-\(app)")
    }

    /// Sends alerts and gives the results as `outcome reason`.
    func send(_ alerts: Alert...) async throws -> [String] {
        try await healer.receive(AlertPayload(alerts: alerts), requestID: "r1").map { result in
            ([result.outcome.rawValue] + (result.reason.map { [$0] } ?? [])).joined(separator: " ")
        }
    }

    /// The events so far, without that of the call.
    var events: [AuditDraft] {
        (audit.entries.queued + audit.entries.durable).filter {
            $0.action.hasPrefix("healing.") && $0.action != "healing.webhook_received"
        }
    }

    /// Works beside the body.
    func running<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await healer.run() }
            let value = try await body()
            group.cancelAll()
            return value
        }
    }

    /// Waits for the end of what runs.
    func settled(_ count: Int = 1) async throws {
        try await Eventually.holds("\(count) outcomes") {
            events.count { $0.action == "healing.action_ok" || $0.action == "healing.action_fail" } >= count
        }
    }
}

/// Leads or not, as a test says.
final class SwitchedFence: LeadershipFence {
    private let leads = Mutex(true)

    var isLeading: Bool {
        get { leads.withLock { $0 } }
        set { leads.withLock { $0 = newValue } }
    }
}

/// Does what a test says.
final class FakeExecutor: ActionExecutor {
    struct Script: Sendable {
        var prepareFault: String?
        var applyFault: String?
        /// Whether an answer ever comes.
        var answers = true
        var recovers = true
        /// Nil = it has not taken effect.
        var effect: JSONValue? = ["replicas": 1]
        var applied: [String] = []
        /// Called before anything is sent.
        var onApply: (@Sendable (PlannedAction) -> Void)?
        /// How often it was looked for an effect.
        var looks = 0
    }

    let script = Mutex(Script())

    func change(_ body: (inout Script) -> Void) { script.withLock { body(&$0) } }

    var applied: [String] { script.withLock(\.applied) }

    func prepare(_ plan: PlannedAction) async throws(ActionFault) -> JSONObject {
        if let fault = script.withLock(\.prepareFault) { throw ActionFault(fault) }
        return ["before": ["replicas": 3]]
    }

    func apply(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONObject {
        let (fault, answers, hook) = script.withLock { script in
            script.applied.append(plan.command)
            return (script.applyFault, script.answers, script.onApply)
        }
        hook?(plan)
        if let fault { throw ActionFault(fault) }
        // A call without an answer ends when it is cancelled.
        if !answers { await Signal().wait() }
        return baseline
    }

    func recover(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONObject? {
        script.withLock(\.recovers) && !baseline.isEmpty ? baseline : nil
    }

    func check(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONValue? {
        script.withLock { script in
            script.looks += 1
            return script.effect
        }
    }
}

/// Books and notices in memory, which can be taken away.
final class FakeHealingStore: HealingBookStore, NoticeOutbox {
    struct Away: Error {}

    struct State {
        var lines: [String: BookRecord] = [:]
        var notices: [WaitingNotice] = []
        var unreadable: [String] = []
        var isAway = false
        /// Whether what is written is written, and the answer lost.
        var losesAnswers = false
        var refusesNotices = false
        /// Whether notices stay as they are.
        var keepsNotices = false
        /// Called once, when that is written.
        var onWrite: (@Sendable ([BookChange]) async throws -> Bool)?
    }

    let state = Mutex(State())

    var isAway: Bool {
        get { state.withLock(\.isAway) }
        set { state.withLock { $0.isAway = newValue } }
    }

    var notices: [HealingNotice] { state.withLock { $0.notices.map(\.notice) } }

    func load() async throws -> [BookRecord] {
        try state.withLock { state in
            if state.isAway { throw Away() }
            return Array(state.lines.values)
        }
    }

    func write(_ changes: [BookChange]) async throws {
        try state.withLock { state in
            if state.isAway { throw Away() }
            for change in changes {
                switch change {
                case .put(let record): state.lines[record.key] = record
                case .remove(let key): state.lines[key] = nil
                }
            }
            if state.losesAnswers { throw Away() }
        }
        let hook = state.withLock { state in
            defer { state.onWrite = nil }
            return state.onWrite
        }
        if let hook, try await !hook(changes) { state.withLock { $0.onWrite = hook } }
    }

    func add(_ notices: [HealingNotice]) async throws {
        try state.withLock { state in
            if state.refusesNotices { throw Away() }
            state.notices += notices.map { WaitingNotice(notice: $0, nextTry: $0.at) }
        }
    }

    func due(at now: Timestamp, limit: Int) async throws -> DueNotices {
        let (waiting, unreadable) = state.withLock { ($0.notices, $0.unreadable) }
        var due = DueNotices()
        for id in unreadable { due.take(id: id, text: #"{"channel":"slack","kind":"later"}"#, tries: 0, nextTry: now) }
        for waiting in waiting.filter({ $0.nextTry <= now }).prefix(limit) {
            due.take(
                id: waiting.notice.id, text: JSONValue.object(waiting.notice.json).jsonText, tries: waiting.tries,
                nextTry: waiting.nextTry)
        }
        return due
    }

    func postpone(_ id: String, tries: Int, until: Timestamp) async throws {
        try state.withLock { state in
            if state.keepsNotices { throw Away() }
            guard let index = state.notices.firstIndex(where: { $0.notice.id == id }) else { return }
            state.notices[index].tries = tries
            state.notices[index].nextTry = until
        }
    }

    func remove(_ id: String) async throws {
        try state.withLock { state in
            if state.keepsNotices { throw Away() }
            state.notices.removeAll { $0.notice.id == id }
            state.unreadable.removeAll { $0 == id }
        }
    }
}
