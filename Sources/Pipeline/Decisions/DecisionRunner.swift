// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Asks the pipeline within the bounds on number and time. One for every door of the process.
package final class DecisionRunner: Sendable {
    private let decider: any RequestDeciding
    private let timeout: Duration
    private let timeoutNanoseconds: Int64
    private let maximum: Int
    private let running = Atomic<Int>(0)

    /// - Parameters:
    ///   - timeout: for one decision, unless the request itself has less time.
    ///   - maximum: decisions at once.
    package init(decider: any RequestDeciding, timeout: Duration, maximum: Int) {
        self.decider = decider
        self.timeout = timeout
        timeoutNanoseconds = timeout.wholeMicroseconds * 1000
        self.maximum = maximum
    }

    /// Decisions at this moment.
    package var inFlight: Int { running.load(ordering: .relaxed) }

    /// Decides, or says that it cannot: `decision.overloaded` before any work, `decision.timeout` for an answer that came too late.
    package func decide(_ input: DecisionInput) async -> Decision {
        guard running.wrappingAdd(1, ordering: .relaxed).newValue <= maximum else {
            running.wrappingSubtract(1, ordering: .relaxed)
            return refused(.decisionOverloaded, requestID: input.requestID)
        }
        defer { running.wrappingSubtract(1, ordering: .relaxed) }
        let watch = Stopwatch()
        let decision = await decider.decide(input)
        guard watch.nanoseconds > input.timeout(atMost: timeoutNanoseconds) else { return decision }
        return await late(decision)
    }

    /// Decides several from one snapshot; the time is that of one decision for each.
    package func decide(_ inputs: [DecisionInput]) async -> [Decision] {
        guard running.wrappingAdd(inputs.count, ordering: .relaxed).newValue <= max(maximum, inputs.count) else {
            running.wrappingSubtract(inputs.count, ordering: .relaxed)
            return inputs.map { refused(.decisionOverloaded, requestID: $0.requestID) }
        }
        defer { running.wrappingSubtract(inputs.count, ordering: .relaxed) }
        let start = ContinuousClock.now
        let decisions = await decider.decide(inputs)
        guard ContinuousClock.now - start > timeout * inputs.count else { return decisions }
        var answers: [Decision] = []
        answers.reserveCapacity(decisions.count)
        for decision in decisions { answers.append(await late(decision)) }
        return answers
    }

    private func late(_ decision: Decision) async -> Decision { await decision.refused(Refusal(.decisionTimeout)) }

    private func refused(_ code: ErrorCode, requestID: String) -> Decision {
        var decision = Decision(snapshotGeneration: 0, requestID: requestID)
        decision.refusal = Refusal(code, retryAfterSeconds: code == .decisionOverloaded ? 1 : nil)
        return decision
    }
}
