// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// A steady mixture of good and bad calls: right answers to the end, no growth, a clean stop.
///
/// `TOLLGATE_SOAK_SECONDS` says how long (5; `make soak` 600).
@Suite(.serialized, .timeLimit(.minutes(60)))
struct SoakTests {
    private static let seconds = ProcessInfo.processInfo.environment["TOLLGATE_SOAK_SECONDS"].flatMap(Int.init) ?? 5
    private static let workers = 4
    /// What a stored token costs in memory, record, principal and list together, with room.
    private static let kibibytesPerToken = 4

    /// What the kernel says about the daemon.
    private struct Usage {
        let residentKiB: Int
        let descriptors: Int

        init(of process: PeerProcess) throws {
            let status = try String(contentsOfFile: "/proc/\(process.id)/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
            residentKiB =
                line.split(separator: " ").dropFirst().first.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) }
                ?? 0
            descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.id)/fd").count
        }
    }

    @Test func staysRightAndSmall() async throws {
        let daemon = try TollgateDaemon(
            manifests: ProxyContract.manifests,
            settings: ["TOLLGATE_AUTH_RATE_LIMIT_IP": "0", "TOLLGATE_AUTH_RATE_LIMIT_IDENTITY": "0"])
        let endedByItself = try await daemon.running { process in
            let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
            // The first calls fill caches and pools: growth counts from there.
            _ = try await load(daemon: daemon, token: token, for: .seconds(2), mark: "warm")
            let before = try Usage(of: process)
            let made = try await load(daemon: daemon, token: token, for: .seconds(Self.seconds), mark: "soak")
            let after = try Usage(of: process)
            print("soak: \(made) passes, each of which makes a token; \(before) → \(after)")
            // Stored tokens stay in memory, revoked ones too: the rest may not grow.
            let stored = made * Self.kibibytesPerToken
            #expect(after.residentKiB < before.residentKiB + 64 * 1_024 + stored, "\(before) → \(after)")
            #expect(after.descriptors <= before.descriptors + 16, "\(before) → \(after)")
            let ended = await process.end(patience: .seconds(40))
            #expect(process.exitStatus == 0, "\(process.output.suffix(500))")
            return ended
        }
        #expect(endedByItself)
        let verified = try await daemon.command(["audit", "verify", "--path", daemon.auditPath])
        #expect(verified.status == 0, "\(verified.output)")
    }

    /// Calls from several sides for that long.
    ///
    /// - Returns: how many passes were made.
    private func load(
        daemon: TollgateDaemon, token: String, for length: Duration, mark: String
    ) async throws -> Int {
        let end = ContinuousClock.now + length
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 1...Self.workers {
                group.addTask {
                    var number = 0
                    while ContinuousClock.now < end {
                        number += 1
                        try await pass(daemon: daemon, token: token, identifier: "\(mark)-\(worker)-\(number)")
                    }
                    return number
                }
            }
            return try await group.reduce(0, +)
        }
    }

    /// One of each sort of call, each with the one right answer.
    private func pass(daemon: TollgateDaemon, token: String, identifier: String) async throws {
        let host = ProxyContract.host
        let allowed = try await daemon.decide(host: host, path: "/reports/1", token: token)
        #expect(allowed["decision"]?.stringValue == "allow", "\(allowed)")
        let refused = try await daemon.decide(host: host, path: "/vault/1", token: token)
        #expect(refused["code"]?.stringValue == "policy.scope_denied", "\(refused)")
        let crooked = try await daemon.decide(host: host, path: "/reports/%2e%2e/vault", token: token)
        #expect(crooked["code"]?.stringValue == "policy.path_invalid", "\(crooked)")

        #expect(try await forwardAuth("/reports/1", token: token, daemon: daemon) == 200)
        #expect(try await forwardAuth("/open/1", token: nil, daemon: daemon) == 200)
        #expect(try await forwardAuth("/reports/1", token: nil, daemon: daemon) == 401)
        #expect(try await forwardAuth("/vault/1", token: token, daemon: daemon) == 403)

        let broken = try await PlainHTTP.send(
            "POST", "/v1/decisions", port: daemon.port,
            headers: [("Authorization", "Bearer \(TollgateDaemon.adminToken)")], body: Array("{\"request\": [".utf8))
        #expect(broken.status == 400)

        let secret = try await daemon.mintToken(identifier, scopes: ["tasks:read"])
        let revoked = try await daemon.call(
            "POST", "/v1/service-tokens/\(identifier)/revoke", body: .object(["reason": "soak"]))
        #expect(revoked.status == 204)
        let after = try await daemon.decide(host: host, path: "/reports/1", token: secret)
        #expect(after["code"]?.stringValue == "auth.token_revoked", "\(after)")
    }

    private func forwardAuth(_ target: String, token: String?, daemon: TollgateDaemon) async throws -> Int {
        let origin = [
            ("X-Forwarded-Method", "GET"), ("X-Forwarded-Host", ProxyContract.host), ("X-Forwarded-Uri", target),
        ]
        let credential = token.map { [("Authorization", "Bearer \($0)")] } ?? []
        return try await PlainHTTP.send(
            "GET", "/v1/forward-auth/traefik", port: daemon.port, headers: origin + credential
        ).status
    }
}
