// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// A real Envoy that asks over gRPC, with the configuration of `docs/guides/envoy.md`.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct EnvoyGRPCTests {
    private let grpcPort: Int

    init() throws { grpcPort = try FreePort.next() }

    private var settings: [String: String] { ["TOLLGATE_GRPC_LISTEN": "127.0.0.1:\(grpcPort)"] }

    private var start: ProxyContract.Start {
        let grpcPort = grpcPort
        let start: ProxyContract.Start = { port, _, upstream, folder, body in
            let config = try GuideConfig.text(
                of: "envoy.md", below: "## Over gRPC", language: "yaml",
                replacing: [
                    ("port_value: 50051", "port_value: \(grpcPort)"), ("port_value: 9000", "port_value: \(upstream)"),
                    ("port_value: 8000", "port_value: \(port)"), ("timeout: 0.25s", "timeout: 10s"),
                ])
            let file = try folder.write(config, to: "envoy-grpc.yaml")
            try await PeerProcess.with(
                name: "envoy", executable: PeerPaths.path(of: .envoy),
                arguments: ["-c", file, "--log-level", "warning", "--use-dynamic-base-id", "--concurrency", "1"],
                folder: folder
            ) { process in
                try await process.wait(forPort: port)
                try await body()
            }
        }
        return start
    }

    @Test func keepsTheContract() async throws {
        try await ProxyContract.with(start, settings: settings) { contract, _ in
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

    @Test func passesRefusalsAndAnswersOnWhole() async throws {
        try await ProxyContract.with(start, settings: settings) { contract, _ in
            let allowed = try await contract.send("GET", "/reports/1", token: contract.token)
            #expect(allowed.value("X-Request-Id")?.isEmpty == false)
            let refused = try await contract.send("GET", "/vault/x", token: contract.token)
            #expect(refused.status == 403)
            #expect(refused.value("Content-Type") == "application/json")
            #expect(refused.value("X-Auth-Status") == "403")
            #expect(refused.text.contains("policy.scope_denied"))
            // The real status, which forward-auth for nginx could not tell.
            let elsewhere = try await PlainHTTP.send(
                "GET", "/reports/1", port: contract.port, headers: [("Host", "unknown.example")])
            #expect(elsewhere.status == 404)
            #expect(elsewhere.value("X-Auth-Reason") == "auth.no_config")
        }
    }

    @Test func letsNobodyInWhileTollgateIsAway() async throws {
        try await ProxyContract.with(start, settings: settings) { contract, tollgate in
            try await contract.accessReturns()
            await tollgate.end()
            try await contract.nobodyGetsInWithoutTollgate()
            try await contract.daemon.running { _ in try await contract.accessReturns() }
        }
    }

    /// What Tollgate cannot decide is an error of the call, never a denied response: Envoy then gives `status_on_error`.
    @Test func givesTheStatusForErrorsWhereTollgateCannotDecide() async throws {
        try await ProxyContract.with(start, settings: settings) { contract, _ in
            try await contract.accessReturns()
            try contract.daemon.folder.write(Self.broken, to: "manifests/broken.yaml")
            let before = contract.upstream.requests.count
            try await Eventually.holds("503 for the host without a usable AuthConfig") {
                let answer = try await PlainHTTP.send(
                    "GET", "/open/x", port: contract.port, headers: [("Host", "broken.example")])
                return answer.status == 503 && answer.value("X-Auth-Reason") == nil
            }
            #expect(contract.upstream.requests.count == before)
        }
    }

    private static let broken = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata:
          name: broken
          namespace: default
        spec:
          hosts: [broken.example]
          mode: sometimes
        """
}
