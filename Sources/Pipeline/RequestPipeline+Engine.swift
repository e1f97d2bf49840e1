// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials

extension RequestPipeline {
    /// Asks the engine about a workload's request.
    ///
    /// A tenth of the time for a decision stays for what follows. A call that failed and lets the request go on has run out of its own
    /// time, not of the decision's.
    func ask(
        _ engine: any PolicyEngine, _ question: PolicyQuestion, policy: CompiledPolicy, run: inout DecisionRun,
        watch: Stopwatch
    ) async -> PolicyDecision {
        let share = run.input.timeout(atMost: settings.timeout).wholeMicroseconds * 900
        let timeLeft = Duration.nanoseconds(max(0, share - watch.nanoseconds))
        let verdict = await ask(
            engine, question, policy: policy, timeLeft: timeLeft,
            expiresIn: run.decision.principal.expiresIn(at: run.now))
        if verdict.allow, !verdict.reasons.isEmpty {
            run.forgivenNanoseconds = max(0, watch.nanoseconds - share)
        }
        return verdict
    }

    /// Asks the engine and makes its answer a decision.
    func ask(
        _ engine: any PolicyEngine, _ question: PolicyQuestion, policy: CompiledPolicy, timeLeft: Duration,
        expiresIn: Duration?
    ) async -> PolicyDecision {
        let answer = await engine.answer(question, timeLeft: timeLeft, expiresIn: expiresIn)
        // Whatever an engine's settings say: what administers, and the own API, never pass without it.
        if case .unavailable = answer, !question.mayFailOpen {
            return policy.decide(question, answer: .unavailable(failsOpen: false))
        }
        return policy.decide(question, answer: answer)
    }
}

extension Principal {
    /// How long the credential is still good; nil = it does not end.
    func expiresIn(at now: Timestamp) -> Duration? {
        expiresAt.map { .microseconds(max(0, $0.microseconds - now.microseconds)) }
    }
}
