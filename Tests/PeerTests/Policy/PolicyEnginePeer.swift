// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport

/// The shipped Rego policies in a real engine behind OPA's data API. It can be told to misbehave.
struct PolicyEnginePeer {
    let port: Int
    let process: PeerProcess

    var url: String { "http://127.0.0.1:\(port)" }

    /// Runs `body` while the engine answers.
    static func with<Value>(
        port: Int? = nil, folder: TemporaryDirectory? = nil, body: (PolicyEnginePeer) async throws -> Value
    ) async throws -> Value {
        let port = try port ?? FreePort.next()
        return try await PeerProcess.with(
            name: "policy-engine", executable: PeerPaths.path(of: .policyEngine),
            arguments: ["serve", Repository.root.appending(path: "policies").path, "\(port)"],
            folder: folder ?? TemporaryDirectory()
        ) { process in
            try await process.wait(forStatus: 200, of: "/health", port: port)
            return try await body(PolicyEnginePeer(port: port, process: process))
        }
    }

    /// Says how it misbehaves from now on; `{}` = not at all.
    func misbehave(_ fault: JSONValue) async throws {
        let answer = try await PlainHTTP.send("PUT", "/fault", port: port, body: fault.encoded())
        guard answer.status == 200 else { throw PeerFault(message: "the policy engine: \(answer.status)") }
    }

    /// How many questions it was asked, and over how many connections.
    func stats() async throws -> (questions: Int64, connections: Int64) {
        let stats = try await PlainHTTP.send("GET", "/stats", port: port).json()
        return (stats["questions"]?.intValue ?? -1, stats["connections"]?.intValue ?? -1)
    }
}
