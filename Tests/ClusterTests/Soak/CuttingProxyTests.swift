// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// The proxy of the soak does what the soak believes that it does.
@Suite(.timeLimit(.minutes(5))) struct CuttingProxyTests {
    @Test func holdsBackAndGoesOn() async throws {
        try await LoopbackHTTPServer.with { _ in
            .json("{}")
        } _: { server in
            try await CuttingProxy.with(to: server.port) { proxy in
                #expect(try await PlainHTTP.send("GET", "/", port: proxy.port).status == 200)
                proxy.stall()
                try await withThrowingTaskGroup(of: Int.self) { group in
                    group.addTask { try await PlainHTTP.send("GET", "/held", port: proxy.port).status }
                    try await Eventually.holds("the connection to be there") { proxy.open == 1 }
                    #expect(server.requests.count == 1)
                    proxy.resume()
                    #expect(try await group.next() == 200)
                }
                #expect(server.requests.map(\.target) == ["/", "/held"])
            }
        }
    }

    @Test func cutsWhatItHoldsBack() async throws {
        try await LoopbackHTTPServer.with {
            $0.path == "/silent" ? .silence : .json("{}")
        } _: { server in
            try await CuttingProxy.with(to: server.port) { proxy in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    group.addTask { (try? await PlainHTTP.send("GET", "/silent", port: proxy.port)) != nil }
                    try await Eventually.holds("the request to be there") { !server.requests.isEmpty }
                    proxy.stall()
                    group.addTask { (try? await PlainHTTP.send("GET", "/held", port: proxy.port)) != nil }
                    try await Eventually.holds("both connections to be there") { proxy.open == 2 }
                    proxy.cut()
                    #expect(try await group.next() == false)
                    #expect(try await group.next() == false)
                }
                try await Eventually.holds("no connection to be left") { proxy.open == 0 }
                proxy.resume()
                #expect(try await PlainHTTP.send("GET", "/", port: proxy.port).status == 200)
            }
        }
    }
}

extension CuttingProxyTests {
    /// Connections come while others are cut and held back: none is forgotten.
    @Test func forgetsNoConnection() async throws {
        let random = SeededRandom(seed: 11)
        try await LoopbackHTTPServer.with { _ in
            .json("{}")
        } _: { server in
            try await CuttingProxy.with(to: server.port) { proxy in
                for _ in 0..<200 {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<4 {
                            let delay = Duration.microseconds(random.below(4_000))
                            group.addTask {
                                try await SystemMonotonicClock().pause(for: delay)
                                _ = try? await PlainHTTP.send(
                                    "GET", "/", port: proxy.port, within: .seconds(20))
                            }
                        }
                        let acts = [{ proxy.stall() }, { proxy.cut() }, { proxy.resume() }, { proxy.cut() }]
                        for act in acts {
                            try await SystemMonotonicClock().pause(for: .microseconds(random.below(1_500)))
                            act()
                        }
                        proxy.resume()
                        try await group.waitForAll()
                    }
                }
                try await Eventually.holds("no connection to be left", within: .seconds(10)) { proxy.open == 0 }
            }
        }
    }
}
