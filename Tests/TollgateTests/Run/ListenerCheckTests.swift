// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct ListenerCheckTests {
    @Test func namesSettingAndAddressOfATakenPort() async throws {
        try await LoopbackHTTPServer.with({ _ in .json("{}") }) { server in
            let port = try #require(server.url.split(separator: ":").last.flatMap { Int($0) })
            let listeners = ListenerSettings(
                api: ListenAddress(host: "127.0.0.1", port: port), decisions: nil,
                probes: ListenAddress(host: "127.0.0.1", port: 0), trustedProxies: [], tls: nil, corsOrigins: [],
                publicURL: nil)
            let problem = try #require(throws: StartupProblem.self) { try ListenerCheck.run(listeners) }
            #expect(
                problem.description
                    == "TOLLGATE_LISTEN: cannot listen on 127.0.0.1:\(port): Address already in use. Choose another address."
            )
        }
    }

    @Test func leavesTheAddressesFree() throws {
        let address = ListenAddress(host: "127.0.0.1", port: try FreePort.next())
        let listeners = ListenerSettings(
            api: address, decisions: nil, probes: ListenAddress(host: "127.0.0.1", port: 0), trustedProxies: [],
            tls: nil, corsOrigins: [], publicURL: nil)
        try ListenerCheck.run(listeners)
        try ListenerCheck.run(listeners)
    }

    /// A client that got in would wait for an answer that nobody gives.
    @Test func letsNobodyIn() async throws {
        let address = ListenAddress(host: "127.0.0.1", port: try FreePort.next())
        let listeners = ListenerSettings(
            api: address, decisions: nil, probes: ListenAddress(host: "127.0.0.1", port: 0), trustedProxies: [],
            tls: nil, corsOrigins: [], publicURL: nil)
        let entered = try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                var entered = 0
                while !Task.isCancelled { entered += await PlainHTTP.accepts(port: address.port) ? 1 : 0 }
                return entered
            }
            for _ in 0..<2_000 {
                try ListenerCheck.run(listeners)
                await Task.yield()
            }
            group.cancelAll()
            return try await group.reduce(0, +)
        }
        #expect(entered == 0)
    }
}
