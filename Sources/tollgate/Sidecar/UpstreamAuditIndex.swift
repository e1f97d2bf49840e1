// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Connectors
internal import Essentials
internal import Logging
internal import RuntimeState
internal import Synchronization

/// Hands the entries of a sidecar's trail to its operator, behind the writer, in order. The segments on disk are what waits: while the operator
/// is away entries are read from there later, and a note says how far it has come.
final class UpstreamAuditIndex: AuditIndexing {
    /// Entries in one report, and the bytes that it has about at most.
    static let reportSize = 200
    static let reportBytes = 512 << 10
    private static let lastBackoff = Duration.seconds(30)
    /// What is tried once more when the process ends may take so long.
    private static let patienceAtEnd = Duration.seconds(3)

    /// The least time between two reports: what comes meanwhile goes together.
    private static let spacing = Duration.seconds(1)

    private struct State {
        var reportedAt: Duration?
        var sequences: [String: Int64]?
        var isEnding = false
    }

    private let client: any UpstreamCalling
    private let inner: (any AuditIndexing)?
    private let notePath: String
    private let time: any MonotonicClock
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - inner: what queries of this process are answered from; nil = only what is in memory.
    ///   - notePath: the file that says how far the operator has the trail.
    init(
        client: any UpstreamCalling, inner: (any AuditIndexing)?, notePath: String, time: any MonotonicClock,
        logger: Logger
    ) {
        self.client = client
        self.inner = inner
        self.notePath = notePath
        self.time = time
        self.logger = logger
    }

    func lastSequence(writer: String) async throws -> Int64 {
        let own = try sequences()[writer] ?? 0
        guard let inner else { return own }
        return min(own, try await inner.lastSequence(writer: writer))
    }

    func add(_ rows: [AuditRow]) async throws {
        try await inner?.add(rows)
        let known = try sequences()
        let new = rows.filter { $0.sequence > known[$0.writer] ?? 0 }
        var start = 0
        while start < new.count {
            var end = start
            var bytes = 0
            while end < new.count, end - start < Self.reportSize, bytes < Self.reportBytes {
                bytes += new[end].line.count
                end += 1
            }
            try await hand(Array(new[start..<end]))
            start = end
        }
    }

    func forget(writer: String, before sequence: Int64) async throws {
        try await inner?.forget(writer: writer, before: sequence)
    }

    func removeAll(writer: String) async throws {
        try await inner?.removeAll(writer: writer)
        var known = try sequences()
        known[writer] = nil
        try note(known)
    }

    func rows(_ request: AuditIndexRequest) async throws(Refusal) -> [AuditRow] {
        guard let inner else { return [] }
        return try await inner.rows(request)
    }

    private enum Fate {
        case taken
        /// For good: the report is larger than the operator takes.
        case tooLarge
        /// For good: it will be refused again as it is.
        case refused(UpstreamError)

        /// Nil for what may pass later.
        init?(_ error: any Error) {
            guard let error = error as? UpstreamError else { return nil }
            switch error.status {
            case 413: self = .tooLarge
            case 400, 422: self = .refused(error)
            default: return nil
            }
        }
    }

    /// Hands on entries, in halves where they are too much. What is refused for good is passed over: what comes after it must not wait for ever,
    /// and it stays in the trail on disk.
    private func hand(_ rows: [AuditRow]) async throws {
        guard let first = rows.first, let last = rows.last else { return }
        switch try await send(rows, from: first, to: last) {
        case .taken: break
        case .tooLarge where rows.count > 1:
            let middle = rows.count / 2
            try await hand(Array(rows[..<middle]))
            return try await hand(Array(rows[middle...]))
        case .tooLarge: warn(first, last, "larger than the operator takes")
        case .refused(let error): warn(first, last, error.message)
        }
        var known = try sequences()
        known[last.writer] = last.sequence
        try note(known)
    }

    private func warn(_ first: AuditRow, _ last: AuditRow, _ reason: String) {
        logger.warning(
            "audit entries \(first.sequence) to \(last.sequence) stay here alone: the operator does not take them",
            metadata: [LogKeys.error: "\(reason)"])
    }

    /// Sends a report until it is taken or refused for good; once only when the process is ending.
    private func send(_ rows: [AuditRow], from first: AuditRow, to last: AuditRow) async throws -> Fate {
        let report = SidecarRecords(
            // A line that cannot be read back is the verifier's to find.
            writer: first.writer, entries: rows.compactMap { try? JSONParser.parse($0.line) }
        ).encoded()
        let key = "\(first.writer)-\(first.id)-\(last.sequence)"
        var backoff = Duration.milliseconds(500)
        try await space()
        while true {
            let isEnding = state.withLock(\.isEnding)
            do {
                let problem = await time.limited(to: isEnding ? Self.patienceAtEnd : .seconds(60)) { [client] in
                    do throws(UpstreamError) {
                        try await client.report(report, key: key)
                        return UpstreamError?.none
                    } catch {
                        return error
                    }
                }
                guard let problem else {
                    throw UpstreamError(.unreachable, "no answer in time")
                }
                if let problem { throw problem }
                return .taken
            } catch {
                if let fate = Fate(error) { return fate }
                guard !isEnding else { throw error }
                logger.debug("audit entries were not handed on", metadata: [LogKeys.error: "\(error)"])
            }
            try await pause(for: backoff)
            backoff = min(backoff * 2, Self.lastBackoff)
        }
    }

    private func space() async throws {
        let now = time.now()
        let rest = state.withLock { state -> Duration in
            guard !state.isEnding, let before = state.reportedAt else { return .zero }
            return before + Self.spacing - now
        }
        if rest > .zero { try await pause(for: rest) }
        let began = time.now()
        state.withLock { $0.reportedAt = began }
    }

    /// A pause that ends early means that the process ends.
    private func pause(for duration: Duration) async throws {
        do {
            try await time.pause(for: duration)
        } catch {
            state.withLock { $0.isEnding = true }
            throw CancellationError()
        }
    }

    private func sequences() throws -> [String: Int64] {
        if let known = state.withLock(\.sequences) { return known }
        var known: [String: Int64] = [:]
        // A note that cannot be read means that everything is handed on once more, which the operator can tell by the entries' ids.
        if let bytes = try DurableFile.read(notePath), let object = (try? JSONParser.parse(bytes))?.objectValue {
            for member in object.members { known[member.name] = member.value.intValue }
        }
        state.withLock { [known] in $0.sequences = known }
        return known
    }

    private func note(_ sequences: [String: Int64]) throws {
        let object = JSONObject(sequences.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.int($0.value)) })
        try DurableFile.write(JSONValue.object(object).encoded() + [0x0A], to: notePath)
        state.withLock { $0.sequences = sequences }
    }
}
