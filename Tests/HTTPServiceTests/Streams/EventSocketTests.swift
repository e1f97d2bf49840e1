// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import HTTPService
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(10))) struct EventSocketTests {
    private static let all = StreamClient.socket("/v1/events/ws?stream=all")

    private func begun(_ client: StreamClient) async throws {
        try await Eventually.holds("the upgrade") { client.text.contains("\r\n\r\n") }
    }

    /// The close frame that ends the connection.
    private func close(_ client: StreamClient) async throws -> StreamClient.Frame {
        try await Eventually.holds("the end of the connection") { client.hasEnded }
        let last = try #require(client.frames.last)
        #expect(last.opcode == 8)
        return last
    }

    @Test func speaksWebSocket() async throws {
        let streams = StreamGate()
        let text = try await streams.connect(Self.all) { client in
            try await begun(client)
            streams.write([try LiveRows.row(0), try LiveRows.healing(1)])
            try await Eventually.holds("both events") { client.texts.count == 2 }
            let event = try JSONParser.parse(text: client.texts[1])
            #expect(event["type"] == "event" && event["id"] == .string(LiveRows.id(1)))
            #expect(event["data"]?["kind"] == "ack")
            return client.text
        }
        #expect(text.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        #expect(text.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(!text.contains("Sec-WebSocket-Extensions") && !text.contains("Sec-WebSocket-Protocol"))
        let end = try await streams.end()
        #expect(streams.phases == ["opened", "closed"] && end.metadata["events"] == 2)
    }

    @Test func isAnUpgradeOfAConnectionThatWasUsedBefore() async throws {
        let streams = StreamGate()
        try await streams.connect("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n") { client in
            try await Eventually.holds("the first answer") { client.text.hasSuffix("ok\n") }
            try await client.send(Array(Self.all.utf8))
            try await Eventually.holds("the upgrade") { client.text.contains("101 Switching") }
        }
    }

    @Test(arguments: ["tollgate-auth", "orcheo-auth"])
    func selectsItsProtocolAndRepeatsNoCredential(_ name: String) async throws {
        let request = StreamClient.socket(
            "/v1/events/ws", [("Sec-WebSocket-Protocol", "bearer.secret-text, \(name)")])
        let text = try await StreamGate().connect(request) { client in
            try await begun(client)
            return client.text
        }
        #expect(text.contains("Sec-WebSocket-Protocol: \(name)\r\n") && !text.contains("secret-text"))
    }

    @Test func subscribesAnew() async throws {
        let streams = StreamGate()
        try await streams.connect(StreamClient.socket("/v1/events/ws")) { client in
            try await begun(client)
            streams.write([try LiveRows.row(0), try LiveRows.row(1, actor: "bob"), try LiveRows.row(2)])
            // In two fragments, with a ping between them.
            let text = #"{"type":"subscribe","stream":"audit","q":"actor=bob","last_event_id":"\#(LiveRows.id(0))"}"#
            try await client.send(
                StreamClient.frame(1, Array(text.utf8.prefix(20)), isFinal: false)
                    + StreamClient.frame(9, Array("there?".utf8))
                    + StreamClient.frame(0, Array(text.utf8.dropFirst(20))))
            try await Eventually.holds("bob's event") { client.texts.contains { $0.contains(LiveRows.id(1)) } }
            #expect(client.texts.count == 1)
            #expect(client.frames.contains(StreamClient.Frame(opcode: 10, payload: Array("there?".utf8))))
        }
    }

    @Test(arguments: [
        (#"{"type":"subscribe","q":"a="}"#, "audit.bad_query"),
        (#"{"type":"subscribe","stream":"some"}"#, "request.invalid"),
        (#"{"type":"subscribe","stream":7}"#, "request.invalid"),
    ])
    func tellsWhatIsWrongWithASubscriptionAndGoesOn(_ text: String, _ code: String) async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            try await client.say(text)
            try await Eventually.holds("the error") { client.texts.count == 1 }
            let error = try JSONParser.parse(text: client.texts[0])
            #expect(error["type"] == "error" && error["code"] == .string(code))
            #expect(error["message"]?.stringValue?.isEmpty == false)
            streams.write([try LiveRows.row(0)])
            try await Eventually.holds("an event") { client.texts.count == 2 }
        }
    }

    @Test(arguments: [
        "hello", "[]", "{}", #"{"type":"unsubscribe"}"#, #"{"type":"subscribe","more":1}"#, #"{"type":"subscribe""#,
    ])
    func endsWithWhoeverSaysAnythingElse(_ text: String) async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            try await client.say(text)
            let frame = try await close(client)
            #expect(frame.closeCode == 1008 && frame.closeReason == "only subscribe may be sent")
        }
        #expect(try await streams.end().outcome == .failure)
    }

    @Test(arguments: [
        (StreamClient.frame(1, Array("x".utf8), mask: nil), 1002), (StreamClient.frame(1, [0xFF]), 1007),
        (StreamClient.frame(2, [1]), 1008), (StreamClient.frame(1, [UInt8](repeating: 0x20, count: 4097)), 1008),
    ])
    func endsWithWhoeverBreaksTheProtocol(_ bytes: [UInt8], _ code: Int) async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            try await client.send(bytes)
            #expect(try await close(client).closeCode == code)
        }
        try await Eventually.holds("the place to be free") { streams.hub.clients == 0 }
    }

    @Test func answersTheClientsClose() async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            try await client.send(StreamClient.frame(8, [0x03, 0xE8]))
            #expect(try await close(client).closeCode == 1000)
        }
        #expect(try await streams.end().metadata["reason"] == "closed")
    }

    // MARK: Codes of the end

    @Test(arguments: [
        (Refusal(.authMissingToken), 4401), (Refusal(.authInvalidToken), 4401),
        (Refusal(.policyPermissionDenied), 4403), (Refusal(.authRateLimitedIP, retryAfterSeconds: 3), 4429),
        (Refusal(.authStoreUnavailable), 1013),
    ])
    func acceptsAndClosesWhereTheCallerIsRefused(_ refusal: Refusal, _ code: Int) async throws {
        let streams = StreamGate()
        streams.admission.refuse(refusal)
        try await streams.connect(Self.all) { client in
            let frame = try await close(client)
            #expect(client.text.hasPrefix("HTTP/1.1 101 "))
            #expect(frame.closeCode == code && frame.closeReason == refusal.code.rawValue)
        }
        let record = try #require(streams.gate.audit.queued.first)
        #expect(record.metadata["status"] == .int(Int64(refusal.status)))
        #expect(record.metadata["code"] == .string(refusal.code.rawValue))
        #expect(record.outcome == AuditDraft.Outcome(status: refusal.status))
        let metrics = String(decoding: streams.gate.registry.text(), as: UTF8.self)
        let series = #"tollgate_http_requests_total{route="/v1/events/ws",method="GET",code="\#(refusal.status)"}"#
        #expect(metrics.contains("\(series) 1\n"))
        #expect(!metrics.contains(#"code="101"} 1"#))
    }

    @Test func acceptsAndClosesWhereTheTrailMayNotBeRead() async throws {
        let streams = StreamGate()
        streams.admission.hold(["monitor:read"])
        try await streams.connect(Self.all) { client in
            let frame = try await close(client)
            #expect(frame.closeCode == 4403 && frame.closeReason == "policy.permission_denied")
        }
        try await streams.connect(StreamClient.socket("/v1/events/ws")) { client in
            try await begun(client)
            try await client.say(#"{"type":"subscribe","stream":"all"}"#)
            #expect(try await close(client).closeCode == 4403)
            #expect(client.texts.first?.contains("policy.permission_denied") == true)
        }
    }

    @Test func closesWhereThereAreTooMany() async throws {
        let streams = StreamGate { $0.clients = 0 }
        try await streams.connect(Self.all) { client in
            let frame = try await close(client)
            #expect(frame.closeCode == 4429 && frame.closeReason == "events.too_many_streams")
        }
    }

    @Test func closesWhenTheCredentialIsRevoked() async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            streams.admission.refuse(Refusal(.authTokenRevoked))
            streams.pass(30)
            let frame = try await close(client)
            #expect(frame.closeCode == 4401 && frame.closeReason == "auth.token_revoked")
            #expect(client.texts.last?.contains("auth.token_revoked") == true)
        }
    }

    @Test func closesWhenTheProcessEnds() async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            streams.hub.drain()
            #expect(try await close(client).closeCode == 1012)
            #expect(client.texts == [#"{"type":"draining"}"#])
        }
    }

    @Test func pingsAndClosesAConnectionThatIsSilent() async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            for round in 1...2 {
                streams.pass(15)
                try await Eventually.holds("a ping") { client.frames.filter { $0.opcode == 9 }.count == round }
            }
            streams.pass(15)
            let frame = try await close(client)
            #expect(frame.closeCode == 1011 && frame.closeReason == "no pong")
        }
    }

    @Test func keepsAConnectionThatAnswersPings() async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            for round in 1...4 {
                streams.pass(15)
                try await Eventually.holds("a ping") { client.frames.filter { $0.opcode == 9 }.count == round }
                // The ping behind it shows that the pong was read.
                try await client.send(StreamClient.frame(10, []) + StreamClient.frame(9, [UInt8(round)]))
                try await Eventually.holds("the pong") { client.frames.filter { $0.opcode == 10 }.count == round }
            }
            #expect(!client.hasEnded)
        }
    }

    // MARK: Handshake

    @Test(arguments: [
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", "Sec-WebSocket-Version is not 13"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", "Sec-WebSocket-Key is not 16 bytes in base64"),
        (
            "Connection: Upgrade", "Connection: keep-alive",
            "This endpoint speaks WebSocket over HTTP/1.1: send Upgrade: websocket and Connection: Upgrade"
        ),
    ])
    func refusesWhatIsNoHandshake(_ part: String, _ other: String, _ message: String) async throws {
        let request = StreamClient.socket("/v1/events/ws").replacing(part, with: other)
        try await StreamGate().connect(request) { client in
            try await Eventually.holds("the answer") { client.text.contains("request_id") }
            #expect(client.text.hasPrefix("HTTP/1.1 400 ") && client.text.contains("request.malformed"))
            #expect(client.text.contains(message))
        }
    }

    @Test(arguments: [
        ("https://evil.example", 403), ("null", 403), ("http://127.0.0.1:81", 403), ("http://127.0.0.1.evil", 403),
        ("http://127.0.0.1", 101), ("HTTP://127.0.0.1:80", 101), ("https://127.0.0.1:443", 101),
        ("https://console.example", 101),
    ])
    func letsOnlyKnownOriginsIn(_ origin: String, _ status: Int) async throws {
        let streams = StreamGate(origins: ["https://console.example", "*"])
        let request = StreamClient.socket("/v1/events/ws", [("Origin", origin)])
        try await streams.connect(request) { client in
            try await begun(client)
            #expect(client.text.hasPrefix("HTTP/1.1 \(status) "), "\(client.text)")
            guard status == 403 else { return }
            try await Eventually.holds("the answer") { client.text.contains("request_id") }
            #expect(client.text.contains(#""code":"auth.origin_forbidden","message":"Origin not allowed""#))
        }
    }

    /// Whatever a client sends after the upgrade: the server goes on serving others, and the place becomes free.
    @Test func survivesWhateverClientsSend() async throws {
        let streams = StreamGate()
        let random = SeededRandom(seed: 12)
        let subscribe = Array(#"{"type":"subscribe","stream":"all","q":"a=b","last_event_id":"x"}"#.utf8)
        try await streams.gate.live { port in
            for _ in 0..<FuzzCases.count(60) {
                var text = subscribe
                for _ in 0...random.below(3) { text[random.below(text.count)] = UInt8(random.below(256)) }
                var bytes = StreamClient.frame(1, text)
                if random.below(2) == 0 { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
                let sent = bytes + StreamClient.frame(8, [0x03, 0xE8])
                try await StreamClient.with(port: port, Self.all) { client in
                    try await begun(client)
                    try await client.send(sent)
                }
                try await Eventually.holds("the place to be free") { streams.hub.clients == 0 }
            }
        }
    }
}
