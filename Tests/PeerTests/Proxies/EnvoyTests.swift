// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// A real Envoy, with the configuration of `docs/guides/envoy.md`.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct EnvoyTests {
    private let start: ProxyContract.Start = { port, tollgate, upstream, folder, body in
        let config = try GuideConfig.text(
            of: "envoy.md", language: "yaml",
            replacing: [
                ("http://127.0.0.1:8080", "http://127.0.0.1:\(tollgate)"),
                ("port_value: 8080", "port_value: \(tollgate)"),
                ("port_value: 9000", "port_value: \(upstream)"), ("port_value: 8000", "port_value: \(port)"),
                ("timeout: 0.25s", "timeout: 10s"),
            ])
        let file = try folder.write(config, to: "envoy.yaml")
        try await PeerProcess.with(
            name: "envoy", executable: PeerPaths.path(of: .envoy),
            arguments: ["-c", file, "--log-level", "warning", "--use-dynamic-base-id", "--concurrency", "1"],
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
