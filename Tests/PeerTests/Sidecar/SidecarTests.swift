// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

@Suite struct SidecarTests {
    @Test func decidesAsTheOperatorDoes() async throws {
        let pair = try SidecarPair()
        try await pair.operating.running { _ in
            let gate = try await pair.mint("gate", scopes: ["decisions:evaluate"])
            let tokens = [
                nil, try await pair.mint("reader", scopes: ["tasks:read"]),
                try await pair.mint("deleter", scopes: ["tasks:*"]), try await pair.mint("nothing", scopes: []), gate,
                "tgs_nobody", "nonsense",
            ]
            try await pair.sidecar(token: gate) { _ in
                for token in tokens {
                    for host in ["shop.example", "a.shop.example", "nobody.example"] {
                        for path in [
                            "/tasks/t1", "/public/x", "/tenants/acme/tasks", "/tenants/globex/tasks", "/x", "/a//b",
                        ] {
                            for method in ["GET", "DELETE"] {
                                let left = try await pair.ask(pair.operating.port, method, host, path, token: token)
                                let right = try await pair.ask(pair.port, method, host, path, token: token)
                                #expect(left == right, "\(method) \(host) \(path)")
                            }
                        }
                    }
                }
                // The host of an AuthConfig that the sidecar does not have is nobody's there.
                #expect(try await pair.ask(pair.operating.port, "GET", "held.shop.example").hasPrefix("403"))
                #expect(try await pair.ask(pair.port, "GET", "held.shop.example").hasPrefix("404 auth.no_config"))
                try await Self.asksAtRandom(pair, tokens)
                try await Self.tellsTheOperator(pair)
            }
        }
    }

    private static func asksAtRandom(_ pair: SidecarPair, _ tokens: [String?]) async throws {
        let random = SeededRandom(seed: 20_261_121)
        let words = ["/", "tasks", "t1", "..", "%2F", "%zz", "tenants", "acme", ";", "public", "?a=b"]
        for number in 0..<FuzzCases.count(150) {
            let path = "/" + (0..<random.below(5)).map { _ in words[random.below(words.count)] }.joined()
            let method = ["GET", "DELETE", "POST"][random.below(3)]
            let token = tokens[random.below(tokens.count)]
            let left = try await pair.ask(pair.operating.port, method, "shop.example", path, token: token)
            let right = try await pair.ask(pair.port, method, "shop.example", path, token: token)
            #expect(left == right, "question \(number): \(method) \(path)")
        }
    }

    /// What the sidecar decided stands in the operator's trail, as the sidecar's word.
    private static func tellsTheOperator(_ pair: SidecarPair) async throws {
        let entry = try await Eventually.value("an entry of the sidecar") { () -> JSONValue? in
            let answer = try await pair.operating.call("GET", "/v1/audit?action=decision.check&limit=200")
            return try answer.json()["events"]?.arrayValue?.first { $0["metadata"]?["reported_by"] == "gate" }
        }
        #expect(entry["tenant"] == "acme")
    }

    @Test func refusesARevokedTokenWithinASecond() async throws {
        let pair = try SidecarPair()
        try await pair.operating.running { _ in
            let gate = try await pair.mint("gate", scopes: ["decisions:evaluate"])
            let reader = try await pair.mint("reader", scopes: ["tasks:read"])
            try await pair.sidecar(token: gate) { process in
                #expect(try await pair.ask(pair.port, token: reader).hasPrefix("200"))
                let answer = try await pair.operating.call(
                    "POST", "/v1/service-tokens/reader/revoke", body: .object(["reason": "test"]))
                #expect(answer.status == 204, "\(answer.text)")
                try await process.wait(for: "the refusal") {
                    try await pair.ask(pair.port, token: reader).hasPrefix("401 auth.token_revoked")
                }
                // A token made meanwhile is known as soon.
                let late = try await pair.mint("late", scopes: ["tasks:read"])
                try await process.wait(for: "the new token") {
                    try await pair.ask(pair.port, token: late).hasPrefix("200")
                }
            }
        }
    }

    @Test func hearsOfWhatAnotherReplicaOfTheOperatorChanged() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        try await DatabaseSupport.migrate(database)
        // A credential is presented again and again until it is known, or is not any more.
        let patient = ["TOLLGATE_AUTH_RATE_LIMIT_IP": "0", "TOLLGATE_AUTH_RATE_LIMIT_IDENTITY": "0"]
        let shared = ["TOLLGATE_DATABASE_URL": database.url].merging(patient) { $1 }
        let pair = try SidecarPair(settings: shared.merging(["TOLLGATE_WRITER": "one"]) { $1 })
        let other = try SidecarPair.operating(shared.merging(["TOLLGATE_WRITER": "two"]) { $1 })
        try await pair.operating.running { _ in
            try await other.running { _ in
                let gate = try await pair.mint("gate", scopes: ["decisions:evaluate"])
                try await pair.sidecar(token: gate, patient) { process in
                    let reader = try await pair.mint("reader", scopes: ["tasks:read"], at: other)
                    try await process.wait(for: "the token of the other replica") {
                        try await pair.ask(pair.port, token: reader).hasPrefix("200")
                    }
                    let answer = try await other.call(
                        "POST", "/v1/service-tokens/reader/revoke", body: .object(["reason": "test"]))
                    #expect(answer.status == 204, "\(answer.text)")
                    try await process.wait(for: "the refusal") {
                        try await pair.ask(pair.port, token: reader).hasPrefix("401 auth.token_revoked")
                    }
                }
            }
        }
    }

    @Test func goesOnWithoutTheOperator() async throws {
        let pair = try SidecarPair()
        let (gate, reader) = try await pair.operating.running { _ async throws -> (String, String) in
            let gate = try await pair.mint("gate", scopes: ["decisions:evaluate"])
            let reader = try await pair.mint("reader", scopes: ["tasks:read"])
            try await pair.sidecar(token: gate) { _ async throws -> Void in
                #expect(try await pair.ask(pair.port, token: reader).hasPrefix("200"))
            }
            return (gate, reader)
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: pair.cache)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        let kept = String(decoding: try Data(contentsOf: URL(filePath: pair.cache)), as: UTF8.self)
        #expect(!kept.contains(reader) && !kept.contains(gate))
        // The operator is away now: the sidecar starts from what it kept.
        let patient = ["TOLLGATE_SIDECAR_MAX_SILENCE": "1h"]
        try await pair.sidecar(token: gate, patient) { process in
            #expect(try await pair.ask(pair.port, token: reader).hasPrefix("200"))
            #expect(try await pair.ask(pair.port, "GET", "shop.example", "/public/x").hasPrefix("200"))
            #expect(try await pair.ask(pair.port, token: "tgs_nobody").hasPrefix("401"))
            try await process.wait(for: "its words about the operator") {
                let text = try await PlainHTTP.send("GET", "/readyz?verbose", port: pair.probePort).text
                return text.contains("upstream degraded") && text.contains("cannot be reached")
            }
            // It comes back, and goes again while the sidecar runs.
            try await pair.operating.running { _ in
                try await process.wait(for: "the operator's answer") {
                    try await PlainHTTP.send("GET", "/readyz?verbose", port: pair.probePort).text.contains(
                        "upstream ok")
                }
                #expect(try await pair.ask(pair.port, token: reader).hasPrefix("200"))
            }
            #expect(try await pair.ask(pair.port, token: reader).hasPrefix("200"))
            let metrics = try await PlainHTTP.send("GET", "/metrics", port: pair.probePort).text
            #expect(metrics.contains("tollgate_upstream_age_seconds"))
            #expect(metrics.contains("tollgate_upstream_polls_total{result=\"changed\"}"))
        }
    }

    @Test func saysWhyItIsNotLetIn() async throws {
        let pair = try SidecarPair()
        try await pair.operating.running { _ in
            let foreign = try await pair.mint("foreign", scopes: ["decisions:evaluate"], tenant: "globex")
            let powerless = try await pair.mint("powerless", scopes: ["tasks:read"])
            for (token, more, words) in [
                ("tgs_nobody", [:], "401 auth.invalid_token"), (foreign, [:], "403 policy.tenant_denied"),
                (powerless, [:], "403 policy."),
                (nil, ["TOLLGATE_UPSTREAM_TOKEN_FILE": pair.folder.path("none")], "is not there"),
                (foreign, ["TOLLGATE_SIDECAR_AUTH_CONFIG": "acme/nothing"], "404 auth.no_config"),
            ] as [(String?, [String: String], String)] {
                try await pair.sidecar(token: token, more, isReady: false) { process in
                    try await process.wait(for: words) {
                        try await PlainHTTP.send("GET", "/readyz?verbose", port: pair.probePort).text.contains(words)
                    }
                    #expect(try await pair.ask(pair.port).hasPrefix("503 decision.not_ready"))
                }
            }
        }
    }

    @Test func holdsAThousandPollsAtOnce() async throws {
        let pair = try SidecarPair()
        try await pair.operating.running { process in
            let gate = try await pair.mint("gate", scopes: ["decisions:evaluate"])
            let path = "/v1/snapshot?auth_config=acme/shop"
            let headers = [("Authorization", "Bearer \(gate)")]
            let first = try await PlainHTTP.send("GET", path, port: pair.operating.port, headers: headers)
            let tag = try #require(first.value("ETag"))
            let counts = try await withThrowingTaskGroup(of: Int?.self) { group in
                // Not all in one moment: what a listener has not accepted yet is bounded.
                for waiting in stride(from: 200, through: 1000, by: 200) {
                    for _ in 0..<200 {
                        group.addTask {
                            // A poll that has waited long enough is answered with 304 and asks again.
                            while true {
                                let status = try await PlainHTTP.send(
                                    "GET", path, port: pair.operating.port, headers: headers + [("If-None-Match", tag)]
                                ).status
                                if status != 304 { return status }
                            }
                        }
                    }
                    try await process.wait(for: "\(waiting) polls to wait") {
                        let metrics = try await PlainHTTP.send("GET", "/metrics", port: pair.operating.probePort).text
                        return metrics.contains("tollgate_snapshot_polls_waiting \(waiting)\n")
                    }
                }
                group.addTask {
                    // It decides meanwhile, and one change answers them all.
                    #expect(
                        try await pair.ask(pair.operating.port, "GET", "shop.example", "/public/x").hasPrefix("200"))
                    _ = try await pair.mint("late", scopes: ["tasks:read"])
                    return nil
                }
                var counts: [Int: Int] = [:]
                for try await status in group { if let status { counts[status, default: 0] += 1 } }
                return counts
            }
            #expect(counts == [200: 1000])
        }
    }

    @Test func endsPollsWhenItDrains() async throws {
        let pair = try SidecarPair()
        try await pair.operating.running { process in
            let gate = try await pair.mint("gate", scopes: ["decisions:evaluate"])
            let path = "/v1/snapshot?auth_config=acme/shop"
            let headers = [("Authorization", "Bearer \(gate)")]
            let first = try await PlainHTTP.send("GET", path, port: pair.operating.port, headers: headers)
            let tag = try #require(first.value("ETag"))
            async let waiting = PlainHTTP.send(
                "GET", path, port: pair.operating.port, headers: headers + [("If-None-Match", tag)])
            try await process.wait(for: "the poll to wait") {
                try await PlainHTTP.send("GET", "/metrics", port: pair.operating.probePort).text
                    .contains("tollgate_snapshot_polls_waiting 1\n")
            }
            process.signal(SIGTERM)
            let answer = try await waiting
            #expect(answer.status == 304 && answer.value("Connection") == "close")
        }
    }
}
