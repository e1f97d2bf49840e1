// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// The place of one fetched key set: read by every request, written by its runner.
final class RemoteKeySlot: Sendable {
    private struct State: Sendable {
        var machine: KeySetStateMachine
        var isFetchPending = false
        var armedFor: Timestamp?
        var isRetired = false
        var lastError: KeySetFetchError?
    }

    let source: RemoteKeySource
    let metrics: KeySetMetrics
    private let state: Mutex<State>

    init(source: RemoteKeySource, settings: KeySetSettings, metrics: KeySetMetrics, now: Timestamp) {
        self.source = source
        self.metrics = metrics
        state = Mutex(State(machine: KeySetStateMachine(settings: settings, now: now)))
    }

    /// The set, unless there is none or it is too old.
    func keys(now: Timestamp) -> KeySet? {
        state.withLock { $0.isRetired ? nil : $0.machine.keys(now: now) }
    }

    /// Whether this very version of the set is still in use.
    func serves(version: Fingerprint, now: Timestamp) -> Bool { keys(now: now)?.version == version }

    /// A token named a key that the set does not have.
    ///
    /// - Returns: what to answer, and whether the runner has to be woken.
    func missesKey(now: Timestamp) -> (answer: KeySetStateMachine.MissingKeyAnswer, wakes: Bool) {
        state.withLock { state in
            let (answer, action) = state.machine.missesKey(now: now)
            if action == .fetch { state.isFetchPending = true }
            return (answer, action == .fetch)
        }
    }

    /// What the runner has to do. An instant to wait for is given once.
    func nextAction(now: Timestamp) -> KeySetStateMachine.Action {
        state.withLock { state in
            guard !state.isFetchPending else {
                state.isFetchPending = false
                return .fetch
            }
            let action = state.machine.poll(now: now)
            guard case .wait(let instant) = action else { return action }
            guard state.armedFor != instant else { return .none }
            state.armedFor = instant
            return action
        }
    }

    /// The running fetch brought a set.
    func succeeded(_ keys: KeySet, cacheControl: String?, jitter: Double, now: Timestamp) {
        state.withLock { state in
            _ = state.machine.fetchSucceeded(keys, cacheControl: cacheControl, jitter: jitter, now: now)
            state.lastError = nil
        }
    }

    /// The running fetch failed.
    ///
    /// - Returns: how many fetches failed in a row.
    func failed(_ error: KeySetFetchError, now: Timestamp) -> Int {
        state.withLock { state in
            _ = state.machine.fetchFailed(now: now)
            state.lastError = error
            return state.machine.failures
        }
    }

    /// Nobody wants this set any more.
    func retire() { state.withLock { $0.isRetired = true } }

    /// What there is to say about it.
    func status(now: Timestamp) -> KeySetStatus {
        state.withLock { state in
            let keys = state.machine.keys(now: now)
            return KeySetStatus(
                source: source, keyCount: keys?.keys.count ?? 0, fetchedAt: state.machine.fetchedAt,
                isUsable: keys != nil, lastError: state.lastError?.description, problems: keys?.problems ?? [])
        }
    }
}
