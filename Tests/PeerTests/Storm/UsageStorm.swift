// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Synchronization
internal import TestSupport

/// Clients that report usage and reserve credits, and repeat every call until it is answered: what a gateway does whose server is killed again
/// and again. The same seed makes the same calls.
final class UsageStorm: Sendable {
    /// What the clients know.
    private struct Known: Sendable {
        var acknowledged = 0
        var finished = 0
        /// Ids of the reservations of an account.
        var reservations: [(account: String, id: String)] = []
        var faults: [String] = []
    }

    static let source = "storm"
    /// Where usage is reported.
    static let reporting = ["storm-1", "storm-2", "storm-3"]
    /// Where credits are reserved: what is reported uses up the tokens of a day, after which nothing may be reserved.
    private static let reserving = ["hold-1", "hold-2"]
    static let accounts = reporting + reserving
    private static let workers = 4
    /// More than all events and reservations of a storm may cost.
    private static let credits: Int64 = 1_000_000_000_000_000

    /// How many events are reported.
    let events: Int
    private let seed: UInt64
    private let daemon: TollgateDaemon
    private let known = Mutex(Known())

    init(events: Int, seed: UInt64, daemon: TollgateDaemon) {
        self.events = events
        self.seed = seed
        self.daemon = daemon
    }

    /// Events that were answered as accepted or as repeats.
    var acknowledged: Int { known.withLock(\.acknowledged) }

    /// Whether every client is through.
    var isOver: Bool { known.withLock { $0.finished == Self.workers + 1 } }

    /// Reservations that were made, whatever became of them.
    var reservations: [(account: String, id: String)] { known.withLock(\.reservations) }

    /// Answers that must not be; empty as it should be.
    var faults: [String] { known.withLock(\.faults) }

    /// Gives the accounts what the storm costs. The daemon runs.
    func open() async throws {
        for account in Self.accounts {
            let answer = try await daemon.call(
                "POST", "/v1/billing/grants",
                body: [
                    "account": .string(account), "key": "storm", "micro_credits": .int(Self.credits), "reason": "test",
                ])
            guard answer.status == 201 else { throw PeerFault(message: "no credits: \(answer.text)") }
        }
    }

    /// Runs every client until all they have to say is acknowledged.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<Self.workers { group.addTask { try await self.report(worker) } }
            group.addTask { try await self.reserve() }
            try await group.waitForAll()
        }
    }

    private func end() { known.withLock { $0.finished += 1 } }

    private func fault(_ text: String) { known.withLock { $0.faults.append(text) } }

    // MARK: - Usage

    /// The account that an event belongs to.
    func account(of event: Int) -> String {
        Self.reporting[SeededRandom(seed: seed &+ UInt64(event)).below(Self.reporting.count)]
    }

    /// The tokens of an event: input and output.
    static func tokens(of event: Int) -> (input: Int64, output: Int64) {
        (Int64(event % 1999 + 1), Int64(event * 7 % 1000))
    }

    private func event(_ number: Int) -> JSONValue {
        let tokens = Self.tokens(of: number)
        return [
            "specversion": "1.0", "id": .string("\(number)"), "source": .string(Self.source),
            "type": "dev.tollgate.usage.tokens", "subject": .string(account(of: number)),
            "data": ["model": "gpt-4o-mini", "input": .int(tokens.input), "output": .int(tokens.output)],
        ]
    }

    /// Reports every fourth event or so, in batches of random sizes.
    private func report(_ worker: Int) async throws {
        let random = SeededRandom(seed: seed &* 31 &+ UInt64(worker))
        let largest = events >= 100_000 ? 1000 : 200
        var next = worker
        while next < events {
            var batch: [Int] = []
            for _ in 0...random.below(largest) where next < events {
                batch.append(next)
                next += Self.workers
            }
            let body = JSONValue.array(batch.map(event)).encoded()
            let answer = try await send("POST", "/v1/usage/events", body, type: "application/cloudevents-batch+json")
            let json = try answer.json()
            let counted = (json["accepted"]?.intValue ?? 0) + (json["duplicates"]?.intValue ?? 0)
            let isConflict = json["results"]?.arrayValue?.contains { $0["conflict"] == true } ?? true
            guard answer.status == 202, counted == Int64(batch.count), !isConflict else {
                return fault("a batch of \(batch.count): \(answer.status) \(answer.text.prefix(500))")
            }
            known.withLock { $0.acknowledged += batch.count }
        }
        end()
    }

    // MARK: - Reservations

    /// Makes reservations and commits, adds to, releases or forgets each.
    private func reserve() async throws {
        let random = SeededRandom(seed: seed &* 37)
        for number in 0..<max(40, min(2000, events / 100)) {
            let account = Self.reserving[random.below(Self.reserving.count)]
            let size = Int64(random.below(1_000_000) + 2)
            let made = try await send(
                "POST", "/v1/billing/reservations",
                JSONValue.object([
                    "account": .string(account), "key": .string("hold-\(number)"), "ttl": "10s",
                    "micro_credits": .int(size),
                ]).encoded())
            guard made.status == 201, let id = try made.json()["id"]?.stringValue else {
                return fault("no reservation: \(made.status) \(made.text)")
            }
            known.withLock { $0.reservations.append((account, id)) }
            let (verb, body): (String, JSONValue) =
                switch random.below(4) {
                case 0: ("commit", ["micro_credits": .int(size / 2)])
                case 1: ("increment", ["micro_credits": .int(size / 2), "hold_micro_credits": .int(size)])
                case 2: ("release", [:])
                default: ("", [:])
                }
            guard !verb.isEmpty else { continue }
            let answer = try await send(
                "POST", "/v1/billing/reservations/\(id)/\(verb)?account=\(account)", body.encoded())
            // It may have ended before an answer came through: then it says so.
            guard answer.status == 200 || answer.status == 409 else {
                return fault("\(verb): \(answer.status) \(answer.text)")
            }
        }
        end()
    }

    // MARK: - Means

    /// Sends a call again and again until there is an answer that is no fault of the server.
    private func send(
        _ method: String, _ path: String, _ body: [UInt8], type: String = "application/json"
    ) async throws -> PlainHTTP.Answer {
        let daemon = daemon
        return try await Eventually.value("an answer to \(path)", within: .seconds(600)) {
            // A server that is killed or not there yet gives none.
            let answer = try? await PlainHTTP.send(
                method, path, port: daemon.port,
                headers: [("Authorization", "Bearer \(TollgateDaemon.adminToken)"), ("Content-Type", type)],
                body: body)
            guard let answer, answer.status < 500 else { return nil }
            return answer
        }
    }
}
