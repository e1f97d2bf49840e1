// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import KubernetesClient
internal import ResourceModel
internal import TestSupport
internal import Testing

/// What the client makes of a server that misbehaves.
@Suite(.timeLimit(.minutes(10))) struct FaultTests {
    private static let selection = ObjectSelection(.configMaps, namespace: "acme")

    private static func object(_ name: String) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name), "namespace": "acme"],
            "data": ["k": "wörd"],
        ]
    }

    private static func reference(_ name: String) -> APIObjectReference {
        APIObjectReference(.configMaps, namespace: "acme", name: name)
    }

    private static func data(_ api: HTTPKubernetesAPI, _ name: String) async throws -> JSONValue? {
        try await api.get(reference(name), subresource: nil)["data"]
    }

    /// A server with objects `a0`, `a1` …, and a client whose pauses are no pauses.
    private static func withServer(
        objects count: Int = 3, requestTimeout: Duration = .seconds(30), maximumObjectBytes: Int = 8 << 20,
        _ body: (FakeAPIServer, HTTPKubernetesAPI) async throws -> Void
    ) async throws {
        var settings = HTTPKubernetesAPI.Settings()
        settings.requestTimeout = requestTimeout
        settings.maximumObjectBytes = maximumObjectBytes
        try await FakeAPIServer.with { server in
            for index in 0..<count { try server.add(object("a\(index)")) }
            try await ClusterClient.with(server, settings: settings) { api in try await body(server, api) }
        }
    }

    private static func failure(_ call: () async throws(KubernetesError) -> Void) async -> KubernetesError? {
        do throws(KubernetesError) {
            try await call()
            return nil
        } catch {
            return error
        }
    }

    /// Follows a watch from the beginning until it ends; what came, and how it ended.
    private static func watch(
        _ api: HTTPKubernetesAPI, from version: String = "1", idle: Duration = .seconds(60), atMost: Int = 100
    ) async -> (events: [String], failure: KubernetesError?) {
        var events: [String] = []
        let query = WatchQuery(selection, resourceVersion: version, timeoutSeconds: 300, idleTimeout: idle)
        let failure = await failure { () throws(KubernetesError) in
            try await api.watch(query) { event in
                switch event {
                case .added(let object): events.append("+" + (object["metadata"]?["name"]?.stringValue ?? ""))
                case .modified(let object): events.append("~" + (object["metadata"]?["name"]?.stringValue ?? ""))
                case .deleted(let object): events.append("-" + (object["metadata"]?["name"]?.stringValue ?? ""))
                case .bookmark: events.append("=")
                case .error(let error): events.append("!\(error.code.rawValue)")
                }
                return events.count < atMost ? .goOn : .stop
            }
        }
        return (events, failure)
    }

    @Test func waitsAsLongAsTheServerSays() async throws {
        try await Self.withServer { server, api in
            let busy = APIFault.refuse(429, reason: "TooManyRequests", retryAfterSeconds: 1)
            server.faults.add(busy, on: FaultTarget(.get))
            let read = try await Self.data(api, "a0")
            #expect(read == ["k": "wörd"])
            #expect(server.requests(.get).count == 2)
            server.faults.add(
                .refuse(503, reason: "ServiceUnavailable", retryAfterSeconds: 3600), on: FaultTarget(.get))
            let error = await Self.failure { () throws(KubernetesError) in
                _ = try await api.get(Self.reference("a0"), subresource: nil)
            }
            #expect(error?.code == .unavailable && error?.retryAfter == .seconds(3600))
        }
    }

    @Test func tellsWhatTheServerSays() async throws {
        try await Self.withServer { server, api in
            for (fault, code): (APIFault, KubernetesError.Code) in [
                (.forbid, .forbidden), (.unauthorized, .unauthorized),
                (.refuse(500, reason: "InternalError"), .internalError),
                (.refuse(410, reason: "Expired"), .expired), (.refuse(409, reason: "Conflict"), .conflict),
                (.refuse(413, reason: "RequestEntityTooLarge"), .tooLarge), (.garbledBody, .malformedAnswer),
            ] {
                server.faults.add(fault, on: FaultTarget(.get))
                let error = await Self.failure { () throws(KubernetesError) in
                    _ = try await api.get(Self.reference("a0"), subresource: nil)
                }
                #expect(error?.code == code, "\(fault): \(String(describing: error))")
                server.faults.clear()
            }
            server.faults.add(.forbid, on: FaultTarget(.list))
            let error = await Self.failure { () throws(KubernetesError) in
                _ = try await api.list(ListQuery(Self.selection)) { _ in }
            }
            #expect(error?.message.contains("cannot list resource \"configmaps\"") == true)
        }
    }

    @Test func doesNotMakeAnObjectTwiceWhenTheAnswerIsLost() async throws {
        try await Self.withServer(objects: 0) { server, api in
            server.faults.add(.loseAnswer, on: FaultTarget(.create))
            let error = await Self.failure { () throws(KubernetesError) in
                _ = try await api.create(
                    Self.object("once"), in: .configMaps, namespace: "acme", name: nil, subresource: nil)
            }
            #expect(error?.code == .unreachable)
            #expect(server.requests(.create).count == 1 && server.object(Self.reference("once")) != nil)
        }
    }

    @Test func triesAgainWhatMayBeRepeated() async throws {
        try await Self.withServer { server, api in
            server.faults.add(.drop, on: FaultTarget(.get))
            let read = try await Self.data(api, "a1")
            #expect(read != nil)
            server.faults.add(.loseAnswer, on: FaultTarget(.patch))
            _ = try await api.patch(Self.reference("a1"), subresource: nil, .merge(["data": ["k": "w"]]))
            #expect(server.requests(.patch).count == 2)
        }
    }

    @Test func doesNotHangWithTheServer() async throws {
        try await Self.withServer(requestTimeout: .milliseconds(300)) { server, api in
            server.faults.add(.hang, on: FaultTarget(.get), times: nil)
            let error = await Self.failure { () throws(KubernetesError) in
                _ = try await api.get(Self.reference("a0"), subresource: nil)
            }
            #expect(error?.code == .timedOut || error?.code == .unreachable, "\(String(describing: error))")
        }
    }

    @Test func readsListsHoweverTheyAreCut() async throws {
        try await Self.withServer(objects: 5) { server, api in
            server.faults.add(.bytewise, on: FaultTarget(.list))
            var names: [String] = []
            let page = try await api.list(ListQuery(Self.selection)) {
                names.append($0["metadata"]?["name"]?.stringValue ?? "")
            }
            #expect(names == (0..<5).map { "a\($0)" } && page.continueToken == nil)
            server.faults.add(.refuse(410, reason: "Expired"), on: FaultTarget(.list, isContinued: true))
            let first = try await api.list(ListQuery(Self.selection, limit: 2)) { _ in }
            let error = await Self.failure { () throws(KubernetesError) in
                _ = try await api.list(ListQuery(Self.selection, continueToken: first.continueToken)) { _ in }
            }
            #expect(error?.code == .expired)
            server.expireContinueTokens()
            let later = await Self.failure { () throws(KubernetesError) in
                _ = try await api.list(ListQuery(Self.selection, continueToken: first.continueToken)) { _ in }
            }
            #expect(later?.code == .expired && later?.reason == "Expired")
        }
    }

    @Test func waitsForSlowLists() async throws {
        try await Self.withServer { server, api in
            let gate = FaultGate()
            server.faults.add(.hold(gate), on: FaultTarget(.list))
            try await withThrowingTaskGroup(of: Int.self) { group in
                group.addTask {
                    var count = 0
                    _ = try await api.list(ListQuery(Self.selection)) { _ in count += 1 }
                    return count
                }
                try await Eventually.holds("the list to be held") { gate.waiting == 1 }
                gate.open()
                #expect(try await group.next() == 3)
            }
        }
    }

    static let cuts: [APIFault] = [.bytewise, .merged(2), .merged(50)]

    @Test(arguments: cuts)
    func readsWatchesHoweverTheyAreCut(_ cut: APIFault) async throws {
        try await Self.withServer(objects: 6) { server, api in
            server.faults.add(cut, on: FaultTarget(.watch))
            server.faults.add(.end(after: 6), on: FaultTarget(.watch))
            let (events, failure) = await Self.watch(api, from: "100")
            #expect(events == (0..<6).map { "+a\($0)" } && failure == nil, "\(String(describing: failure))")
        }
    }

    @Test func tellsEventsAsTheyCome() async throws {
        try await Self.withServer(objects: 4) { server, api in
            server.faults.add(.duplicated, on: FaultTarget(.watch))
            #expect(
                await Self.watch(api, from: "100", atMost: 8).events == [
                    "+a0", "+a0", "+a1", "+a1", "+a2", "+a2", "+a3", "+a3",
                ])
            server.faults.add(.swapped, on: FaultTarget(.watch))
            #expect(await Self.watch(api, from: "100", atMost: 4).events == ["+a1", "+a0", "+a3", "+a2"])
        }
    }

    static let endings: [(APIFault, [String], KubernetesError.Code?)] = [
        (.gone(after: 2), ["+a0", "+a1", "!expired"], nil),
        (.errorEvent(500, reason: "InternalError", after: 1), ["+a0", "!internalError"], nil),
        (.end(after: 3), ["+a0", "+a1", "+a2"], nil), (.garbage(after: 1), ["+a0"], .malformedAnswer),
        (.oversized(bytes: 200_000, after: 2), ["+a0", "+a1"], .malformedAnswer),
        (.refuse(410, reason: "Expired"), [], .expired), (.refuse(403, reason: "Forbidden"), [], .forbidden),
        (.cutInLine(after: 2), ["+a0", "+a1"], .unreachable), (.drop, [], .unreachable),
    ]

    @Test(arguments: endings)
    func tellsHowAWatchEnds(_ fault: APIFault, _ wanted: [String], _ code: KubernetesError.Code?) async throws {
        try await Self.withServer(objects: 5, maximumObjectBytes: 100_000) { server, api in
            server.faults.add(fault, on: FaultTarget(.watch))
            let (events, failure) = await Self.watch(api, from: "100")
            #expect(events == wanted && failure?.code == code, "\(events) \(String(describing: failure))")
            try await Eventually.holds("the watch to be closed") { server.openWatches() == 0 }
        }
    }

    @Test func noticesASilentWatch() async throws {
        try await Self.withServer { server, api in
            server.faults.add(.silence(after: 2), on: FaultTarget(.watch))
            // A busy machine is silent for seconds, too.
            let (events, failure) = await Self.watch(api, from: "100", idle: .seconds(20))
            #expect(events == ["+a0", "+a1"] && failure?.code == .idle, "\(events) \(String(describing: failure))")
            try await Eventually.holds("the connection to be closed") { server.openWatches() == 0 }
        }
    }

    @Test func breaksOffWhenCancelled() async throws {
        try await Self.withServer(objects: 0) { server, api in
            await withTaskGroup(of: KubernetesError?.self) { group in
                group.addTask { await Self.watch(api, from: "100").failure }
                // The test ends by its time limit if the watch never opens.
                try? await Eventually.holds("the watch to open") { server.openWatches(of: .configMaps) == 1 }
                group.cancelAll()
                for await failure in group { #expect(failure?.code == .cancelled) }
            }
            try await Eventually.holds("the watch to be closed") { server.openWatches() == 0 }
        }
    }

    @Test func learnsThatStreamingListsAreRefused() async throws {
        try await Self.withServer { server, api in
            server.faults.add(.refuseWatchList, on: FaultTarget(.watch))
            let query = WatchQuery(
                Self.selection, resourceVersion: nil, timeoutSeconds: 60, idleTimeout: .seconds(60),
                sendsInitialEvents: true)
            let error = await Self.failure { () throws(KubernetesError) in try await api.watch(query) { _ in .stop } }
            #expect(error?.code == .invalid && error?.status == 422)
        }
    }

    @Test func comesBackWithTheServer() async throws {
        try await Self.withServer { server, api in
            _ = try await api.get(Self.reference("a0"), subresource: nil)
            await server.stop()
            let error = await Self.failure { () throws(KubernetesError) in
                _ = try await api.create(
                    Self.object("b"), in: .configMaps, namespace: "acme", name: nil, subresource: nil)
            }
            #expect(error?.code == .unreachable, "\(String(describing: error))")
            try await server.start()
            let read = try await Self.data(api, "a0")
            #expect(read != nil)
        }
    }

    @Test func strikesOpenWatches() async throws {
        try await Self.withServer(objects: 1) { server, api in
            let ended = try await withThrowingTaskGroup(of: ([String], KubernetesError?).self) { group in
                group.addTask { await Self.watch(api, from: "100") }
                try await Eventually.holds("the watch to open") { server.openWatches() == 1 }
                server.disturbWatches(of: .configMaps, .gone())
                return try await group.next()
            }
            #expect(ended?.0 == ["+a0", "!expired"] && ended?.1 == nil)
        }
    }
}
