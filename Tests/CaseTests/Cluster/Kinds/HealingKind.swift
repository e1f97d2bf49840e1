// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import ControllerRuntime
internal import Essentials
internal import Foundation
internal import Healing
internal import Logging
internal import Metrics
internal import SelfManagement
internal import Synchronization
internal import TestSupport
internal import Testing

extension ClusterKinds {
    /// Sends the webhooks to one healer, and again to a new one at each step: what is remembered outlives the process.
    @Sendable static func healing(_ record: CaseRecord) async throws {
        for restarts in [false, true] { try await HealingCase(record, restarts: restarts).run() }
    }
}

/// One case of healing.
private struct HealingCase {
    private static let start = Timestamp(seconds: 1_770_980_400)

    let record: CaseRecord
    let restarts: Bool
    let rules: HealingRules

    init(_ record: CaseRecord, restarts: Bool) throws {
        self.record = record
        self.restarts = restarts
        let file = Repository.root.appending(path: "Tests/Cases/cluster.json")
        let document = try JSONParser.parse(Array(try Data(contentsOf: file)))
        let name = try #require(record.given["rules"]?.stringValue)
        rules = try HealingRules.read(["version": 1, "rules": try #require(document["rules"]?[name])])
    }

    func run() async throws {
        let store = MemoryBooks()
        let clock = ManualClock(Self.start)
        var settings = try #require(record.given["settings"]?.objectValue)
        let steps = try #require(record.given["steps"]?.arrayValue)
        let expected = try #require(record.json["expect"]?.arrayValue)
        try #require(steps.count == expected.count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            var healer: (Healer, FakeAuditRecorder, ScriptedExecutor)?
            for (step, expected) in zip(steps, expected) {
                let changes = step["settings"]?.objectValue
                for change in changes?.members ?? [] { settings[change.name] = change.value }
                clock.set(Self.start.adding(seconds: try #require(step["at_seconds"]?.intValue)))
                if restarts || changes != nil || healer == nil {
                    let new = try make(settings, store: store, clock: clock)
                    group.addTask { await new.0.run() }
                    healer = new
                }
                let (present, audit, executor) = try #require(healer)
                try await send(step, to: present, audit, executor, expected: try #require(expected.arrayValue))
            }
            group.cancelAll()
        }
    }

    private func send(
        _ step: JSONValue, to healer: Healer, _ audit: FakeAuditRecorder, _ executor: ScriptedExecutor,
        expected: [JSONValue]
    ) async throws {
        let alerts = try #require(step["alerts"]?.arrayValue)
        let payload = try AlertPayload.read([
            "version": "4", "status": "firing", "alerts": .array(alerts),
        ])
        let outcomes = (step["outcomes"]?.arrayValue ?? []).map { $0["apply"] == "fail" }
        executor.failing = Set(zip(payload.alerts, outcomes).filter(\.1).map(\.0.fingerprint))
        let before = audit.entries
        _ = try await healer.receive(payload, requestID: nil)
        try await Eventually.holds("actions to end") { healer.books.running.isEmpty }
        let events = { () -> [AuditDraft] in
            let now = audit.entries
            let new = now.queued.dropFirst(before.queued.count) + now.durable.dropFirst(before.durable.count)
            return new.filter { $0.action.hasPrefix("healing.") }
        }
        try await Eventually.holds("events") { events().count >= expected.count }
        try check(events(), payload: payload, expected: expected)
    }

    /// The first is about the call, each of the others about one alert.
    private func check(_ events: [AuditDraft], payload: AlertPayload, expected: [JSONValue]) throws {
        #expect(events.count == expected.count, "\(events.map(\.action))")
        let received = try #require(events.first { $0.action == "healing.webhook_received" })
        compare(received, with: try #require(expected.first))
        for (alert, expected) in zip(payload.alerts, expected.dropFirst()) {
            let own = events.filter { $0.metadata["fingerprint"]?.stringValue == alert.fingerprint }
            let event = try #require(own.first)
            #expect(own.count == 1)
            compare(event, with: expected)
        }
    }

    private func compare(_ event: AuditDraft, with expected: JSONValue) {
        for member in expected.objectValue?.members ?? [] {
            if member.name == "kind" {
                #expect("healing." + (member.value.stringValue ?? "") == event.action)
            } else {
                #expect(event.metadata[member.name] == member.value, "\(member.name) of \(event.action)")
            }
        }
    }

    private func make(
        _ settings: JSONObject, store: MemoryBooks, clock: ManualClock
    ) throws -> (Healer, FakeAuditRecorder, ScriptedExecutor) {
        func number(_ name: String) throws -> Int64 { try #require(settings[name]?.intValue) }
        let audit = FakeAuditRecorder()
        let executor = ScriptedExecutor()
        let metrics = HealingMetrics(factory: NOOPMetricsHandler.instance)
        let random = SeededRandom(seed: UInt64(clock.now().seconds))
        let logger = Logger(label: "case") { _ in SwiftLogNoOpLogHandler() }
        let healer = Healer(
            Healer.Parts(
                settings: HealingSettings(
                    isEnabled: settings["enabled"] == true, isDryRun: settings["dry_run"] == true,
                    defaultCooldown: try number("default_cooldown"), dedupWindow: try number("dedup_window"),
                    budgetPerHour: Int(try number("budget_per_hour")),
                    budgetPerTarget: Int(try number("budget_per_target")), concurrency: Int(try number("concurrency")),
                    namespaces: Set(settings["namespaces"]?.arrayValue?.compactMap(\.stringValue) ?? [])),
                rules: RulesBook(rules), store: store, executor: executor, fence: Leading(),
                recorder: HealingRecorder(audit: audit, metrics: metrics, clock: clock, logger: logger),
                teller: NoticeTeller(
                    outbox: store, configured: [], clock: clock, random: random, metrics: metrics, logger: logger,
                    arrival: {}), metrics: metrics, redact: { $0 }, clock: clock, time: ManualMonotonicClock(),
                random: random, logger: logger))
        return (healer, audit, executor)
    }
}

private struct Leading: LeadershipFence {
    var isLeading: Bool { true }
}

/// Does everything at once, but what it is told to fail.
private final class ScriptedExecutor: ActionExecutor {
    private let fingerprints = Mutex<Set<String>>([])

    var failing: Set<String> {
        get { fingerprints.withLock { $0 } }
        set { fingerprints.withLock { $0 = newValue } }
    }

    func prepare(_ plan: PlannedAction) async throws(ActionFault) -> JSONObject { ["before": [:]] }

    func apply(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONObject {
        if failing.contains(plan.fingerprint) { throw ActionFault("refused") }
        return baseline
    }

    func recover(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONObject? { baseline }

    func check(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONValue? { [:] }
}

/// Books in memory.
private final class MemoryBooks: HealingBookStore, NoticeOutbox {
    private let lines = Mutex<[String: BookRecord]>([:])

    func load() async throws -> [BookRecord] { lines.withLock { Array($0.values) } }

    func write(_ changes: [BookChange]) async throws {
        lines.withLock { lines in
            for change in changes {
                switch change {
                case .put(let record): lines[record.key] = record
                case .remove(let key): lines[key] = nil
                }
            }
        }
    }

    func add(_ notices: [HealingNotice]) async throws {}
    func due(at now: Timestamp, limit: Int) async throws -> DueNotices { DueNotices() }
    func postpone(_ id: String, tries: Int, until: Timestamp) async throws {}
    func remove(_ id: String) async throws {}
}
