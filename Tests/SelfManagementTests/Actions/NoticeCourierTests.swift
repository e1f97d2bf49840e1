// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing
internal import Logging
internal import Metrics
internal import SelfManagement
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite struct NoticeCourierTests {
    private final class FakeSender: NoticeSending {
        let faults = Mutex(0)
        let retry = Mutex(NoticeError.Retry.later)
        let sent = Mutex<[String]>([])

        func send(_ notice: HealingNotice) async throws(NoticeError) {
            let fails = faults.withLock { faults in
                faults -= 1
                return faults >= 0
            }
            if fails { throw NoticeError("no answer", retry: retry.withLock { $0 }) }
            sent.withLock { $0.append(notice.id) }
        }
    }

    private static func notice(_ id: String) -> HealingNotice {
        HealingNotice(
            id: id, channel: .slack, kind: .failed, at: ManualClock().now(), event: ["alertname": "A"],
            labels: ["a": "b"])
    }

    private static func courier(
        _ store: FakeHealingStore, _ sender: FakeSender, _ clock: ManualClock, fence: SwitchedFence = SwitchedFence()
    ) -> NoticeCourier {
        NoticeCourier(
            outbox: store, senders: [.slack: sender], fence: fence, clock: clock, time: ManualMonotonicClock(),
            metrics: HealingMetrics(factory: NOOPMetricsHandler.instance),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test func deliversOnce() async throws {
        let (store, sender, clock) = (FakeHealingStore(), FakeSender(), ManualClock())
        try await store.add([Self.notice("n1"), Self.notice("n2")])
        let courier = Self.courier(store, sender, clock)
        await courier.deliver()
        await courier.deliver()
        #expect(sender.sent.withLock { $0 } == ["n1", "n2"])
        #expect(store.notices.isEmpty)
    }

    @Test func triesSixTimesWithinADay() async throws {
        let (store, sender, clock) = (FakeHealingStore(), FakeSender(), ManualClock())
        sender.faults.withLock { $0 = 100 }
        try await store.add([Self.notice("n1")])
        let courier = Self.courier(store, sender, clock)
        var tries = 0
        for _ in 0..<(24 * 60) where !store.notices.isEmpty {
            let before = sender.faults.withLock { $0 }
            await courier.deliver()
            tries += before - sender.faults.withLock { $0 }
            clock.advance(seconds: 60)
        }
        #expect(tries == 6)
        #expect(store.notices.isEmpty, "then it is given up")
    }

    @Test func waitsAsLongAsItIsAskedTo() async throws {
        let (store, sender, clock) = (FakeHealingStore(), FakeSender(), ManualClock())
        sender.faults.withLock { $0 = 1 }
        sender.retry.withLock { $0 = .after(seconds: 120) }
        try await store.add([Self.notice("n1")])
        let courier = Self.courier(store, sender, clock)
        await courier.deliver()
        clock.advance(seconds: 119)
        await courier.deliver()
        #expect(sender.sent.withLock { $0 } == [])
        clock.advance(seconds: 1)
        await courier.deliver()
        #expect(sender.sent.withLock { $0 } == ["n1"])
    }

    @Test func doesNotRepeatWhatWasRefused() async throws {
        let (store, sender, clock) = (FakeHealingStore(), FakeSender(), ManualClock())
        sender.faults.withLock { $0 = 1 }
        sender.retry.withLock { $0 = .never }
        try await store.add([Self.notice("n1"), Self.notice("n2")])
        await Self.courier(store, sender, clock).deliver()
        #expect(store.notices.isEmpty && sender.sent.withLock { $0 } == ["n2"])
    }

    @Test func nobodyIsToldOfWhatIsOlderThanADay() {
        let begun = ManualClock().now()
        let day = NoticeSchedule.lifetime
        func next(_ tries: Int, _ retry: NoticeError.Retry, after seconds: Int64 = 0) -> Int64? {
            let now = begun.adding(seconds: seconds)
            return NoticeSchedule.next(afterTries: tries, since: begun, retry: retry, at: now)
                .map { $0.seconds - begun.seconds }
        }
        #expect(next(1, .later) == 30 && next(5, .later) == 28_800 && next(6, .later) == nil)
        #expect(next(1, .after(seconds: 5)) == 30 && next(1, .after(seconds: 90)) == 90)
        #expect(next(1, .after(seconds: day)) == day && next(1, .after(seconds: .max), after: 1) == nil)
        #expect(next(1, .later, after: day - 30) == day && next(1, .later, after: day - 29) == nil)
        #expect(next(1, .never) == nil)
    }

    @Test func leavesDeliveryToTheLeader() async throws {
        let (store, sender, clock, fence) = (FakeHealingStore(), FakeSender(), ManualClock(), SwitchedFence())
        try await store.add([Self.notice("n1")])
        fence.isLeading = false
        await Self.courier(store, sender, clock, fence: fence).deliver()
        #expect(store.notices.count == 1)
    }

    /// An outbox that cannot be written does not make people hear the same over and over.
    @Test(arguments: [0, 100])
    func triesNothingAgainThatTheOutboxDidNotTake(_ faults: Int) async throws {
        let (store, sender, clock) = (FakeHealingStore(), FakeSender(), ManualClock())
        sender.faults.withLock { $0 = faults }
        try await store.add([Self.notice("n1")])
        store.state.withLock { $0.keepsNotices = true }
        let courier = Self.courier(store, sender, clock)
        for _ in 0..<4 { await courier.deliver() }
        #expect(sender.faults.withLock { $0 } == faults - 1, "one try")
        store.state.withLock { $0.keepsNotices = false }
        await courier.deliver()
        #expect(sender.faults.withLock { $0 } == faults - 1)
        #expect(store.state.withLock { $0.notices.map(\.tries) } == (faults == 0 ? [] : [1]))
    }

    /// One that nobody can read does not stand before the others.
    @Test func givesUpWhatItCannotRead() async throws {
        let (store, sender, clock) = (FakeHealingStore(), FakeSender(), ManualClock())
        try await store.add([Self.notice("n1")])
        store.state.withLock { $0.unreadable = ["n0"] }
        await Self.courier(store, sender, clock).deliver()
        #expect(sender.sent.withLock { $0 } == ["n1"])
        #expect(store.state.withLock { $0.unreadable.isEmpty && $0.notices.isEmpty })
    }

    @Test func tellsReadableFromUnreadable() {
        var due = DueNotices()
        let now = ManualClock().now()
        for (id, text) in [("a", "{"), ("b", #"{"channel":"slack","kind":"later"}"#), ("c", #"[1]"#)] {
            due.take(id: id, text: text, tries: 0, nextTry: now)
        }
        let good = Self.notice("d")
        due.take(id: "d", text: JSONValue.object(good.json).jsonText, tries: 2, nextTry: now)
        #expect(due.notices == [WaitingNotice(notice: good, tries: 2, nextTry: now)])
        #expect(due.unreadable.map(\.id) == ["a", "b", "c"] && due.unreadable.map(\.channel) == [nil, .slack, nil])
    }

    /// What is stored reads back as it was.
    @Test func noticesOutliveTheProcess() {
        let notice = Self.notice("n1")
        #expect(HealingNotice(id: "n1", json: notice.json) == notice)
        #expect(HealingNotice(id: "n1", json: [:]) == nil)
    }
}
