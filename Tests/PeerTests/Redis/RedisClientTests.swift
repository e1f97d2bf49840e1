// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

/// One real Redis: credentials, TLS, and every way to lose it.
@Suite(.timeLimit(.minutes(10)))
struct RedisClientTests {
    private static func echo(_ client: RedisClient, _ value: String) async throws -> String? {
        _ = try await client.send(RedisCommand("SET", "k", value), key: "k")
        return try await client.send(RedisCommand("GET", "k"), key: "k").text
    }

    @Test func repliesComeToWhoeverAsked() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<64 {
                        group.addTask {
                            for round in 0..<20 {
                                // A reply of any size and bytes, and several in one piece.
                                let text = String(repeating: "\(task).\(round)\r\n", count: 1 + task * 20)
                                let replies = try await client.send(
                                    [
                                        RedisCommand("ECHO", text), RedisCommand("NONE"),
                                        RedisCommand("ECHO", "\(task)"),
                                    ],
                                    key: "x")
                                #expect(replies.map(\.text) == [text, nil, "\(task)"])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func usesPasswordUserAndDatabase() async throws {
        let options = [
            "--requirepass", "hush-main", "--user", "app", "on", ">hush:p@ss", "~*", "&*", "+@all",
        ]
        try await RedisServer.with(options, password: "hush-main") { server in
            let port = server.port
            for credentials in [":hush-main", "app:hush%3Ap%40ss"] {
                try await RedisWorld.with(try RedisWorld.settings("redis://\(credentials)@127.0.0.1:\(port)/3")) {
                    client in
                    let found = try await Self.echo(client, "v")
                    #expect(found == "v")
                }
            }
            #expect(try await server.cli("-n", "3", "GET", "k").contains("v"))
            for credentials in ["", ":hush-wrong@", "app:hush-wrong@", "hush-none:x@"] {
                let settings = try RedisWorld.settings("redis://\(credentials)127.0.0.1:\(port)")
                try await RedisWorld.with(settings, waits: false) { client in
                    let fault = try await Eventually.value("a refusal") {
                        client.status.fault.flatMap { $0.contains("check user and password of REDIS_URL") ? $0 : nil }
                    }
                    #expect(!fault.contains("hush"))
                    await #expect(throws: RedisError.self) { try await Self.echo(client, "v") }
                }
            }
        }
    }

    @Test func speaksTLSAndTrustsNobodyElse() async throws {
        let folder = try TemporaryDirectory()
        let authority = try TestAuthority()
        let other = try TestAuthority()
        let pair = try authority.issue(names: ["localhost"], addresses: [[127, 0, 0, 1]])
        let certificate = try folder.write(pair.certificate, to: "redis.pem")
        let key = try folder.write(pair.key, to: "redis.key")
        let trusted = try folder.write(authority.pem, to: "ca.pem")
        let untrusted = try folder.write(other.pem, to: "other.pem")
        let port = try FreePort.next()
        let options = [
            "--port", "0", "--tls-port", "\(port)", "--tls-cert-file", certificate, "--tls-key-file", key,
            "--tls-ca-cert-file", trusted, "--tls-auth-clients", "no",
        ]
        try await RedisServer.with(options, port: port, folder: folder) { server in
            for host in ["localhost", "127.0.0.1"] {
                var settings = try RedisWorld.settings("rediss://\(host):\(server.port)")
                settings.authorities = trusted
                try await RedisWorld.with(settings) { client in
                    let found = try await Self.echo(client, host)
                    #expect(found == host)
                }
            }
            var settings = try RedisWorld.settings("rediss://localhost:\(server.port)")
            settings.authorities = untrusted
            try await RedisWorld.with(settings, waits: false) { client in
                _ = try await Eventually.value("a refusal") {
                    client.status.fault.flatMap { $0.contains("was not reached yet") ? nil : $0 }
                }
                #expect(!client.status.isUp)
            }
            settings.authorities = folder.path("none.pem")
            #expect(throws: RedisError.self) {
                try RedisClient(settings, logger: RedisWorld.logger, metricsFactory: RedisWorld.metrics)
            }
        }
    }

    @Test func isBackAfterAKillAndCostsNothingMeanwhile() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                let changes = Noted<Bool>()
                client.observe { changes.note($0) }
                #expect(try await Self.echo(client, "1") == "1")
                try await server.kill()
                try await RedisWorld.down(client)
                let error = await #expect(throws: RedisError.self) { try await Self.echo(client, "2") }
                #expect(error?.code == .away, "at once: nothing is tried")
                try await server.restart()
                try await RedisWorld.up(client)
                #expect(try await Self.echo(client, "3") == "3")
                #expect(changes.all == [false, true])
            }
        }
    }

    @Test func aServerThatHangsIsGivenUp() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url, command: .milliseconds(100))) { client in
                server.hang()
                // Each of the first ones waits for its time, none longer; then nobody waits any more.
                var codes: [RedisError.Code] = []
                try await Eventually.holds("Redis to be given up") {
                    do throws(RedisError) {
                        _ = try await client.send(RedisCommand("PING"), key: "k")
                    } catch {
                        codes.append(error.code)
                    }
                    return !client.status.isUp
                }
                #expect(codes.contains(.timeout))
                let error = await #expect(throws: RedisError.self) { try await Self.echo(client, "x") }
                #expect(error?.code == .away)
                server.wake()
                try await RedisWorld.up(client)
            }
        }
    }

    @Test func runsAScriptThatWasForgotten() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                let script = RedisScript("return {KEYS[1], ARGV[1]}")
                for _ in 0..<2 {
                    let reply = try await client.evaluate(script, keys: ["k"], arguments: ["a"])
                    #expect(reply.array?.map(\.text) == ["k", "a"])
                    _ = try await server.cli("SCRIPT", "FLUSH")
                    _ = try await server.cli("FLUSHALL")
                }
                let failing = RedisScript("return redis.call('INCR', KEYS[1], 'hush')")
                let error = await #expect(throws: RedisError.self) {
                    try await client.evaluate(failing, keys: ["k"], arguments: [])
                }
                #expect(error?.code == .refused)
                #expect("\(String(describing: error?.message))".contains("hush") == false)
            }
        }
    }

    @Test func hearsWhatIsPublishedAndAgainAfterALoss() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                let heard = Noted<String>()
                let ups = Noted<Bool>()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        await RedisSubscriber(client, channels: ["wake", "other"]).run(
                            onMessage: { channel, payload in
                                heard.note("\(channel): \(String(decoding: payload, as: UTF8.self))")
                            }, onUp: { ups.note(true) })
                    }
                    for round in 1...2 {
                        try await Eventually.holds("a subscription") { ups.all.count == round }
                        _ = try await client.send(RedisCommand("PUBLISH", "wake", "\(round)"), key: "wake")
                        try await Eventually.holds("a message") { heard.all.last == "wake: \(round)" }
                        guard round == 1 else { break }
                        try await server.kill()
                        try await RedisWorld.down(client)
                        try await server.restart()
                        try await RedisWorld.up(client)
                    }
                    group.cancelAll()
                }
                #expect(heard.all == ["wake: 1", "wake: 2"])
            }
        }
    }

    @Test func whatIsNoRedisIsRefused() async throws {
        try await LoopbackHTTPServer.with({ _ in .init() }) { server in
            let settings = try RedisWorld.settings("redis://127.0.0.1:\(server.port)")
            try await RedisWorld.with(settings, waits: false) { client in
                _ = try await Eventually.value("a refusal") {
                    client.status.fault.flatMap { $0.contains("was not reached yet") ? nil : $0 }
                }
                #expect(!client.status.isUp)
            }
        }
    }
}
