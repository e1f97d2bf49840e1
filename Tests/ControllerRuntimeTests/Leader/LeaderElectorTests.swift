// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import Metrics
internal import ResourceModel
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import ControllerRuntime

@Suite(.timeLimit(.minutes(10))) struct LeaderElectorTests {
    private let api = ScriptedAPI()
    private let time = ManualMonotonicClock()
    private let lease = APIObjectReference(.leases, namespace: "own", name: "tollgate")

    private func elector(_ identity: String, mayLead: Bool = true) -> LeaderElector {
        LeaderElector(
            lease: lease, identity: identity, address: "http://\(identity):8080", mayLead: mayLead, api: api,
            clock: ManualClock(), time: time, random: SeededRandom(seed: 1),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            metricsFactory: NOOPMetricsHandler.instance)
    }

    /// Moves the clock on until the condition holds, a step each time that all electors rest between two looks at the Lease: what they do
    /// takes no time, however busy the machine is.
    private func holds(_ what: String, running: Int = 1, _ condition: () -> Bool) async throws {
        try await Eventually.holds(what) {
            if condition() { return true }
            if isAtRest(running) { time.advance(by: .milliseconds(200)) }
            return condition()
        }
    }

    private func isAtRest(_ running: Int) -> Bool {
        time.pauses.count { $0 <= LeaderMachine.Settings().retryPeriod * 1.2 } == running
    }

    /// Who began to lead, in order.
    private final class Beginnings: Sendable {
        private let names = Mutex<[String]>([])
        var all: [String] { names.withLock { $0 } }
        func add(_ name: String) { names.withLock { $0.append(name) } }
    }

    @Test func oneOfTwoLeadsAndHandsOverWhenItStops() async throws {
        let (first, second) = (elector("a"), elector("b"))
        let begun = Beginnings()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await first.run { begun.add("a") } }
            try await holds("a leads") { first.isLeading }
            group.addTask { await second.run { begun.add("b") } }
            try await holds("b knows", running: 2) { second.observed?.identity == "a" }
            #expect(second.observed?.address == "http://a:8080")
            let before = time.now()
            while time.now() - before < .seconds(60) {
                try await Eventually.holds("both to rest") { isAtRest(2) }
                time.advance(by: .seconds(1))
            }
            #expect(!second.isLeading)
            first.stop()
            try await holds("the lease is free") { !first.isLeading }
            let freed = time.now()
            try await holds("b leads") { second.isLeading }
            #expect(time.now() - freed <= .seconds(3))
            second.stop()
            try await Eventually.holds("the lease is free again") {
                try await LeaseRecord(api.get(lease, subresource: nil)).holder.isEmpty
            }
            group.cancelAll()
        }
        #expect(begun.all == ["a", "b"])
        let record = LeaseRecord(try await api.get(lease, subresource: nil))
        #expect(record.durationSeconds == 1)
        #expect(record.transitions == 1)
        #expect(record.address == nil)
    }

    @Test func whoMayNotLeadSeesWhoDoesAndTakesNoFreeLease() async throws {
        let (watcher, leader) = (elector("w", mayLead: false), elector("a"))
        let begun = Beginnings()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await watcher.run { begun.add("w") } }
            let before = time.now()
            while time.now() - before < .seconds(60) {
                try await Eventually.holds("it to rest") { isAtRest(1) }
                time.advance(by: .seconds(1))
            }
            #expect(!watcher.isLeading)
            await #expect(throws: KubernetesError.self) { try await api.get(lease, subresource: nil) }
            group.addTask { await leader.run { begun.add("a") } }
            try await holds("the watcher knows", running: 2) { watcher.observed?.identity == "a" }
            #expect(watcher.observed?.address == "http://a:8080")
            leader.stop()
            try await holds("the lease is free") { !leader.isLeading }
            watcher.stop()
            group.cancelAll()
        }
        #expect(begun.all == ["a"])
    }

    @Test func aKilledLeaderIsFollowedWithinTheLeaseTime() async throws {
        // Its clock is far ahead: only how long the record stands still counts.
        let dead = LeaseRecord(
            holder: "dead", durationSeconds: 15, time: "2099-01-01T00:00:00.000000Z", transitions: 3, address: nil)
        _ = try await api.create(
            dead.document(name: "tollgate", namespace: "own"), in: .leases, namespace: "own", name: nil,
            subresource: nil)
        let second = elector("b")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await second.run {} }
            try await holds("b has seen it") { second.observed?.identity == "dead" }
            let seen = time.now()
            try await holds("b leads") { second.isLeading }
            #expect((15...18).contains((time.now() - seen).components.seconds))
            group.cancelAll()
            second.stop()
        }
    }

    @Test func aLeaderThatCannotRenewStopsLeadingBeforeOthersMay() async throws {
        let first = elector("a")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await first.run {} }
            try await holds("a leads") { first.isLeading }
            api.state.withLock { $0.fault = KubernetesError(.unreachable, message: "gone") }
            let gone = time.now()
            try await holds("a stops") { !first.isLeading }
            #expect(time.now() - gone <= .seconds(10))
            api.state.withLock { $0.fault = nil }
            try await holds("a leads again") { first.isLeading }
            first.stop()
            api.state.withLock { $0.fault = KubernetesError(.unreachable, message: "gone") }
            group.cancelAll()
        }
    }

    @Test func isStuckOnlyLongAfterTheLastRenewal() {
        var machine = LeaderMachine(identity: "a", address: nil)
        let record = LeaseRecord(holder: "a", durationSeconds: 15, time: "", transitions: 0, address: nil)
        machine.held(record, begun: .seconds(100), now: .seconds(101))
        #expect(machine.isLeading(at: .seconds(109)))
        #expect(!machine.isLeading(at: .seconds(110)))
        machine.saw(record, at: .seconds(112))
        #expect(machine.seen?.since == .seconds(101))
    }
}
