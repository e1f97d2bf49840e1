// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import Metrics
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import ControllerRuntime

@Suite(.timeLimit(.minutes(10))) struct ControllerTests {
    private func makeQueue(_ time: any MonotonicClock = SystemMonotonicClock()) -> WorkQueue<Int> {
        WorkQueue(name: "test", time: time, metricsFactory: NOOPMetricsHandler.instance)
    }

    private func makeController(
        _ queue: WorkQueue<Int>, limit: Duration = .seconds(60), time: any MonotonicClock = SystemMonotonicClock(),
        _ work: @escaping @Sendable (Int) async -> ReconcileResult
    ) -> Controller<Int> {
        Controller(
            name: "test", queue: queue, limit: limit, time: time,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            metricsFactory: NOOPMetricsHandler.instance, reconcile: work)
    }

    @Test func everyKeyIsWorkedOnAndNeverTwiceAtOnce() async throws {
        let queue = makeQueue()
        let state = Mutex((working: Set<Int>(), done: [Int: Int](), most: 0))
        let controller = makeController(queue) { key in
            state.withLock { state in
                #expect(state.working.insert(key).inserted)
                state.most = max(state.most, state.working.count)
            }
            await Task.yield()
            state.withLock { state in
                state.working.remove(key)
                state.done[key, default: 0] += 1
            }
            return .done
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await controller.run() }
            for round in 0..<5 { for key in 0..<500 { queue.add(key, priority: round == 0 ? .resync : .change) } }
            do {
                try await Eventually.holds("all keys") { state.withLock { $0.done.count } == 500 && queue.depth == 0 }
            } catch { Issue.record(error) }
            controller.stop()
        }
        #expect(state.withLock { $0.most } <= 4)
    }

    @Test func aFailureIsTriedAgainAndATerminalOneIsNot() async throws {
        let queue = makeQueue()
        let tries = Mutex<[Int: Int]>([:])
        let controller = makeController(queue) { key in
            let count = tries.withLock { tries in
                tries[key, default: 0] += 1
                return tries[key] ?? 0
            }
            if key == 1 { return count < 4 ? .failed("no") : .done }
            return .terminal("never")
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await controller.run() }
            queue.add(2)
            queue.add(1)
            do {
                try await Eventually.holds("the fourth try") { tries.withLock { $0[1] } == 4 }
            } catch { Issue.record(error) }
            controller.stop()
        }
        #expect(tries.withLock { $0[2] } == 1)
    }

    @Test func stopLetsTheKeyInWorkBeFinished() async throws {
        let queue = makeQueue()
        let began = Signal()
        let goOn = Signal()
        let ended = Mutex(false)
        let controller = makeController(queue) { _ in
            began.call()
            await goOn.wait()
            ended.withLock { $0 = !Task.isCancelled }
            return .done
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await controller.run() }
            queue.add(1)
            await began.wait()
            controller.stop()
            goOn.call()
        }
        #expect(ended.withLock { $0 })
        queue.add(2)
        #expect(queue.depth == 0)
    }

    @Test func workThatTakesTooLongIsCancelledAndTriedAgain() async throws {
        let time = ManualMonotonicClock()
        let queue = makeQueue(time)
        let tries = Mutex(0)
        let controller = makeController(queue, time: time) { _ in
            let count = tries.withLock { tries in
                tries += 1
                return tries
            }
            if count == 1 { await Signal().wait() }
            return .done
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await controller.run() }
            queue.add(1)
            do {
                try await Eventually.holds("the second try") {
                    time.advance(by: .seconds(61))
                    return tries.withLock { $0 } == 2
                }
            } catch { Issue.record(error) }
            controller.stop()
        }
    }

    @Test func onlyWhatIsDueSoonerWakesTheTimekeeper() async throws {
        let time = ManualMonotonicClock()
        let queue = makeQueue(time)
        let done = Mutex<Set<Int>>([])
        let controller = makeController(queue, time: time) { key in
            done.withLock { _ = $0.insert(key) }
            return key == 1 ? .requeue(after: .seconds(3600)) : .done
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await controller.run() }
            queue.add(1)
            do {
                try await Eventually.holds("the long pause") { time.asked.contains(.seconds(3600)) }
                for key in 2..<50 { queue.add(key) }
                try await Eventually.holds("the others") { done.withLock { $0.count } == 49 }
                queue.add(50, after: .seconds(7200))
                queue.add(51, after: .seconds(10))
                try await Eventually.holds("the shorter pause") { time.asked.contains(.seconds(10)) }
                // A timekeeper that was about to pause when the clock moved pauses from then on: it is moved until he is awake.
                try await Eventually.holds("what was due") {
                    if time.now() < .seconds(600) { time.advance(by: .seconds(11)) }
                    return done.withLock { $0.contains(51) }
                }
            } catch { Issue.record(error) }
            controller.stop()
        }
        // Each cancelled pause would cost memory until its time has come.
        #expect(time.asked.filter { $0 == .seconds(3600) }.count == 1)
        #expect(!time.asked.contains(.seconds(7200)))
    }
}
