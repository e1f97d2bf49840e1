// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport

/// An api and a worker over the same data, as two real processes.
struct RolePair {
    let api: TollgateDaemon
    let worker: TollgateDaemon

    /// Over one data directory.
    static func embedded(_ settings: [String: String] = [:]) throws -> RolePair {
        let api = try TollgateDaemon(manifests: "", settings: Self.settings("api", settings))
        let directory = ["TOLLGATE_DATA_DIR": api.folder.path("data")]
        return RolePair(
            api: api,
            worker: try TollgateDaemon(
                manifests: "", settings: Self.settings("worker", settings.merging(directory) { $1 })))
    }

    /// Over one database and one Redis, on machines of their own.
    static func shared(_ database: TestDatabase, _ redis: RedisServer) throws -> RolePair {
        let settings = [
            "TOLLGATE_DATABASE_URL": database.url, "REDIS_URL": redis.url, "TOLLGATE_REDIS_TIMEOUT": "5s",
        ]
        return RolePair(
            api: try TollgateDaemon(manifests: "", settings: Self.settings("api", settings)),
            worker: try TollgateDaemon(manifests: "", settings: Self.settings("worker", settings)))
    }

    private static func settings(_ role: String, _ others: [String: String]) -> [String: String] {
        [
            "TOLLGATE_ROLE": role, "TOLLGATE_WRITER": role, "TOLLGATE_AUTH_RATE_LIMIT_IP": "0",
            "TOLLGATE_AUTH_RATE_LIMIT_IDENTITY": "0",
        ].merging(others) { $1 }
    }

    /// Runs `body` while both run and are ready.
    func running<Value>(
        _ body: (_ api: PeerProcess, _ worker: PeerProcess) async throws -> Value
    ) async throws -> Value {
        try await api.running { api in try await worker.running { try await body(api, $0) } }
    }

    /// The ids of what is recorded of the account, each as often as it is.
    func recorded(_ account: String) async throws -> [String] {
        var ids: [String] = []
        var cursor = ""
        while true {
            let path = "/v1/billing/usage/history?account=\(account)&limit=1000\(cursor)"
            let answer = try await api.call("GET", path)
            guard answer.status == 200 else { throw PeerFault(message: "no history: \(answer.status) \(answer.text)") }
            let page = try answer.json()
            ids += page["records"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            guard let next = page["next_cursor"]?.stringValue else { return ids }
            cursor = "&cursor=\(next)"
        }
    }

    /// Requests and tokens of the account, as its windows have them.
    func counted(_ account: String) async throws -> (requests: Int64, tokens: Int64) {
        let answer = try await api.call("GET", "/v1/billing/usage/series?granularity=month&account=\(account)")
        let buckets = try answer.json()["buckets"]?.arrayValue ?? []
        return buckets.reduce((0, 0)) { sum, bucket in
            (
                sum.0 + (bucket["requests"]?.intValue ?? 0), sum.1 + (bucket["tokens"]?["total"]?.intValue ?? 0)
            )
        }
    }

    /// A metric of the worker.
    func workerMetric(_ name: String) async throws -> Double? {
        let answer = try await PlainHTTP.send("GET", "/metrics", port: worker.probePort)
        return answer.text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            .flatMap { Double($0.split(separator: " ")[1]) }
    }
}
