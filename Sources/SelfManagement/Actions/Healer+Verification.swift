// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ControllerRuntime
internal import Essentials
internal import Healing

extension Healer {
    /// How often it is looked whether an action has taken effect.
    private static let look = Duration.seconds(2)
    /// The member of a baseline that says when the API server accepted the action: from then on it has its time to take effect.
    static let accepted = "accepted"

    /// Why a step was not done.
    struct StepFailure: Error {
        let stage: HealingEvent.Stage
        let message: String
    }

    /// Runs a step of the executor for at most ten seconds.
    func limited<Value: Sendable>(
        _ step: @escaping @Sendable (any ActionExecutor) async throws(ActionFault) -> Value
    ) async -> Result<Value, StepFailure> {
        let executor = parts.executor
        let outcome = await parts.time.limited(to: Self.callLimit) { () async -> Result<Value, StepFailure> in
            do throws(ActionFault) {
                return .success(try await step(executor))
            } catch {
                return .failure(StepFailure(stage: .apply, message: error.message))
            }
        }
        return outcome
            ?? .failure(StepFailure(stage: .timeout, message: "the API server gave no answer within \(Self.callLimit)"))
    }

    /// Brings a running action to its end, whoever began it; where the Lease is lost meanwhile, its new holder does.
    func conclude(_ id: String) async {
        guard let entry = books.entries[id], entry.state.isRunning, !entry.isDryRun else { return }
        var baseline = entry.baseline
        if entry.state == .sending {
            guard let recovered = await recovered(entry) else { return }
            baseline = recovered
            if entry.plan.verifyWithin == 0 {
                await succeed(entry.plan, verified: false, baseline: baseline, after: .null)
                return
            }
        }
        await verify(entry.plan, baseline: baseline)
    }

    /// What is known of an action that a process sent, or not, before it ended.
    private func recovered(_ entry: BookEntry) async -> JSONObject? {
        let plan = entry.plan
        guard plan.action.actsOnCluster else {
            await fail(plan, stage: .timeout, error: "interrupted: whether it was queued is not known")
            return nil
        }
        var last = ""
        while parts.fence.isLeading, !Task.isCancelled {
            let answer = await limited({ executor throws(ActionFault) in
                try await executor.recover(plan, baseline: entry.baseline)
            })
            guard parts.fence.isLeading else { return nil }
            switch answer {
            case .success(let baseline?): return baseline
            case .success(nil):
                await fail(
                    plan, stage: .timeout, error: "interrupted before it was sent", before: entry.baseline["before"])
                return nil
            case .failure(let failure): last = failure.message
            }
            guard parts.clock.now() < plan.deadline else {
                await fail(
                    plan, stage: .timeout, error: "interrupted, and what became of it cannot be read: \(last)",
                    before: entry.baseline["before"])
                return nil
            }
            guard await paused() else { return nil }
        }
        return nil
    }

    private func verify(_ plan: PlannedAction, baseline: JSONObject) async {
        var last = "it has not taken effect"
        let begun = baseline[Self.accepted]?.intValue.map(Timestamp.init(microseconds:)) ?? plan.startedAt
        let deadline = begun.adding(seconds: plan.verifyWithin)
        while parts.fence.isLeading, !Task.isCancelled {
            let answer = await limited({ executor throws(ActionFault) in
                try await executor.check(plan, baseline: baseline)
            })
            // What came of it is told by whoever leads now.
            guard parts.fence.isLeading else { return }
            switch answer {
            case .success(let after?):
                await succeed(plan, verified: true, baseline: baseline, after: after)
                return
            case .success(nil): last = "it has not taken effect"
            case .failure(let failure): last = failure.message
            }
            guard parts.clock.now() < deadline else {
                await fail(
                    plan, stage: .verify, error: "not verified within \(plan.verifyWithin) s: \(last)",
                    before: baseline["before"])
                return
            }
            guard await paused() else { return }
        }
    }

    /// False when the process ends.
    private func paused() async -> Bool {
        do {
            try await parts.time.pause(for: Self.look)
            return true
        } catch {
            return false
        }
    }
}
