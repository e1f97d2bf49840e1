// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Healing
internal import SelfManagement
internal import Synchronization
internal import TestSupport
internal import Testing

/// The books of the healer and the store that may not take what they say.
@Suite(.timeLimit(.minutes(10))) struct HealerBooksTests {
    /// A write whose answer is lost was a write: nothing may come of it later.
    @Test func takesOutWhatALostAnswerLeft() async throws {
        let world = HealingWorld()
        world.store.state.withLock { $0.losesAnswers = true }
        let results = try await world.send(HealingWorld.alert())
        #expect(results.first?.hasPrefix("error the books cannot be written") == true)
        #expect(world.store.state.withLock { $0.lines.count } == 1)
        world.store.state.withLock { state in
            state.losesAnswers = false
            state.lines["later"] = BookRecord(key: "later", at: world.clock.now(), value: [:])
        }
        await world.healer.passOnce()
        #expect(world.store.state.withLock { Array($0.lines.keys) } == ["later"], "what it does not know stays")
    }

    /// Whatever was too old when the books were read leaves the store too.
    @Test func takesOutWhatIsTooOld() async throws {
        var rule = HealingWorld.rule
        rule.verifyWithin = 0
        let first = HealingWorld(rules: [rule])
        #expect(try await first.send(HealingWorld.alert()) == ["executed"])
        first.store.state.withLock { state in
            state.lines["a.x"] = BookRecord(key: "a.x", at: first.clock.now(), value: ["of": "a later version"])
        }
        let second = HealingWorld(store: first.store)
        second.clock.advance(seconds: 86_400)
        await second.healer.passOnce()
        #expect(first.store.state.withLock { $0.lines.count } == 2)
        let third = HealingWorld(store: first.store)
        third.clock.advance(seconds: 86_401)
        await third.healer.passOnce()
        #expect(first.store.state.withLock { $0.lines.isEmpty })
    }

    @Test func tellsOfNoActionInADryRunThatItCannotRemember() async throws {
        let world = HealingWorld(settings: HealingSettings(isEnabled: true, isDryRun: true, namespaces: ["crm"]))
        world.store.isAway = true
        let results = try await world.send(HealingWorld.alert())
        #expect(results.first?.hasPrefix("error the books cannot be read") == true)
        #expect(world.events.isEmpty)
    }

    /// A failure while somebody resumes does not leave a halt behind that nobody sees.
    @Test func resumesAlsoWhatIsHaltedMeanwhile() async throws {
        var rule = HealingWorld.rule
        rule.cooldown = 0
        let world = HealingWorld(
            rules: [rule],
            settings: HealingSettings(isEnabled: true, isDryRun: false, budgetPerTarget: 20, namespaces: ["crm"]))
        let (healer, store, clock, time) = (world.healer, world.store, world.clock, world.time)
        world.executor.change { $0.applyFault = "no" }
        for _ in 0..<4 {
            #expect(try await world.send(HealingWorld.alert()) == ["failed apply"])
            clock.advance(seconds: 60)
        }
        world.executor.change { script in
            script.applyFault = nil
            script.effect = nil
        }
        try await world.running {
            #expect(try await world.send(HealingWorld.alert()) == ["executed"])
            try await Eventually.holds("the first look") { time.pauses.contains(.seconds(2)) }
            store.state.withLock {
                $0.onWrite = { changes in
                    guard changes.contains(where: { $0.key == "resumed" }) else { return false }
                    clock.advance(seconds: 60)
                    time.advance(by: .seconds(2))
                    try await Eventually.holds("the halt") {
                        store.state.withLock { $0.lines["halt"] != nil } && healer.books.halt != nil
                    }
                    return true
                }
            }
            #expect(try await !healer.resume())
        }
        #expect(healer.books.halt == nil)
        #expect(store.state.withLock { $0.lines["halt"] == nil })
    }

    // MARK: - Notices

    @Test func noticesAreEventsInTheirFlatForm() async throws {
        let world = HealingWorld()
        world.executor.change { $0.applyFault = "no" }
        #expect(try await world.send(HealingWorld.alert()) == ["failed apply"])
        let notice = try #require(world.store.notices.first)
        #expect(notice.event["kind"] == "action_fail" && notice.event["id"]?.stringValue == notice.id)
        #expect(notice.event["request_id"] == "r1" && notice.event["actor"] == "system")
        let text = String(decoding: notice.encodedEvent, as: UTF8.self)
        #expect(text.contains(#""ts":\#(world.clock.now().seconds).000000,"#), "\(text)")
        #expect(try JSONParser.parse(text: text)["alertname"] == "A")
        let stored = try #require(HealingNotice(id: notice.id, json: notice.json))
        #expect(stored.encodedEvent == notice.encodedEvent)
    }

    /// A failure that could not be delivered must not open an incident after the success that closes it.
    @Test func dropsWhatASuccessOverrides() async throws {
        var rule = HealingWorld.rule
        rule.channels = [.pagerduty, .slack]
        rule.verifyWithin = 0
        let world = HealingWorld(rules: [rule], channels: [.pagerduty, .slack])
        world.executor.change { $0.applyFault = "no" }
        #expect(
            try await world.send(HealingWorld.alert(), HealingWorld.alert(app: "other")) == [
                "failed apply", "failed apply",
            ])
        world.clock.advance(seconds: 600)
        world.executor.change { $0.applyFault = nil }
        #expect(try await world.send(HealingWorld.alert()) == ["executed"])
        let left = world.store.notices.map { "\($0.channel) \($0.kind) \($0.target ?? "")" }
        #expect(
            left == [
                "slack failed deployment/crm/api", "pagerduty failed deployment/crm/other",
                "slack failed deployment/crm/other", "pagerduty succeeded deployment/crm/api",
                "slack succeeded deployment/crm/api",
            ])
    }

    @Test func closesTheIncidentOfAHalt() async throws {
        var rule = HealingWorld.rule
        rule.cooldown = 0
        rule.channels = [.pagerduty]
        let world = HealingWorld(
            rules: [rule],
            settings: HealingSettings(isEnabled: true, isDryRun: false, budgetPerTarget: 20, namespaces: ["crm"]),
            channels: [.pagerduty])
        world.executor.change { $0.applyFault = "no" }
        for _ in 0..<5 {
            #expect(try await world.send(HealingWorld.alert()) == ["failed apply"])
            world.clock.advance(seconds: 60)
        }
        #expect(world.store.notices.last?.kind == .halted)
        #expect(try await world.healer.resume())
        #expect(world.store.notices.last?.kind == .resumed)
        #expect(!world.store.notices.contains { $0.kind == .halted })
    }
}
