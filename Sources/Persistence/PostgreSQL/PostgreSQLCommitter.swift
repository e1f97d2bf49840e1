// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Writes to a database in one transaction at a time: all writes that wait go together and are committed once.
///
/// A write that fails does not take the others with it: one that is refused before it has changed anything is told so when the others are
/// committed, and otherwise they are tried again one by one. Cancelling a caller changes nothing, because a write
/// that may have happened must be answered. Nobody waits for company: what comes while a transaction runs makes the next one.
final class PostgreSQLCommitter: Sendable {
    /// What a caller that waits is told.
    private enum Turn: Sendable {
        /// The write is over; with an error nothing of it was kept.
        case done((any Error)?)
        /// Nobody runs transactions: the caller runs the next one, which is with its own write.
        case lead
    }

    /// One waiting write.
    private struct Job: Sendable {
        /// Writes of one transaction run in this order, so that replicas take rows in one order too.
        let order: String
        let locks: [String]
        let perform: @Sendable (PostgreSQLWrite) throws -> Void
        let waiting: CheckedContinuation<Turn, Never>
    }

    private struct State: Sendable {
        var waiting: [Job] = []
        var isRunning = false
    }

    /// The most writes of one transaction.
    static let maximumBatch = 128
    private let database: PostgreSQLDatabase
    private let state = Mutex(State())

    init(_ database: PostgreSQLDatabase) { self.database = database }

    /// Runs the body in a transaction; its effect is durable when this returns. The body may run more than once and must do nothing but
    /// write.
    ///
    /// - Parameters:
    ///   - order: names what is written, for the order in which writes of one transaction run.
    ///   - locks: what no other replica may change meanwhile. All locks of a transaction are taken first, in one order.
    /// - Throws: `PostgreSQLError`, or what the body throws.
    func write<Value: Sendable>(
        order: String, locks: [String] = [], _ body: @escaping @Sendable (PostgreSQLWrite) throws -> Value
    ) async throws -> Value {
        let outcome = Outcome<Value>()
        let turn = await withCheckedContinuation { continuation in
            let job = Job(
                order: order, locks: locks, perform: { outcome.put(try body($0)) }, waiting: continuation)
            let leads = state.withLock { state in
                state.waiting.append(job)
                defer { state.isRunning = true }
                return !state.isRunning
            }
            if leads { continuation.resume(returning: .lead) }
        }
        let failure: (any Error)?
        switch turn {
        case .done(let error): failure = error
        case .lead: failure = await lead()
        }
        if let failure { throw failure }
        guard let value = outcome.value else { throw PostgreSQLError(.unreadable, "A write ended without a value") }
        return value
    }

    /// Runs one transaction, with the own write as its first, and hands the lead to whoever has waited longest since.
    ///
    /// - Returns: why the own write failed.
    private func lead() async -> (any Error)? {
        let batch = state.withLock { state in
            let batch = Array(state.waiting.prefix(Self.maximumBatch))
            state.waiting.removeFirst(batch.count)
            return batch
        }
        let failures = await commit(batch)
        for (job, failure) in zip(batch, failures).dropFirst() { job.waiting.resume(returning: .done(failure)) }
        let next = state.withLock { state -> Job? in
            state.isRunning = !state.waiting.isEmpty
            return state.waiting.first
        }
        next?.waiting.resume(returning: .lead)
        return failures.first ?? nil
    }

    /// - Returns: for each write, why it failed.
    private func commit(_ batch: [Job]) async -> [(any Error)?] {
        switch await attempt(batch) {
        case .success(let failures): return failures
        case .failure(let failure):
            guard batch.count > 1, Self.isOfOneWrite(failure) else {
                return Array(repeating: failure, count: batch.count)
            }
        }
        var failures: [(any Error)?] = []
        for job in batch {
            switch await attempt([job]) {
            case .success(let alone): failures += alone
            case .failure(let failure): failures.append(failure)
            }
        }
        return failures
    }

    /// Whether the other writes of a transaction may do better without the one that failed.
    private static func isOfOneWrite(_ error: any Error) -> Bool {
        guard let error = error as? PostgreSQLError else { return true }
        return switch error.code {
        case .unavailable, .timeout, .overloaded, .outcomeUnknown, .closed, .refusedRole: false
        default: true
        }
    }

    /// - Returns: when it was committed, for each write why it was refused; else why nothing was kept.
    private func attempt(_ batch: [Job]) async -> Result<[(any Error)?], any Error> {
        let locks = Array(Set(batch.flatMap(\.locks)))
        let ordered = batch.indices.sorted {
            batch[$0].order.utf8.lexicographicallyPrecedes(batch[$1].order.utf8)
        }
        do {
            return .success(
                try await database.transaction(.none) { transaction in
                    if !locks.isEmpty { try Self.take(locks, transaction) }
                    let write = PostgreSQLWrite(transaction)
                    var failures: [(any Error)?] = Array(repeating: nil, count: batch.count)
                    for index in ordered { failures[index] = try Self.perform(batch[index], write) }
                    try write.announceAll()
                    return failures
                })
        } catch {
            return .failure(error)
        }
    }

    /// - Returns: why the write was refused, if it had changed nothing yet: then the others can go on.
    /// - Throws: what takes the whole transaction back.
    private static func perform(_ job: Job, _ write: PostgreSQLWrite) throws -> (any Error)? {
        let changes = write.changes
        do {
            try job.perform(write)
            return nil
        } catch let error as PostgreSQLError {
            throw error
        } catch  where write.changes == changes {
            return error
        }
    }

    /// Takes locks that end with the transaction, always in the same order.
    private static func take(_ locks: [String], _ transaction: PostgreSQLTransaction) throws(PostgreSQLError) {
        try transaction.execute(
            """
            SELECT pg_catalog.pg_advisory_xact_lock(s.number) FROM (
                SELECT DISTINCT pg_catalog.hashtextextended(n.name, 1413957972) AS number
                FROM unnest($1::text[]) AS n (name) ORDER BY number) s
            """, [.texts(locks)])
    }
}

/// What a body of a write left, put there each time that it ran.
private final class Outcome<Value: Sendable>: Sendable {
    private let state = Mutex<Value?>(nil)

    var value: Value? { state.withLock { $0 } }

    func put(_ value: Value) { state.withLock { $0 = value } }
}
