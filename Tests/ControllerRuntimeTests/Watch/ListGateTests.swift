// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import ControllerRuntime

@Suite(.timeLimit(.minutes(10))) struct ListGateTests {
    private final class Counts: Sendable {
        private let state = Mutex((inside: 0, most: 0, done: 0))

        func came() {
            state.withLock { state in
                state.inside += 1
                state.most = max(state.most, state.inside)
            }
        }

        func left() {
            state.withLock { state in
                state.inside -= 1
                state.done += 1
            }
        }

        var most: Int { state.withLock { $0.most } }
        var done: Int { state.withLock { $0.done } }
    }

    @Test func neverMoreThanThePermitsAreInside() async {
        let gate = ListGate(permits: 3)
        let counts = Counts()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    let hasTurn = await gate.enter()
                    #expect(hasTurn)
                    counts.came()
                    await Task.yield()
                    counts.left()
                    gate.leave()
                }
            }
        }
        #expect(counts.done == 100)
        #expect(counts.most <= 3)
    }

    @Test func whoGivesUpTakesNobodysTurn() async {
        let gate = ListGate(permits: 1)
        #expect(await gate.enter())
        let impatient = Task { await gate.enter() }
        let patient = Task { await gate.enter() }
        impatient.cancel()
        #expect(await !impatient.value)
        gate.leave()
        #expect(await patient.value)
        gate.leave()
        #expect(await gate.enter())
    }
}
