// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import ResourceModel
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import ControllerRuntime

@Suite(.timeLimit(.minutes(10))) struct EventRecorderTests {
    private let object = InvolvedObject(
        resource: .serviceTokens, namespace: "acme", name: "ci", uid: "u1", resourceVersion: "7")

    private func note(_ text: String) -> EventNote {
        EventNote(object: object, type: "Normal", reason: "Minted", action: "Reconcile", note: text)
    }

    @Test func theSameWithinSixMinutesIsASeries() {
        var ledger = EventLedger()
        #expect(ledger.decide(note("x"), at: .zero) == .create)
        ledger.made(note("x"), name: "ci.1", at: .zero)
        #expect(ledger.decide(note("x"), at: .seconds(360)) == .series(name: "ci.1", count: 2))
        #expect(ledger.decide(note("x"), at: .seconds(720)) == .series(name: "ci.1", count: 3))
        #expect(ledger.decide(note("x"), at: .seconds(1081)) == .create)
        #expect(ledger.decide(note("y"), at: .seconds(1081)) == .create)
    }

    @Test func anObjectHasTwentyFiveAndThenOneInFiveMinutes() {
        var ledger = EventLedger()
        for number in 0..<25 { #expect(ledger.decide(note("\(number)"), at: .zero) == .create) }
        #expect(ledger.decide(note("26"), at: .zero) == .drop)
        #expect(ledger.decide(note("27"), at: .seconds(299)) == .drop)
        #expect(ledger.decide(note("28"), at: .seconds(301)) == .create)
        #expect(ledger.decide(note("29"), at: .seconds(301)) == .drop)
    }

    @Test func writesWhatWaitsBeforeItStops() async throws {
        let api = ScriptedAPI()
        let recorder = EventRecorder(
            api: api, instance: "tollgate-0", clock: ManualClock(), time: ManualMonotonicClock(),
            random: SeededRandom(seed: 1), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        ) { $0.replacing("secret", with: "…") }
        for _ in 0..<3 {
            recorder.record(
                on: object, type: .warning, reason: "SecretRestored", action: "Reconcile",
                note: "secret " + String(repeating: "x", count: 2000))
        }
        recorder.stop()
        await recorder.run()
        let objects = api.state.withLock { Array($0.objects.values) }
        #expect(objects.count == 1)
        let event = try #require(objects.first)
        #expect(event["reportingController"] == "tollgate.dev/controller")
        #expect(event["reportingInstance"] == "tollgate-0")
        #expect(event["type"] == "Warning")
        #expect(event["regarding"]?["uid"] == "u1")
        #expect(event["series"]?["count"] == 3)
        let text = try #require(event["note"]?.stringValue)
        #expect(text.utf8.count <= 1000 && text.hasPrefix("… x"))
    }

    @Test func aFloodIsPacedAndWarningsGoFirst() async throws {
        let api = ScriptedAPI()
        let time = ManualMonotonicClock()
        let recorder = EventRecorder(
            api: api, instance: "tollgate-0", clock: ManualClock(), time: time, random: SeededRandom(seed: 1),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        ) { $0 }
        func record(_ number: Int, _ type: EventRecorder.Kind) {
            var object = object
            object.name = "a\(number)"
            object.uid = "u\(number)"
            recorder.record(on: object, type: type, reason: "InForce", action: "Reconcile", note: "")
        }
        for number in 0..<1200 { record(number, .normal) }
        record(1200, .warning)
        func written() -> Int { api.state.withLock(\.objects.count) }
        let run = Task { await recorder.run() }
        try await Eventually.holds("the burst to be written") { written() == 101 && time.sleepers == 1 }
        time.advance(by: .seconds(1))
        try await Eventually.holds("the next ten") { written() >= 110 && time.sleepers == 1 }
        #expect(written() <= 112)
        recorder.stop()
        try await Eventually.holds("all to be written") {
            time.advance(by: .milliseconds(100))
            return written() == 1000
        }
        await run.value
        let types = api.state.withLock { $0.objects.values.compactMap { $0["type"]?.stringValue } }
        #expect(types.count { $0 == "Warning" } == 1)
    }
}
