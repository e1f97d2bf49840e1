// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import AuditTrail

/// Kills the daemon in the middle of token creations and decisions, again and again: what was acknowledged must be there afterwards.
///
/// `TOLLGATE_STORM_ROUNDS` says how often (3; `make soak` 50).
@Suite(.serialized, .timeLimit(.minutes(60)))
struct KillStormTests {
    /// A token whose creation was answered with 201.
    private struct Acknowledged: Sendable {
        let identifier: String
        let secret: String
        let requestID: String
    }

    /// What the workers were told, in order.
    private final class Ledger: Sendable {
        let made = Mutex<[Acknowledged]>([])
    }

    private static let rounds = ProcessInfo.processInfo.environment["TOLLGATE_STORM_ROUNDS"].flatMap(Int.init) ?? 3
    private static let workers = 4

    private static let manifests = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata:
          name: service
          namespace: default
        spec:
          hosts: [service.example]
          mode: required
          policy:
            builtinRoutes: false
            routes:
              - {methods: ["*"], path: "/reports/**", permission: "tasks:read"}
        """

    @Test func losesNothingThatWasAcknowledged() async throws {
        let daemon = try TollgateDaemon(
            manifests: Self.manifests,
            settings: [
                "TOLLGATE_AUDIT_DECISIONS": "full", "TOLLGATE_AUTH_RATE_LIMIT_IP": "0",
                "TOLLGATE_AUTH_RATE_LIMIT_IDENTITY": "0",
            ])
        var all: [Acknowledged] = []
        for round in 1...max(1, Self.rounds) {
            let made = try await daemon.running { process in
                try await storm(round: round, daemon: daemon, process: process)
            }
            all += made
            try await daemon.running { _ in
                try await check(made, daemon: daemon)
                try await checkAudit(all, daemon: daemon, round: round)
            }
        }
        #expect(all.count >= Self.rounds)
        try await daemon.running { _ in try await check(all, daemon: daemon) }
    }

    /// Creates tokens and asks for decisions from several sides, kills the daemon after some acknowledgements.
    private func storm(round: Int, daemon: TollgateDaemon, process: PeerProcess) async throws -> [Acknowledged] {
        let ledger = Ledger()
        let enough = Int.random(in: 5...80)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 1...Self.workers {
                group.addTask { await create(round: round, worker: worker, daemon: daemon, ledger: ledger) }
            }
            group.addTask { await decide(daemon: daemon, ledger: ledger) }
            group.addTask {
                try await Eventually.holds("\(enough) tokens", within: .seconds(120)) {
                    ledger.made.withLock { $0.count } >= enough
                }
                try await process.killNow()
            }
            try await group.waitForAll()
        }
        return ledger.made.withLock { $0 }
    }

    private func create(round: Int, worker: Int, daemon: TollgateDaemon, ledger: Ledger) async {
        for number in 1...100_000 {
            let identifier = "storm-\(round)-\(worker)-\(number)"
            // Sooner or later the daemon is gone: that ends the storm.
            let answer = try? await daemon.call(
                "POST", "/v1/service-tokens",
                body: .object(["identifier": .string(identifier), "scopes": .strings(["tasks:read"])]),
                headers: [("X-Request-Id", identifier)])
            guard let answer else { return }
            guard answer.status == 201, let secret = (try? answer.json())?["secret"]?.stringValue else {
                Issue.record("\(identifier): \(answer.status) \(answer.text)")
                return
            }
            ledger.made.withLock { $0.append(.init(identifier: identifier, secret: secret, requestID: identifier)) }
        }
    }

    private func decide(daemon: TollgateDaemon, ledger: Ledger) async {
        for _ in 1...100_000 {
            let token = ledger.made.withLock { $0.last?.secret } ?? "none"
            // As above.
            guard (try? await daemon.decide(host: "service.example", path: "/reports/1", token: token)) != nil else {
                return
            }
        }
    }

    /// Every token is known and its text is good.
    private func check(_ made: [Acknowledged], daemon: TollgateDaemon) async throws {
        for token in made {
            let shown = try await daemon.call("GET", "/v1/service-tokens/\(token.identifier)")
            #expect(shown.status == 200, "\(token.identifier) was acknowledged and is gone")
            let decision = try await daemon.decide(host: "service.example", path: "/reports/1", token: token.secret)
            #expect(decision["decision"]?.stringValue == "allow", "\(token.identifier): \(decision)")
        }
    }

    /// The chain holds, and every creation that was acknowledged is in it.
    private func checkAudit(_ made: [Acknowledged], daemon: TollgateDaemon, round: Int) async throws {
        let verified = try await daemon.command(["audit", "verify", "--path", daemon.auditPath])
        #expect(verified.status == 0, "round \(round): \(verified.output)")
        let recorded = try recordedRequests(below: daemon.auditPath)
        for token in made {
            #expect(recorded.contains(token.requestID), "round \(round): no audit entry for \(token.identifier)")
        }
    }

    /// The request ids of the successful entries in every segment.
    private func recordedRequests(below folder: String) throws -> Set<String> {
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
            $0.hasSuffix(".jsonl") || $0.hasSuffix(".jsonl.gz")
        }
        var ids: Set<String> = []
        for name in names {
            var reader = try SegmentReader(path: "\(folder)/\(name)")
            while let line = try reader.next({ _, bytes in Array(bytes) }) {
                // The last line of the segment that is being written may be half there.
                guard let entry = try? JSONParser.parse(line), entry["outcome"]?.stringValue == "success",
                    let id = entry["request_id"]?.stringValue
                else { continue }
                ids.insert(id)
            }
        }
        return ids
    }
}
