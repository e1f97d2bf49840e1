// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import GRDB
internal import Synchronization

/// Writes to a database from one thread: all writes that wait are one transaction and one sync to disk.
///
/// A write that fails does not take the others with it: they are tried again one by one. Cancelling a caller changes nothing, because a write
/// that may have happened must be answered.
final class GroupCommitter: Sendable {
    /// One waiting write.
    private struct Job: Sendable {
        /// Does the work inside a transaction; what it returns is run once that is committed.
        let perform: @Sendable (Database) throws -> @Sendable () -> Void
        let fail: @Sendable (any Error) -> Void
    }

    private struct State: Sendable {
        var waiting: [Job] = []
        var isRunning = false
    }

    /// The most writes of one transaction.
    static let maximumBatch = 1024
    private let pool: DatabasePool
    private let queue = DispatchQueue(label: "tollgate.sqlite.writer")
    private let state = Mutex(State())

    init(pool: DatabasePool) { self.pool = pool }

    /// Runs the body in a transaction; its effect is durable when this returns.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let job = Job(
                perform: { db in
                    let value = try body(db)
                    return { continuation.resume(returning: value) }
                },
                fail: { continuation.resume(throwing: $0) })
            let begins = state.withLock { state in
                state.waiting.append(job)
                defer { state.isRunning = true }
                return !state.isRunning
            }
            if begins { queue.async { self.drain() } }
        }
    }

    private func drain() {
        while let batch = nextBatch() { commit(batch) }
    }

    private func nextBatch() -> [Job]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isRunning = false
                return nil
            }
            let batch = Array(state.waiting.prefix(Self.maximumBatch))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }

    private func commit(_ batch: [Job]) {
        do {
            let answers = try inTransaction { db in try batch.map { try $0.perform(db) } }
            for answer in answers { answer() }
        } catch  where batch.count == 1 {
            batch[0].fail(error)
        } catch {
            for job in batch { commit([job]) }
        }
    }

    private func inTransaction<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try pool.writeWithoutTransaction { db in
            var value: Value?
            try db.inTransaction(.immediate) {
                value = try body(db)
                return .commit
            }
            guard let value else { throw SQLiteStoreError(.closed, "The transaction did not run") }
            return value
        }
    }
}
