// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ControllerRuntime
package import Essentials
internal import Healing
internal import Logging
internal import Synchronization

extension Healer {
    // MARK: - People

    /// Lets live actions happen again.
    ///
    /// - Returns: whether they were halted.
    /// - Throws: `k8s.no_leader`, `healing.books_unavailable`.
    package func resume() async throws(Refusal) -> Bool {
        guard parts.fence.isLeading else { throw Self.notLeading }
        let wasHalted = try await order.withLock { () async throws(Refusal) -> Bool in
            do {
                try await loadIfNeeded()
                let before = books
                var after = before
                try await parts.store.write(after.resume(at: parts.clock.now()))
                // An action may have failed meanwhile: what that wrote is taken back too.
                let changes = state.withLock { $0.gates.books.resume(at: parts.clock.now()) }
                await store(changes)
                return before.halt != nil
            } catch {
                parts.logger.error("healing cannot be resumed", metadata: [LogKeys.error: "\(error)"])
                throw Refusal(.healingBooksUnavailable, retryAfterSeconds: 5)
            }
        }
        // Only an incident has to be closed: the others were told of an event.
        if wasHalted {
            _ = await parts.teller.tell(.resumed, ["reason": "somebody resumed it"], channels: [.pagerduty])
        }
        return wasHalted
    }

    // MARK: - Books

    func loadIfNeeded() async throws {
        guard !state.withLock(\.isLoaded) else { return }
        let records = try await parts.store.load()
        let (books, dropped) = HealingBooks.read(records, at: parts.clock.now())
        state.withLock { state in
            state.gates.books = books
            state.isLoaded = true
        }
        // What another began is brought to its end here.
        for entry in books.running { follow(entry.plan.id) }
        await store(dropped)
    }

    /// Stores what came of something that is done already: where that fails, the next pass does it.
    func store(_ changes: [BookChange]) async {
        guard !changes.isEmpty else { return }
        do {
            try await parts.store.write(changes)
        } catch {
            state.withLock { $0.isBehind = true }
            parts.logger.error("the healing books cannot be written", metadata: [LogKeys.error: "\(error)"])
        }
    }

    /// One pass of the leader: reads the books where it has begun to lead, writes what could not be written, shows that it lives.
    package func passOnce() async {
        guard parts.fence.isLeading else {
            state.withLock { $0.isLoaded = false }
            return
        }
        parts.metrics.beat(at: parts.clock.now())
        await order.withLock { () async -> Void in
            do {
                try await loadIfNeeded()
                // A short lapse of the Lease ends the waiting, and nobody begins to lead after it.
                for entry in books.running { follow(entry.plan.id) }
                let isBehind = state.withLock(\.isBehind)
                let stored = isBehind ? try await parts.store.load() : []
                let changes = state.withLock { state -> [BookChange] in
                    let pruned = state.gates.books.prune(at: parts.clock.now())
                    return pruned + (isBehind ? state.gates.books.catchUp(stored, at: parts.clock.now()) : [])
                }
                if !changes.isEmpty { try await parts.store.write(changes) }
                if isBehind { state.withLock { $0.isBehind = false } }
            } catch {
                parts.logger.error("the healing books cannot be kept", metadata: [LogKeys.error: "\(error)"])
            }
        }
    }
}
