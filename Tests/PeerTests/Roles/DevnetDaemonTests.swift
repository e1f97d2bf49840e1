// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// The real binary as a development server.
@Suite(.timeLimit(.minutes(10))) struct DevnetDaemonTests {
    private static func environment(_ port: Int, _ probePort: Int) -> [String: String] {
        [
            "TOLLGATE_LISTEN": "127.0.0.1:\(port)", "TOLLGATE_PROBE_LISTEN": "127.0.0.1:\(probePort)",
            "TOLLGATE_DRAIN_DELAY": "0s", "TOLLGATE_LOG_FORMAT": "json", "TOLLGATE_DECISION_TIMEOUT": "10s",
        ]
    }

    @Test func showsAccountsWorthSeeing() async throws {
        let folder = try TemporaryDirectory()
        let (port, probePort) = (try FreePort.next(), try FreePort.next())
        let environment = Self.environment(port, probePort)
        let data = folder.path(".local")
        try await PeerProcess.with(
            name: "tollgate", executable: PeerPaths.tollgate(), arguments: ["run", "--devnet"],
            environment: environment, folder: folder
        ) { process in
            try await process.wait(forStatus: 200, of: "/readyz", port: probePort)
            let lines = process.output.split(separator: "\n").map(String.init)
            let keys = lines.compactMap { line -> (account: String, key: String)? in
                let words = line.split(separator: " ").map(String.init)
                guard line.hasPrefix("tollgate devnet: API key of "), words.count > 5 else { return nil }
                return (words[5], words[words.count - 1])
            }
            #expect(keys.map(\.account) == ["demo-free", "demo-pro", "demo-enterprise"])
            let logged = lines.filter { $0.hasPrefix("{") }
            #expect(!logged.isEmpty)
            #expect(try logged.allSatisfy { try JSONParser.parse(text: $0)["devnet"] == "true" })
            for (_, key) in keys { #expect(!logged.contains { $0.contains(key) }, "a key is in the log") }
            for (account, key) in keys { try await Self.look(at: account, key, port) }
            let metrics = try await PlainHTTP.send("GET", "/metrics", port: probePort).text
            #expect(metrics.contains("\ntollgate_devnet 1\n"))
            #expect(await process.end())
            #expect(process.exitStatus == 0)
        }
        #expect(!FileManager.default.fileExists(atPath: data), "it keeps nothing")
    }

    private static func look(at account: String, _ key: String, _ port: Int) async throws {
        func get(_ path: String) async throws -> JSONValue {
            let answer = try await PlainHTTP.send("GET", path, port: port, headers: [("X-API-Key", key)])
            #expect(answer.status == 200, "\(account) \(path): \(answer.text)")
            return try answer.json()
        }
        let usage = try await get("/v1/billing/usage")
        #expect((usage["tasks_used"]?.intValue ?? 0) > 0, "\(account): \(usage)")
        #expect((usage["credits"]?["used_micro_credits"]?.intValue ?? 0) > 0, "\(account): \(usage)")
        let forecast = try await get("/v1/billing/forecast")
        #expect(forecast["confidence"] == "high", "\(account): \(forecast)")
        let series = try await get("/v1/billing/usage/series?granularity=day&group_by=model")
        #expect((series["buckets"]?.arrayValue?.count ?? 0) >= 30, "\(account): \(series)")
        let asked = try await PlainHTTP.send(
            "POST", "/v1/billing/eligibility", port: port,
            headers: [("X-API-Key", key), ("Content-Type", "application/json")],
            body: Array(
                #"{"action":"tokens","usage":{"model":"claude-opus-4-5","input":1000,"max_output":1000}}"#.utf8))
        #expect(asked.status == 200, "\(account): \(asked.text)")
        let answer = try asked.json()
        #expect(answer["allowed"] == .bool(account == "demo-enterprise"), "\(account): \(asked.text)")
        if account != "demo-enterprise" {
            #expect(answer["reason"]?["code"] == "model_tier_not_available", "\(asked.text)")
            #expect(answer["upgrade"]?["plan"] == "enterprise")
        }
    }

    @Test(arguments: [
        (["STRIPE_API_KEY": "sk_live_0123456789"], "STRIPE_API_KEY: a live key does not belong"),
        (["KUBERNETES_SERVICE_HOST": "10.0.0.1"], "--devnet-in-cluster"),
        (["TOLLGATE_ROLE": "worker"], "TOLLGATE_ROLE: worker shares nothing"),
    ])
    func refusesToStart(_ settings: [String: String], _ message: String) async throws {
        let folder = try TemporaryDirectory()
        let ended = try await PeerProcess.run(
            name: "tollgate", executable: PeerPaths.tollgate(), arguments: ["run", "--devnet"],
            environment: settings.merging(Self.environment(try FreePort.next(), try FreePort.next())) { $1 },
            folder: folder)
        #expect(ended.status == 2)
        #expect(ended.output.contains(message), "\(ended.output)")
        #expect(!ended.output.contains("0123456789"))
    }
}
