// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Healing
internal import SelfManagement
internal import Synchronization
internal import TestSupport
internal import Testing

/// What becomes of healing when the Lease goes and comes.
@Suite(.timeLimit(.minutes(10))) struct HealerLeadershipTests {
    private static func isNoLeader(_ error: any Error) -> Bool {
        guard let refusal = error as? Refusal else { return false }
        return refusal.code == .k8sNoLeader && refusal.retryAfterSeconds == 2
            && refusal.message == "This replica does not lead"
    }

    /// Nobody begins to lead after a lapse between two renewals: the next pass takes up what runs.
    @Test func goesOnAfterAShortLapse() async throws {
        let world = HealingWorld()
        world.executor.change { $0.effect = nil }
        try await world.running {
            #expect(try await world.send(HealingWorld.alert()) == ["executed"])
            try await Eventually.holds("the first look") { world.time.pauses.contains(.seconds(2)) }
            world.fence.isLeading = false
            world.time.advance(by: .seconds(2))
            try await Eventually.holds("the end of the looking") { !world.time.pauses.contains(.seconds(2)) }
            world.fence.isLeading = true
            world.executor.change { $0.effect = ["replicas": 1] }
            try await Eventually.holds("the end") {
                await world.healer.passOnce()
                return !world.events.isEmpty
            }
        }
        #expect(world.events.map(\.action) == ["healing.action_ok"])
        #expect(world.healer.books.slotsTaken == 0)
    }

    /// The caller repeats what it is refused; what was done meets its cooldown then.
    @Test func stopsWhereTheLeaseIsLostOnTheWay() async throws {
        let world = HealingWorld()
        let fence = world.fence
        world.executor.change {
            $0.onApply = { plan in
                if plan.target?.name == "b" { fence.isLeading = false }
            }
        }
        await #expect {
            _ = try await world.send(
                HealingWorld.alert(app: "a"), HealingWorld.alert(app: "b"), HealingWorld.alert(app: "c"))
        } throws: { Self.isNoLeader($0) }
        #expect(world.executor.applied.count == 2)
        #expect(world.events.isEmpty, "who leads next tells what came of it")
        #expect(
            world.store.state.withLock { $0.lines.values.compactMap { $0.value["state"]?.stringValue }.sorted() } == [
                "sending", "verifying",
            ])
    }

    /// An intent has its result, also where nothing was sent.
    @Test func recordsThatItDidNotSend() async throws {
        let world = HealingWorld()
        let fence = world.fence
        world.store.state.withLock {
            $0.onWrite = { changes in
                guard case .put(let record) = changes.last, record.value["baseline"]?["before"] != nil else {
                    return false
                }
                fence.isLeading = false
                return true
            }
        }
        await #expect {
            _ = try await world.send(HealingWorld.alert())
        } throws: { Self.isNoLeader($0) }
        #expect(world.executor.applied.isEmpty && world.events.isEmpty)
        let entries = world.audit.entries.durable
        #expect(entries.map { $0.metadata["phase"]?.stringValue } == ["intent", "result"])
        #expect(entries.last?.metadata["err"] == "not sent: this replica does not lead any more")
    }

    @Test func showsNothingWhereItDoesNotLead() async throws {
        var rule = HealingWorld.rule
        rule.cooldown = 0
        let world = HealingWorld(
            rules: [rule],
            settings: HealingSettings(isEnabled: true, isDryRun: false, budgetPerTarget: 20, namespaces: ["crm"]))
        world.executor.change { $0.applyFault = "no" }
        for _ in 0..<5 {
            _ = try await world.send(HealingWorld.alert())
            world.clock.advance(seconds: 60)
        }
        #expect(world.healer.shownBooks.halt != nil)
        world.fence.isLeading = false
        #expect(world.healer.shownBooks.halt == nil)
    }

    /// Interrupted while it was sent, by a rule that asks for no verification.
    @Test func doesNotVerifyWhatNobodyWantsVerified() async throws {
        let first = HealingWorld()
        first.executor.change { $0.effect = nil }
        #expect(try await first.send(HealingWorld.alert()) == ["executed"])
        first.store.state.withLock { state in
            for (key, line) in state.lines {
                var line = line
                line.value["state"] = "sending"
                line.value["verify"] = 0
                state.lines[key] = line
            }
        }
        let second = HealingWorld(store: first.store)
        second.executor.change { $0.effect = nil }
        second.clock.advance(seconds: 61)
        try await second.running { try await second.settled() }
        #expect(second.events.first?.action == "healing.action_ok")
        #expect(second.events.first?.metadata["verified"] == false)
    }

    /// What preparing and sending took is not taken from the time in which an action has to take effect.
    @Test func countsFromTheAcceptance() async throws {
        var rule = HealingWorld.rule
        rule.verifyWithin = 20
        let world = HealingWorld(rules: [rule])
        let clock = world.clock
        world.executor.change { script in
            script.effect = nil
            script.onApply = { _ in clock.advance(seconds: 9) }
        }
        @Sendable func look(_ number: Int) async throws {
            try await Eventually.holds("look \(number)") {
                world.executor.script.withLock(\.looks) == number && world.time.pauses.contains(.seconds(2))
            }
        }
        try await world.running {
            #expect(try await world.send(HealingWorld.alert()) == ["executed"])
            try await look(1)
            clock.advance(seconds: 19)
            world.time.advance(by: .seconds(2))
            try await look(2)
            #expect(world.events.isEmpty)
            clock.advance(seconds: 1)
            world.time.advance(by: .seconds(2))
            try await world.settled()
        }
        #expect(world.events.first?.metadata["err"] == "not verified within 20 s: it has not taken effect")
    }
}
