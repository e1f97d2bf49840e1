// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport

/// The real daemon, standalone, on manifests and a data directory of its own. It can be stopped and started again.
struct TollgateDaemon {
    /// The admin token of every daemon of these tests.
    static let adminToken = "admin-token-of-the-peer-tests-0123456789abcdef"

    let folder: TemporaryDirectory
    /// The API and decision listener.
    let port: Int
    /// The probe listener.
    let probePort: Int
    private let manifests: String
    private let settings: [String: String]

    /// - Parameters:
    ///   - manifests: what stands in the one manifest file.
    ///   - settings: settings beside the usual ones, or instead of them.
    ///   - listen: the port, where another must know it before there is a daemon; nil = a free one.
    init(manifests: String, settings: [String: String] = [:], listen: Int? = nil) throws {
        self.folder = try TemporaryDirectory()
        self.port = try listen ?? FreePort.next()
        self.probePort = try FreePort.next()
        try folder.write(manifests, to: "manifests/objects.yaml")
        self.manifests = folder.path("manifests")
        self.settings = settings
    }

    /// The folder with the audit segments.
    var auditPath: String { folder.path("data/audit") }

    /// The environment the daemon gets.
    var environment: [String: String] {
        [
            "TOLLGATE_LISTEN": "127.0.0.1:\(port)",
            "TOLLGATE_PROBE_LISTEN": "127.0.0.1:\(probePort)",
            "TOLLGATE_TRUSTED_PROXIES": "127.0.0.1/32",
            "TOLLGATE_DATA_DIR": folder.path("data"),
            "TOLLGATE_AUTH_TOKEN": Self.adminToken,
            // A debug build on a busy machine: these tests are about right answers, not about fast ones.
            "TOLLGATE_DECISION_TIMEOUT": "10s",
            "TOLLGATE_DRAIN_DELAY": "0s",
            "TOLLGATE_LOG_FORMAT": "text",
        ].merging(settings) { $1 }
    }

    /// Runs `body` while the daemon runs and is ready.
    func running<Value>(_ body: (PeerProcess) async throws -> Value) async throws -> Value {
        try await PeerProcess.with(
            name: "tollgate", executable: PeerPaths.tollgate(), arguments: ["run", "--manifests", manifests],
            environment: environment, folder: folder
        ) { process in
            try await process.wait(forStatus: 200, of: "/readyz", port: probePort, within: .seconds(120))
            return try await body(process)
        }
    }

    /// Runs a command of the same binary with the same settings.
    func command(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        try await PeerProcess.run(
            name: "tollgate-command", executable: PeerPaths.tollgate(), arguments: arguments, environment: environment,
            folder: folder)
    }

    /// Calls the own API as the administrator.
    func call(
        _ method: String, _ path: String, body: JSONValue? = nil, headers: [(String, String)] = []
    ) async throws -> PlainHTTP.Answer {
        try await PlainHTTP.send(
            method, path, port: port,
            headers: [("Authorization", "Bearer \(Self.adminToken)"), ("Content-Type", "application/json")] + headers,
            body: body?.encoded() ?? [])
    }

    /// Mints a service token.
    ///
    /// - Returns: its text.
    func mintToken(_ identifier: String, scopes: [String]) async throws -> String {
        let answer = try await call(
            "POST", "/v1/service-tokens",
            body: .object(["identifier": .string(identifier), "scopes": .strings(scopes)]))
        guard answer.status == 201, let secret = try answer.json()["secret"]?.stringValue else {
            throw PeerFault(message: "no token \(identifier): \(answer.status) \(answer.text)")
        }
        return secret
    }

    /// Makes an API key of an account.
    ///
    /// - Returns: its text.
    func mintKey(_ name: String, account: String, scopes: [String]) async throws -> String {
        let answer = try await call(
            "POST", "/v1/api-keys",
            body: .object([
                "name": .string(name), "account_id": .string(account), "scopes": .strings(scopes),
            ]))
        guard answer.status == 201, let key = try answer.json()["key"]?.stringValue else {
            throw PeerFault(message: "no key \(name): \(answer.status) \(answer.text)")
        }
        return key
    }

    /// Asks the JSON door about a GET.
    func decide(host: String, path: String, token: String) async throws -> JSONValue {
        let answer = try await call(
            "POST", "/v1/decisions",
            body: .object([
                "request": .object(["method": "GET", "host": .string(host), "path": .string(path)]),
                "credential": .string(token),
            ]))
        guard answer.status == 200 || answer.status == 503 else {
            throw PeerFault(message: "not a decision: \(answer.status) \(answer.text)")
        }
        return try answer.json()
    }
}
