// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Healing
internal import SelfManagement
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(10))) struct HealerTests {
    @Test func writesBooksAndIntentBeforeItActs() async throws {
        let world = HealingWorld()
        let (store, audit) = (world.store, world.audit)
        world.executor.change {
            $0.onApply = { plan in
                #expect(store.state.withLock { $0.lines["a.\(plan.id)"]?.value["state"] } == "sending")
                #expect(audit.entries.durable.map(\.action) == ["autoheal.rollout-restart"])
                #expect(audit.entries.durable.first?.metadata["phase"] == "intent")
            }
        }
        try await world.running {
            #expect(try await world.send(HealingWorld.alert()) == ["executed"])
            try await world.settled()
        }
        #expect(world.executor.applied == ["rollout-restart deployment/crm/api"])
        #expect(audit.entries.durable.map { $0.metadata["phase"]?.stringValue } == ["intent", "result", nil])
        let event = try #require(world.events.first)
        #expect(event.action == "healing.action_ok")
        #expect(event.actor == "system" && event.requestID == "r1" && event.resource == "Deployment/crm/api")
        #expect(event.metadata["verified"] == true && event.metadata["before"] == ["replicas": 3])
        #expect(event.metadata["after"] == ["replicas": 1])
        #expect(world.store.notices.map(\.kind) == [.succeeded])
        #expect(world.store.notices.first?.labels == ["alertname": "A", "app": "api"])
    }

    @Test func doesNothingThatItCannotRemember() async throws {
        let world = HealingWorld()
        world.store.isAway = true
        let results = try await world.send(HealingWorld.alert())
        #expect(results.first?.hasPrefix("error the books cannot be read") == true)
        #expect(world.executor.applied.isEmpty)
        world.store.isAway = false
        #expect(try await world.send(HealingWorld.alert()) == ["skipped duplicate"])
        world.clock.advance(seconds: 30)
        #expect(try await world.send(HealingWorld.alert()) == ["executed"], "what was not done costs nothing")
    }

    @Test func doesNothingThatItCannotRecord() async throws {
        let world = HealingWorld()
        world.audit.become(.away)
        let results = try await world.send(HealingWorld.alert())
        #expect(results == ["error the intent cannot be recorded: The audit trail cannot be written"])
        #expect(world.executor.applied.isEmpty)
        #expect(world.healer.books.entries.isEmpty)
    }

    @Test func refusesWhereItDoesNotLead() async throws {
        let world = HealingWorld()
        world.fence.isLeading = false
        await #expect {
            _ = try await world.send(HealingWorld.alert())
        } throws: { error in
            guard let refusal = error as? Refusal else { return false }
            return refusal.code == .k8sNoLeader && refusal.retryAfterSeconds == 2
                && refusal.message == "This replica does not lead"
        }
        await #expect(throws: Refusal.self) { _ = try await world.healer.resume() }
    }

    @Test func tellsWhyAnActionWasRefused() async throws {
        let world = HealingWorld()
        world.executor.change { $0.applyFault = "the eviction was refused: password=hunter2" }
        #expect(try await world.send(HealingWorld.alert()) == ["failed apply"])
        let event = try #require(world.events.first)
        #expect(event.action == "healing.action_fail" && event.metadata["stage"] == "apply")
        #expect(event.metadata["err"] == "the eviction was refused: password=[REDACTED]")
        #expect(world.store.notices.map(\.kind) == [.failed])
        world.clock.advance(seconds: 300)
        #expect(try await world.send(HealingWorld.alert()) == ["cooldown_skip cooldown"])
    }

    @Test func failsWhatCannotBePreparedWithoutSendingIt() async throws {
        let world = HealingWorld()
        world.executor.change { $0.prepareFault = "refused: HorizontalPodAutoscaler h decides" }
        #expect(try await world.send(HealingWorld.alert()) == ["failed apply"])
        #expect(world.executor.applied.isEmpty)
    }

    @Test func limitsCallsToTenSeconds() async throws {
        let world = HealingWorld()
        world.executor.change { $0.answers = false }
        async let results = world.send(HealingWorld.alert())
        try await Eventually.holds("the call") { !world.executor.applied.isEmpty }
        try await Eventually.holds("its limit") { world.time.sleepers > 0 }
        world.time.advance(by: .seconds(10))
        #expect(try await results == ["failed timeout"])
        #expect(world.events.first?.metadata["stage"] == "timeout")
    }

    @Test func verifiesWithoutHoldingOthersUp() async throws {
        let world = HealingWorld()
        world.executor.change { $0.effect = nil }
        try await world.running {
            #expect(
                try await world.send(HealingWorld.alert(app: "a"), HealingWorld.alert(app: "b")) == [
                    "executed", "executed",
                ])
            #expect(try await world.send(HealingWorld.alert(app: "c")) == ["skipped concurrency"])
            #expect(world.healer.books.slotsTaken == 2)
            try await Eventually.holds("two that wait") { world.time.pauses.count { $0 == .seconds(2) } == 2 }
            world.clock.advance(seconds: 60)
            world.time.advance(by: .seconds(2))
            try await world.settled(2)
        }
        let fails = world.events.filter { $0.action == "healing.action_fail" }
        #expect(fails.map { $0.metadata["stage"] } == ["verify", "verify"])
        #expect(fails.first?.metadata["err"] == "not verified within 60 s: it has not taken effect")
        #expect(world.healer.books.slotsTaken == 0)
    }

    @Test func saysWhenItDoesNotVerify() async throws {
        var rule = HealingWorld.rule
        rule.verifyWithin = 0
        let world = HealingWorld(rules: [rule])
        #expect(try await world.send(HealingWorld.alert()) == ["executed"])
        #expect(world.events.first?.metadata["verified"] == false)
        #expect(world.healer.books.slotsTaken == 0)
    }

    /// Another process began it: whoever leads next brings it to its end.
    @Test(arguments: [(true, true), (true, false), (false, true), (false, false)])
    func settlesWhatAnotherBegan(_ wasSent: Bool, _ tookEffect: Bool) async throws {
        let first = HealingWorld()
        first.executor.change { $0.effect = nil }
        #expect(try await first.send(HealingWorld.alert()) == ["executed"])
        if !wasSent {
            first.store.state.withLock { state in
                for (key, line) in state.lines {
                    var line = line
                    line.value["state"] = "sending"
                    state.lines[key] = line
                }
            }
        }
        let second = HealingWorld(store: first.store)
        second.executor.change { script in
            script.recovers = tookEffect
            script.effect = tookEffect ? [:] : nil
        }
        second.clock.advance(seconds: 61)
        try await second.running { try await second.settled() }
        let event = try #require(second.events.first)
        #expect(second.executor.applied.isEmpty, "nothing is done twice")
        if tookEffect {
            #expect(event.action == "healing.action_ok" && event.metadata["verified"] == true)
        } else {
            #expect(event.action == "healing.action_fail")
            #expect(event.metadata["stage"] == (wasSent ? "verify" : "timeout"))
        }
        #expect(second.healer.books.slotsTaken == 0)
        #expect(try await second.send(HealingWorld.alert()) == ["cooldown_skip cooldown"])
    }

    @Test func leavesWhatRunsToTheNextLeader() async throws {
        let world = HealingWorld()
        world.executor.change { $0.effect = nil }
        try await world.running {
            #expect(try await world.send(HealingWorld.alert()) == ["executed"])
            try await Eventually.holds("the first look") { world.time.pauses.contains(.seconds(2)) }
            world.fence.isLeading = false
            world.time.advance(by: .seconds(2))
            try await Eventually.holds("the end of the looking") { !world.time.pauses.contains(.seconds(2)) }
        }
        #expect(world.events.isEmpty)
        #expect(world.store.state.withLock { $0.lines.values.first?.value["state"] } == "verifying")
    }

    @Test func haltsAndResumes() async throws {
        var rule = HealingWorld.rule
        rule.cooldown = 0
        let world = HealingWorld(
            rules: [rule],
            settings: HealingSettings(isEnabled: true, isDryRun: false, budgetPerTarget: 20, namespaces: ["crm"]))
        world.executor.change { $0.applyFault = "no" }
        for _ in 0..<5 {
            #expect(try await world.send(HealingWorld.alert()) == ["failed apply"])
            world.clock.advance(seconds: 60)
        }
        #expect(try await world.send(HealingWorld.alert()) == ["skipped halted"])
        #expect(world.store.notices.last?.kind == .halted)
        #expect(try await world.healer.resume())
        #expect(try await !world.healer.resume())
        world.executor.change { $0.applyFault = nil }
        world.clock.advance(seconds: 60)
        #expect(try await world.send(HealingWorld.alert()) == ["executed"])
        world.store.isAway = true
        await #expect {
            _ = try await world.healer.resume()
        } throws: { ($0 as? Refusal)?.code == .healingBooksUnavailable }
    }

    @Test func tellsOnceThatTheBudgetIsExhausted() async throws {
        let world = HealingWorld(
            settings: HealingSettings(isEnabled: true, isDryRun: false, budgetPerHour: 1, namespaces: ["crm"]))
        #expect(try await world.send(HealingWorld.alert(app: "a")) == ["executed"])
        #expect(
            try await world.send(HealingWorld.alert(app: "b"), HealingWorld.alert(app: "c")) == [
                "skipped budget", "skipped budget",
            ])
        #expect(world.store.notices.map(\.kind) == [.budgetExhausted])
    }

    @Test func notifiesWithoutBudgetAndSlot() async throws {
        let world = HealingWorld(
            rules: [HealingRule(name: "tell", alertNames: ["A"], action: .notify, channels: [.slack, .pagerduty])])
        #expect(try await world.send(HealingWorld.alert()) == ["executed"])
        #expect(world.store.notices.map(\.kind) == [.told], "a channel without an address gets nothing")
        #expect(world.events.first?.metadata["cmd"] == "notify" && world.events.first?.metadata["verified"] == true)
        #expect(world.healer.books.spent(isDryRun: false, at: world.clock.now()) == 0)
        world.clock.advance(seconds: 3600)
        world.store.state.withLock { $0.refusesNotices = true }
        #expect(try await world.send(HealingWorld.alert()) == ["failed apply"])
    }

    @Test func touchesNothingInADryRun() async throws {
        let world = HealingWorld(settings: HealingSettings(isEnabled: true, isDryRun: true, namespaces: ["crm"]))
        #expect(try await world.send(HealingWorld.alert()) == ["dry_run"])
        #expect(world.executor.applied.isEmpty && world.store.notices.isEmpty)
        #expect(world.events.map(\.action) == ["healing.action_dry_run"])
    }

    @Test func drawsChaos() async throws {
        let world = HealingWorld(chaosPermille: 1000)
        #expect(try await world.send(HealingWorld.alert()) == ["failed apply"])
        #expect(world.executor.applied.isEmpty)
        #expect(world.events.first?.metadata["chaos"] == true)
    }

    /// What could not be written after an action is written with the next pass.
    @Test func writesLaterWhatItCouldNotWrite() async throws {
        let world = HealingWorld()
        let store = world.store
        world.executor.change { script in
            script.applyFault = "no"
            script.onApply = { _ in store.isAway = true }
        }
        #expect(try await world.send(HealingWorld.alert()) == ["failed apply"])
        store.isAway = false
        #expect(store.state.withLock { $0.lines.values.map { $0.value["state"] } } == ["sending"])
        await world.healer.passOnce()
        #expect(
            store.state.withLock { $0.lines.values.compactMap { $0.value["state"]?.stringValue }.sorted() } == [
                "failed"
            ])
    }
}
