// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ControllerRuntime
internal import Essentials
internal import Healing
internal import Synchronization

extension Healer {
    /// Does what was decided; where it goes on after the answer, its end is awaited elsewhere.
    func act(_ plan: PlannedAction, _ alert: Alert) async throws(Refusal) -> AlertResult {
        let result: Result<AlertResult, Refusal>
        do throws(Refusal) {
            result = .success(
                plan.action.actsOnCluster ? try await carryOut(plan, alert) : try await notify(plan, alert))
        } catch {
            result = .failure(error)
        }
        state.withLock { _ = $0.watched.remove(plan.id) }
        if books.entries[plan.id]?.state == .verifying { follow(plan.id) }
        return try result.get()
    }

    private func notify(_ plan: PlannedAction, _ alert: Alert) async throws(Refusal) -> AlertResult {
        guard parts.fence.isLeading else { throw Self.notLeading }
        let fault = await parts.teller.tell(
            .told, HealingEvent.dryRun(plan).members, channels: plan.channels, labels: plan.labels,
            requestID: plan.requestID)
        if let fault {
            await fail(plan, stage: .apply, error: fault)
            return AlertResult(alert, .failed, reason: HealingEvent.Stage.apply.rawValue, command: plan.command)
        }
        await succeed(plan, verified: true, baseline: JSONObject(), after: .null)
        return AlertResult(alert, .executed, command: plan.command)
    }

    /// Carries an action out as far as the API server's answer.
    ///
    /// - Throws: `k8s.no_leader`: what the books say is brought to its end by whoever leads next.
    private func carryOut(_ plan: PlannedAction, _ alert: Alert) async throws(Refusal) -> AlertResult {
        let prepared = await limited { executor throws(ActionFault) in try await executor.prepare(plan) }
        guard parts.fence.isLeading else { throw Self.notLeading }
        let baseline: JSONObject
        switch prepared {
        case .success(let read): baseline = read
        case .failure(let failure):
            await fail(plan, stage: failure.stage, error: failure.message)
            return AlertResult(alert, .failed, reason: failure.stage.rawValue, command: plan.command)
        }
        if let fault = try await obstacle(plan, baseline) {
            await store(state.withLock { $0.gates.books.forget(plan.id) })
            return await refused(plan, alert, fault)
        }
        if drawsChaos() {
            let error = "not sent: AUTOHEAL_CHAOS_FAILURE_RATE drew this action"
            await parts.recorder.result(plan, error: error)
            await fail(plan, stage: .apply, error: error, isChaos: true, before: baseline["before"])
            return AlertResult(alert, .failed, reason: HealingEvent.Stage.apply.rawValue, command: plan.command)
        }
        let applied = await limited { executor throws(ActionFault) in
            try await executor.apply(plan, baseline: baseline)
        }
        switch applied {
        case .failure(let failure):
            await parts.recorder.result(plan, error: parts.redact(failure.message))
            guard parts.fence.isLeading else { throw Self.notLeading }
            await fail(plan, stage: failure.stage, error: failure.message, before: baseline["before"])
            return AlertResult(alert, .failed, reason: failure.stage.rawValue, command: plan.command)
        case .success(var baseline):
            await parts.recorder.result(plan, error: nil)
            guard parts.fence.isLeading else { throw Self.notLeading }
            if plan.verifyWithin == 0 {
                await succeed(plan, verified: false, baseline: baseline, after: .null)
            } else {
                baseline[Self.accepted] = .int(parts.clock.now().microseconds)
                await store(
                    state.withLock { $0.gates.books.update(plan.id, state: .verifying, baseline: baseline) })
            }
            return AlertResult(alert, .executed, command: plan.command)
        }
    }

    /// What has to be in order before anything is sent: the baseline is stored, the intent recorded, the Lease held. Nil when all is.
    private func obstacle(_ plan: PlannedAction, _ baseline: JSONObject) async throws(Refusal) -> String? {
        do {
            try await parts.store.write(
                state.withLock { $0.gates.books.update(plan.id, state: .sending, baseline: baseline) })
        } catch {
            guard parts.fence.isLeading else { throw Self.notLeading }
            return "the books cannot be written: \(error)"
        }
        do throws(Refusal) {
            try await parts.recorder.intent(plan, before: baseline["before"] ?? .null)
        } catch {
            return "the intent cannot be recorded: \(error.message)"
        }
        guard parts.fence.isLeading else {
            await parts.recorder.result(plan, error: "not sent: this replica does not lead any more")
            throw Self.notLeading
        }
        return nil
    }

    private func drawsChaos() -> Bool {
        guard parts.chaosPermille > 0 else { return false }
        let bytes = parts.random.bytes(4)
        let number = bytes.reduce(0) { $0 << 8 | Int($1) }
        return number % 1000 < parts.chaosPermille
    }
}
