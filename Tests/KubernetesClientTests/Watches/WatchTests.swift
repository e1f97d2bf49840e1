// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import Synchronization
internal import TestSupport
internal import Testing

@testable import KubernetesClient

@Suite(.timeLimit(.minutes(10))) struct WatchTests {
    private let query = WatchQuery(
        ObjectSelection(.secrets, namespace: "acme"), resourceVersion: "1", timeoutSeconds: 300,
        idleTimeout: .seconds(305))

    /// Follows a watch whose answer the test sends; gives the events and how it ended.
    private func follow(
        time: ManualTime = ManualTime(), maximumBytes: Int = 8 << 20,
        stopAfter: Int = .max, _ act: @escaping @Sendable (StreamServer.Exchange, Counter) async throws -> Void
    ) async throws -> (events: [WatchEvent], error: KubernetesError?) {
        var stand = Stand()
        stand.time = time
        stand.settings.maximumObjectBytes = maximumBytes
        return try await StreamServer.with { server in
            try await stand.with(ClusterConnection(server: "http://127.0.0.1:\(server.port)")) { api in
                let seen = Counter()
                return try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        let exchange = try await Eventually.value("the watch") { server.asked.first }
                        try await act(exchange, seen)
                    }
                    var events: [WatchEvent] = []
                    let error = await Stand.failure { () throws(KubernetesError) in
                        try await api.watch(query) { event in
                            events.append(event)
                            _ = seen.next()
                            return events.count == stopAfter ? .stop : .goOn
                        }
                    }
                    group.cancelAll()
                    do { try await group.waitForAll() } catch is CancellationError {}
                    return (events, error)
                }
            }
        }
    }

    private static func added(_ name: String) -> String {
        #"{"type":"ADDED","object":{"metadata":{"name":"\#(name)"}}}"#
    }
    private static func event(_ name: String) -> WatchEvent { .added(["metadata": ["name": .string(name)]]) }

    @Test func givesEventsAsTheyComeUntilTheServerEnds() async throws {
        let (events, error) = try await follow { exchange, seen in
            #expect(exchange.target.contains("watch=true"))
            try await exchange.begin()
            try await exchange.send(Self.added("a") + "\n" + String(Self.added("b").prefix(20)))
            try await Eventually.holds("the first event") { seen.count == 1 }
            try await exchange.send(Self.added("b").dropFirst(20) + "\n\n")
            try await Eventually.holds("the second event") { seen.count == 2 }
            try await exchange.finish()
        }
        #expect(error == nil)
        #expect(events == [Self.event("a"), Self.event("b")])
    }

    @Test func stopsWhenTheCallerHasEnough() async throws {
        let (events, error) = try await follow(stopAfter: 1) { exchange, _ in
            try await exchange.begin()
            try await exchange.send("\(Self.added("a"))\n\(Self.added("b"))\n")
            try await Eventually.holds("the end of the connection") { exchange.isClosed }
        }
        #expect(error == nil)
        #expect(events == [Self.event("a")])
    }

    @Test func endsWhenNoByteComesForTooLong() async throws {
        let time = ManualTime()
        let (events, error) = try await follow(time: time) { exchange, seen in
            try await exchange.begin()
            try await Eventually.holds("the watchdog") { time.sleepers == 1 }
            time.advance(.seconds(300))
            try await exchange.send(Self.added("a") + "\n")
            try await Eventually.holds("the event") { seen.count == 1 }
            // The old deadline passes: there was a byte since.
            time.advance(.seconds(10))
            try await Eventually.holds("the watchdog again") { time.slept.count == 2 && time.sleepers == 1 }
            time.advance(.seconds(305))
        }
        #expect(error?.code == .idle)
        #expect(events == [Self.event("a")])
    }

    @Test func endsWhenNoAnswerBeginsForTooLong() async throws {
        let time = ManualTime()
        let (_, error) = try await follow(time: time) { _, _ in
            try await Eventually.holds("the watchdog") { time.sleepers == 1 }
            time.advance(.seconds(305))
        }
        #expect(error?.code == .idle)
    }

    @Test(arguments: ["not json\n", String(repeating: "x", count: 200), "{\"type\":\"ODD\",\"object\":{}}\n"])
    func refusesLinesThatAreNoEvents(_ text: String) async throws {
        let (_, error) = try await follow(maximumBytes: 100) { exchange, _ in
            try await exchange.begin()
            try await exchange.send(text)
        }
        #expect(error?.code == .malformedAnswer)
    }

    @Test func reportsStatusAndErrorEventsAndALostConnection() async throws {
        let gone = #"{"kind":"Status","code":410,"reason":"Expired","message":"old"}"#
        let refused = try await follow { exchange, _ in
            try await exchange.begin(status: 410)
            try await exchange.send(gone)
            try await exchange.finish()
        }
        #expect(refused.error?.code == .expired)
        let reported = try await follow { exchange, _ in
            try await exchange.begin()
            try await exchange.send(#"{"type":"ERROR","object":\#(gone)}"# + "\n")
            try await exchange.finish()
        }
        #expect(reported.error == nil)
        #expect(reported.events.count == 1)
        let lost = try await follow { exchange, _ in
            try await exchange.begin()
            try await exchange.send(Self.added("a") + "\n")
            try await exchange.drop()
        }
        #expect(lost.error?.code == .unreachable)
    }

    @Test func endsAtOnceWhenItIsCancelled() async throws {
        try await StreamServer.with { server in
            var stand = Stand()
            stand.time = ManualTime()
            try await stand.with(ClusterConnection(server: "http://127.0.0.1:\(server.port)")) { api in
                let seen = Counter()
                try await withThrowingTaskGroup(of: KubernetesError.Code?.self) { group in
                    group.addTask { [query] in
                        await Stand.failure { () throws(KubernetesError) in
                            try await api.watch(query) { _ in
                                _ = seen.next()
                                return .goOn
                            }
                        }?.code
                    }
                    let exchange = try await Eventually.value("the watch") { server.asked.first }
                    try await exchange.begin()
                    try await exchange.send(Self.added("a") + "\n")
                    try await Eventually.holds("an event") { seen.count == 1 }
                    group.cancelAll()
                    for try await code in group { #expect(code == .cancelled) }
                    try await Eventually.holds("the end of the connection") { exchange.isClosed }
                }
            }
        }
    }
}
