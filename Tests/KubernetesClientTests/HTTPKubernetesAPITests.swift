// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import MetricsTestKit
internal import ResourceModel
internal import TestSupport
internal import Testing

@testable import KubernetesClient

@Suite(.timeLimit(.minutes(10))) struct HTTPKubernetesAPITests {
    private let stand = Stand()
    private let done = LoopbackHTTPServer.Answer.json(#"{"kind":"Secret"}"#)

    private func status(_ code: Int, headers: [(String, String)] = []) -> LoopbackHTTPServer.Answer {
        .init(status: code, headers: headers, body: Array(#"{"kind":"Status","reason":"","message":"m"}"#.utf8))
    }

    /// What became of a call whose answers are these, and how often the server was asked.
    private func outcome(
        _ answers: [LoopbackHTTPServer.Answer], post: Bool = false
    ) async throws -> (error: KubernetesError.Code?, asked: Int) {
        let script = Script(answers)
        return try await LoopbackHTTPServer.with({ _ in script.next() }) { server in
            try await stand.with(ClusterConnection(server: server.url)) { api in
                let error = await Stand.failure { () throws(KubernetesError) in
                    post
                        ? try await api.create(
                            ["a": 1], in: .secrets, namespace: "acme", name: nil, subresource: nil)
                        : try await api.get(Stand.secret, subresource: nil)
                }
                return (error?.code, server.requests.count)
            }
        }
    }

    @Test func sendsWhatItShould() async throws {
        try await LoopbackHTTPServer.with({ _ in done }) { server in
            let connection = ClusterConnection(server: "\(server.url)/k8s/", credential: .token(Redacted("t0ken")))
            try await stand.with(connection) { api in
                let secret = try await api.get(Stand.secret, subresource: nil)
                #expect(secret == ["kind": "Secret"])
                _ = try await api.patch(Stand.secret, subresource: nil, .merge(["a": 1]))
                try await api.delete(Stand.secret, DeleteConditions())
                _ = try await api.replace(["b": 2], at: Stand.secret, subresource: "status")
            }
            let requests = server.requests
            #expect(requests.map(\.method) == ["GET", "PATCH", "DELETE", "PUT"])
            #expect(requests[0].target == "/k8s/api/v1/namespaces/acme/secrets/key")
            #expect(requests[0].header("authorization") == "Bearer t0ken")
            #expect(requests[0].header("user-agent") == "tollgate/1.2.3 (linux/amd64) all")
            #expect(requests[0].header("accept") == "application/json")
            #expect(requests[1].header("content-type") == "application/merge-patch+json")
            #expect(requests[1].body == Array(#"{"a":1}"#.utf8))
            #expect(requests[3].path == "/k8s/api/v1/namespaces/acme/secrets/key/status")
        }
    }

    @Test func triesAgainWhereItMay() async throws {
        #expect(try await outcome([status(503), status(504), done]) == (nil, 3))
        #expect(stand.time.slept.map(\.wholeSeconds) == [0, 1])
        #expect(try await outcome([status(503)]) == (.unavailable, 3))
        #expect(try await outcome([.drop, done]) == (nil, 2))
        #expect(try await outcome([status(404)]) == (.notFound, 1))
        #expect(try await outcome([status(500)]) == (.internalError, 1))
    }

    @Test func triesAPostAgainOnlyWhenItWasNotExecuted() async throws {
        #expect(try await outcome([status(429), done], post: true) == (nil, 2))
        #expect(try await outcome([status(503), done], post: true) == (.unavailable, 1))
        #expect(try await outcome([status(503, headers: [("retry-after", "4")]), done], post: true) == (nil, 2))
        #expect(stand.time.slept.last == .seconds(4))
        #expect(try await outcome([status(504), done], post: true) == (.serverTimeout, 1))
        #expect(try await outcome([.drop, done], post: true) == (.unreachable, 1))
        let before = stand.time.slept.count
        let error = try await stand.with(ClusterConnection(server: "http://127.0.0.1:\(try FreePort.next())")) { api in
            await Stand.failure { () throws(KubernetesError) in
                try await api.create([:], in: .secrets, namespace: "acme", name: nil, subresource: nil)
            }
        }
        #expect(error?.code == .unreachable)
        #expect(stand.time.slept.count - before == 2)
    }

    @Test func givesUpWhenTheAnswerTakesTooLong() async throws {
        var stand = stand
        stand.settings.requestTimeout = .milliseconds(50)
        try await LoopbackHTTPServer.with({ _ in .silence }) { server in
            try await stand.with(ClusterConnection(server: server.url)) { api in
                let error = await Stand.failure { () throws(KubernetesError) in
                    try await api.get(Stand.secret, subresource: nil)
                }
                #expect(error?.code == .timedOut)
            }
        }
    }

    @Test func refusesAnswersThatAreNoJSON() async throws {
        #expect(try await outcome([.init(body: Array("<html>".utf8))]) == (.malformedAnswer, 1))
    }

    @Test func listsPageByPage() async throws {
        let first = #"{"metadata":{"resourceVersion":"5","continue":"c"},"items":[{"metadata":{"name":"a"}}]}"#
        let second = #"{"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"b"}}]}"#
        try await LoopbackHTTPServer.with({ .json($0.target.contains("continue=c") ? second : first) }) { server in
            try await stand.with(ClusterConnection(server: server.url)) { api in
                var names: [String?] = []
                var query = ListQuery(ObjectSelection(.secrets, namespace: "acme"), limit: 1)
                let page = try await api.list(query) { names.append($0["metadata"]?["name"]?.stringValue) }
                #expect(page == ListPage(resourceVersion: "5", continueToken: "c"))
                query.continueToken = page.continueToken
                let last = try await api.list(query) { names.append($0["metadata"]?["name"]?.stringValue) }
                #expect(last == ListPage(resourceVersion: "5"))
                #expect(names == ["a", "b"])
            }
        }
    }

    @Test func doesNotRepeatAListOfWhichItemsWereGiven() async throws {
        let time = ManualTime(passesByItself: true)
        var stand = stand
        stand.time = time
        try await StreamServer.with { server in
            try await stand.with(ClusterConnection(server: "http://127.0.0.1:\(server.port)")) { api in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for number in 0..<2 {
                            let exchange = try await Eventually.value("request \(number)") {
                                server.asked.count > number ? server.asked[number] : nil
                            }
                            try await exchange.begin()
                            // The first attempt ends before an item, the second behind one.
                            try await exchange.send(number == 0 ? #"{"items":["# : #"{"items":[{"a":1},{"#)
                            try await exchange.drop()
                        }
                    }
                    var items = 0
                    let error = await Stand.failure { () throws(KubernetesError) in
                        try await api.list(ListQuery(ObjectSelection(.secrets))) { _ in items += 1 }
                    }
                    #expect(error?.code == .unreachable)
                    #expect(items == 1)
                    #expect(server.asked.count == 2)
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func knowsTheVersionsOfAGroup() async throws {
        let group = #"{"versions":[{"version":"v1"},{"version":"v1beta1"}],"preferredVersion":{"version":"v1beta1"}}"#
        try await LoopbackHTTPServer.with({ $0.path == "/apis/policy" ? .json(group) : status(404) }) { server in
            try await stand.with(ClusterConnection(server: server.url)) { api in
                let known = try await api.versions(ofGroup: "policy")
                #expect(known == ["v1beta1", "v1"])
                let unknown = try await api.versions(ofGroup: "nowhere.example")
                #expect(unknown.isEmpty)
            }
        }
    }

    @Test func countsCalls() async throws {
        _ = try await outcome([status(503), done])
        _ = try await outcome([.drop, done], post: true)
        func count(_ code: String, _ method: String) throws -> Int64 {
            try stand.metrics.expectCounter("rest_client_requests_total", [("code", code), ("method", method)])
                .totalValue
        }
        #expect(try count("503", "GET") == 1)
        #expect(try count("200", "GET") == 1)
        #expect(try count("<error>", "POST") == 1)
        #expect(try count("200", "DELETE") == 0)
        #expect(
            try stand.metrics.expectTimer("rest_client_request_duration_seconds", [("verb", "GET")]).values.count == 2)
    }

    @Test func endsAtOnceWhenItIsCancelledOrShutDown() async throws {
        try await LoopbackHTTPServer.with({ _ in .silence }) { server in
            try await stand.with(ClusterConnection(server: server.url)) { api in
                try await withThrowingTaskGroup(of: KubernetesError.Code?.self) { group in
                    for _ in 0..<2 {
                        group.addTask {
                            await Stand.failure { () throws(KubernetesError) in
                                try await api.get(Stand.secret, subresource: nil)
                            }?.code
                        }
                    }
                    try await Eventually.holds("two requests") { server.requests.count == 2 }
                    group.cancelAll()
                    for try await code in group { #expect(code == .cancelled) }
                }
                try await withThrowingTaskGroup(of: KubernetesError.Code?.self) { group in
                    group.addTask {
                        await Stand.failure { () throws(KubernetesError) in
                            try await api.get(Stand.secret, subresource: nil)
                        }?.code
                    }
                    try await Eventually.holds("a third request") { server.requests.count == 3 }
                    await api.shutdown()
                    for try await code in group { #expect(code == .cancelled) }
                }
                let late = await Stand.failure { () throws(KubernetesError) in
                    try await api.get(Stand.secret, subresource: nil)
                }
                #expect(late?.code == .cancelled)
            }
        }
    }

    @Test func refusesAServerThatIsNoURL() {
        for server in ["", "127.0.0.1:6443", "ftp://a", "https://", "https://a:0", "https://a?b", "https://u:p@a"] {
            #expect(ServerURL(server) == nil, "\(server)")
        }
        #expect(ServerURL("https://[::1]:6443/")?.text() == "https://[::1]:6443")
        #expect(ServerURL("HTTPS://a/b/")?.text(host: "c") == "https://c:443/b")
    }
}
