// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// A real Caddy, with the configuration of `docs/guides/caddy.md`.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct CaddyTests {
    private let start: ProxyContract.Start = { port, tollgate, upstream, folder, body in
        let config = try GuideConfig.text(
            of: "caddy.md", language: "caddyfile",
            replacing: [
                ("127.0.0.1:8080", "127.0.0.1:\(tollgate)"), ("127.0.0.1:9000", "127.0.0.1:\(upstream)"),
                ("http://:8000", "http://:\(port)"),
            ])
        let file = try folder.write(config, to: "Caddyfile")
        try await PeerProcess.with(
            name: "caddy", executable: PeerPaths.path(of: .caddy),
            arguments: ["run", "--config", file, "--adapter", "caddyfile"], folder: folder
        ) { process in
            try await process.wait(forPort: port)
            try await body()
        }
    }

    @Test func keepsTheContract() async throws {
        try await ProxyContract.with(start) { contract, _ in
            try await contract.allowedPassesWithIdentity()
            try await contract.spoofedIdentityDoesNotGetThrough()
            try await contract.misdirectionDoesNotHelp()
            try await contract.unauthenticatedCarriesChallenge()
            try await contract.forbiddenCarriesReason()
            try await contract.limitsReachTheClient()
            try await contract.apiKeysPassInEitherHeader()
            try await contract.disguisedPathReachesNothing()
        }
    }

    @Test func letsNobodyInWhileTollgateIsAway() async throws {
        try await ProxyContract.with(start) { contract, tollgate in
            try await contract.accessReturns()
            await tollgate.end()
            try await contract.nobodyGetsInWithoutTollgate()
            try await contract.daemon.running { _ in try await contract.accessReturns() }
        }
    }
}
