// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Pipeline
internal import Synchronization

/// A policy engine that says what a test wants and remembers what it was asked.
final class FakeEngine: PolicyEngine {
    struct Call: Sendable {
        let question: PolicyQuestion
        let timeLeft: Duration
        let expiresIn: Duration?
    }

    private let state: Mutex<(answer: EngineAnswer, calls: [Call])>
    private let takes: Duration

    /// - Parameter takes: how long every answer takes.
    init(_ answer: EngineAnswer, takes: Duration = .zero) {
        state = Mutex((answer, []))
        self.takes = takes
    }

    var calls: [Call] { state.withLock { $0.calls } }

    func say(_ answer: EngineAnswer) { state.withLock { $0.answer = answer } }

    func answer(_ question: PolicyQuestion, timeLeft: Duration, expiresIn: Duration?) async -> EngineAnswer {
        let watch = Stopwatch()
        while watch.nanoseconds < takes.wholeMicroseconds * 1000 { await Task.yield() }
        return state.withLock { state in
            state.calls.append(Call(question: question, timeLeft: timeLeft, expiresIn: expiresIn))
            return state.answer
        }
    }
}
