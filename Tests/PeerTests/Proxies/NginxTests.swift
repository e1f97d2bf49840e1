// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// A real nginx, with the configuration of `docs/guides/nginx.md`.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct NginxTests {
    private let start: ProxyContract.Start = { port, tollgate, upstream, folder, body in
        let config = try GuideConfig.text(
            of: "nginx.md", language: "nginx",
            replacing: [
                ("127.0.0.1:8080", "127.0.0.1:\(tollgate)"), ("127.0.0.1:9000", "127.0.0.1:\(upstream)"),
                ("127.0.0.1:8000", "127.0.0.1:\(port)"),
            ])
        let file = try folder.write(config, to: "nginx.conf")
        let prefix = try folder.makeFolder("nginx")
        try await PeerProcess.with(
            name: "nginx", executable: PeerPaths.path(of: .nginx),
            arguments: ["-e", "stderr", "-p", prefix, "-c", file],
            folder: folder
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
