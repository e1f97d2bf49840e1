// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Essentials
internal import GRDB
internal import Synchronization

/// Writes to a database from one thread: all writes that wait are one transaction and one sync to disk.
///
/// A write that fails does not take the others with it: they are tried again, each for itself. Cancelling a caller changes nothing, because a write
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
    /// After this time a transaction takes no more writes: who waits for it is answered, and a sync costs little beside it.
    static let longestNanoseconds: Int64 = 5_000_000
    private let pool: any DatabaseWriter
    private let queue = DispatchQueue(label: "tollgate.sqlite.writer")
    private let state = Mutex(State())

    init(pool: any DatabaseWriter) { self.pool = pool }

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
        var rest = batch[...]
        while !rest.isEmpty {
            do {
                let answers = try inTransaction { db in
                    let watch = Stopwatch()
                    var answers: [@Sendable () -> Void] = []
                    for job in rest where answers.isEmpty || watch.nanoseconds < Self.longestNanoseconds {
                        answers.append(try job.perform(db))
                    }
                    return answers
                }
                rest = rest.dropFirst(answers.count)
                for answer in answers { answer() }
            } catch {
                return commitApart(Array(rest), because: error)
            }
        }
    }

    /// Commits what a failure has taken back, each write for itself within one transaction, so that who fails again fails alone.
    private func commitApart(_ batch: [Job], because error: any Error) {
        if batch.count == 1 { return batch[0].fail(error) }
        let outcomes: [Result<@Sendable () -> Void, any Error>]
        do {
            outcomes = try inTransaction { db in
                try batch.map { job in
                    do {
                        return .success(try Self.inSavepoint(db) { try job.perform(db) })
                    } catch {
                        // Some failures end the whole transaction: then nothing of it was kept.
                        guard db.isInsideTransaction else { throw error }
                        return .failure(error)
                    }
                }
            }
        } catch {
            for job in batch { job.fail(error) }
            return
        }
        for (job, outcome) in zip(batch, outcomes) {
            switch outcome {
            case .success(let answer): answer()
            case .failure(let error): job.fail(error)
            }
        }
    }

    private static func inSavepoint<Value>(_ db: Database, _ body: () throws -> Value) throws -> Value {
        var value: Value?
        try db.inSavepoint {
            value = try body()
            return .commit
        }
        guard let value else { throw SQLiteStoreError(.closed, "The write did not run") }
        return value
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
