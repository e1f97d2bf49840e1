// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import Essentials
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import TestSupport

/// The daemon under measurement, on a data directory that outlives it.
struct Daemon: Sendable {
    private static let token = "admin-token-of-the-benchmark-0123456789abcdef"

    private let plane: Plane
    private let settings: BenchmarkSettings
    private let fleet: Fleet
    private let client: HTTPClient
    private let port: Int
    private let probePort: Int

    init(_ plane: Plane, settings: BenchmarkSettings, fleet: Fleet, client: HTTPClient) throws {
        self.plane = plane
        self.settings = settings
        self.fleet = fleet
        self.client = client
        port = try FreePort.next()
        probePort = try FreePort.next()
    }

    /// Starts it, runs `body` and ends it.
    func running<Value>(_ name: String, _ body: (PeerProcess) async throws -> Value) async throws -> Value {
        let watched = [Plane.ownNamespace] + Plane.tenantNamespaces(settings.namespaces)
        return try await PeerProcess.with(
            name: name, executable: settings.tollgate, arguments: ["run", "--kubeconfig", plane.kubeconfig],
            environment: [
                "TOLLGATE_LISTEN": "127.0.0.1:\(port)", "TOLLGATE_PROBE_LISTEN": "127.0.0.1:\(probePort)",
                "TOLLGATE_DATA_DIR": plane.folder.path("data"), "TOLLGATE_AUTH_TOKEN": Self.token,
                "TOLLGATE_DRAIN_DELAY": "0s", "TOLLGATE_WATCH_NAMESPACES": watched.joined(separator: ","),
                "TOLLGATE_TRUSTED_PROXIES": "127.0.0.1/32", "TOLLGATE_TOOL_KEYS": fleet.trustedKeys,
                "TOLLGATE_DECISION_TIMEOUT": "10s", "TOLLGATE_LOG_FORMAT": "json", "POD_NAME": "bench-0",
                "POD_NAMESPACE": Plane.ownNamespace, "POD_IP": "127.0.0.1",
            ], folder: plane.folder, patience: .seconds(30), body: body)
    }

    /// Waits until it serves.
    func waitUntilReady(_ process: PeerProcess) async throws {
        try await process.wait(forStatus: 200, of: "/readyz", port: probePort, within: .seconds(300))
    }

    /// Whether a request is let through.
    ///
    /// - Parameter address: who the client is; where all were one, it would be blocked for the failures of all.
    func allows(host: String, path: String, token: String? = nil, address: UInt32) async throws -> Bool {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/v1/forward-auth/nginx")
        request.headers.add(name: "X-Original-URL", value: "https://\(host)\(path)")
        request.headers.add(name: "X-Original-Method", value: "GET")
        request.headers.add(
            name: "X-Forwarded-For", value: "10.\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let response = try await client.execute(request, timeout: .seconds(30))
        _ = try await response.body.collect(upTo: 65_536)
        switch response.status.code {
        case 200: return true
        case 401, 403: return false
        default: throw BenchmarkFault("the decision about \(host)\(path) ended with \(response.status.code)")
        }
    }

    /// The sums of its metrics by name, and of calls of the API by method.
    func metrics() async throws -> [String: Double] {
        let text = try await PlainHTTP.send("GET", "/metrics", port: probePort).text
        var sums: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let blank = line.lastIndex(of: " "), let value = Double(line[line.index(after: blank)...]) else {
                continue
            }
            let series = line[..<blank]
            sums[String(series.prefix { $0 != "{" }), default: 0] += value
            guard series.hasPrefix("rest_client_requests_total"), let label = series.range(of: "method=\"") else {
                continue
            }
            sums["calls \(series[label.upperBound...].prefix { $0 != "\"" })", default: 0] += value
        }
        return sums
    }
}
