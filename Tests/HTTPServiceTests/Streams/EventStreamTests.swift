// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Pipeline
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(10))) struct EventStreamTests {
    private static let all = StreamClient.events("/events?stream=all")

    private func begun(_ client: StreamClient) async throws {
        try await Eventually.holds("the stream to begin") { client.text.contains("retry: 3000\n: ") }
    }

    @Test(arguments: ["/events?stream=all", "/api/ops/autoheal/events?stream=all"])
    func writesEventsAsTheyCome(_ target: String) async throws {
        let streams = StreamGate()
        let text = try await streams.connect(StreamClient.events(target)) { client in
            try await begun(client)
            streams.write([try LiveRows.row(0), try LiveRows.healing(1)])
            try await Eventually.holds("both events") { client.data.count == 2 }
            #expect(client.ids == [LiveRows.id(0), LiveRows.id(1)])
            #expect(client.names.isEmpty)
            #expect(try JSONParser.parse(text: client.data[1])["kind"] == "ack")
            return client.text
        }
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        for field in [
            "Content-Type: text/event-stream", "Cache-Control: no-store", "X-Accel-Buffering: no",
            "X-Content-Type-Options: nosniff",
        ] { #expect(text.contains(field + "\r\n"), "\(field)") }
        let end = try await streams.end()
        #expect(streams.phases == ["opened", "closed"])
        #expect(end.metadata["events"] == 2 && end.metadata["reason"] == "gone" && end.outcome == .success)
        #expect(end.actor == "ci" && end.action == "monitor.read" && end.tenant == "acme")
        #expect(streams.hub.clients == 0)
    }

    @Test func givesThePlaceBackWhenTheClientGoes() async throws {
        let streams = StreamGate { $0.clientsOfOneIdentity = 1 }
        try await streams.gate.live { port in
            for _ in 0..<3 {
                try await StreamClient.with(port: port, Self.all) { client in
                    try await begun(client)
                    #expect(streams.hub.clients == 1)
                }
                try await Eventually.holds("the place to be free") { streams.hub.clients == 0 }
            }
        }
    }

    @Test func goesOnAfterTheEventThatTheClientNames() async throws {
        let streams = StreamGate()
        streams.write(try (0..<10).map { try LiveRows.row($0) })
        // The header is newer than the parameter.
        let request = StreamClient.events(
            "/events?stream=all&last_event_id=\(LiveRows.id(1))", [("Last-Event-ID", LiveRows.id(6))])
        try await streams.connect(request) { client in
            try await Eventually.holds("the rest") { client.ids == (7..<10).map(LiveRows.id) }
        }
        let parameter = StreamClient.events("/events?stream=all&last_event_id=\(LiveRows.id(7))")
        try await streams.connect(parameter) { client in
            try await Eventually.holds("the rest") { client.ids == (8..<10).map(LiveRows.id) }
        }
    }

    @Test func tellsOfAGapFirst() async throws {
        let streams = StreamGate()
        streams.history.add(try (20..<22).map { try LiveRows.row($0) })
        let request = StreamClient.events("/events?stream=all", [("Last-Event-ID", LiveRows.id(3))])
        try await streams.connect(request) { client in
            try await Eventually.holds("both events") { client.ids.count == 2 }
            #expect(client.names == ["gap"])
            #expect(client.data.first == #"{"after":"\#(LiveRows.id(3))","missed":null}"#)
        }
    }

    @Test func givesASignOfLife() async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            streams.pass(15)
            try await Eventually.holds("a comment") { client.text.hasSuffix(":\n\n\r\n") }
        }
    }

    @Test(arguments: [
        (Refusal(.authTokenRevoked), "auth.token_revoked", "Service token has been revoked", AuditDraft.Outcome.denied),
        (Refusal(.authTokenExpired), "auth.token_expired", "Bearer token has expired", .denied),
        (Refusal(.authStoreUnavailable), "auth.store_unavailable", "Token store unavailable", .failure),
    ])
    func endsWhenTheCredentialIsNotGoodAnyMore(
        _ refusal: Refusal, _ code: String, _ message: String, _ outcome: AuditDraft.Outcome
    ) async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            streams.pass(29)
            streams.admission.refuse(refusal)
            streams.pass(1)
            try await Eventually.holds("the end") { client.names == ["closed"] && client.text.hasSuffix("0\r\n\r\n") }
            #expect(client.data == [#"{"code":"\#(code)","message":"\#(message)"}"#])
        }
        let end = try await streams.end()
        #expect(end.metadata["reason"] == .string(code) && end.outcome == outcome)
        // Looking again counts neither as a use nor as a failure.
        #expect(streams.gate.decider.own.map(\.isRecheck) == [false, true])
    }

    @Test func endsWhenTheCallerMayNotWatchThisAnyMore() async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            streams.admission.hold(["monitor:read"])
            streams.pass(30)
            try await Eventually.holds("the end") { client.data.first?.contains("policy.permission_denied") == true }
        }
    }

    @Test func endsWhenTheCallerBelongsToAnotherTenant() async throws {
        let streams = StreamGate()
        streams.admission.hold(["monitor:read"])
        try await streams.connect(StreamClient.events("/events")) { client in
            try await begun(client)
            streams.admission.become(
                Principal(subject: "ci", identityType: .service, authSource: .serviceToken, tenantID: "other"))
            streams.pass(30)
            try await Eventually.holds("the end") { client.data.first?.contains("auth.tenant_mismatch") == true }
        }
    }

    @Test func goesOnWhileTheCredentialIsGood() async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            streams.pass(30)
            try await Eventually.holds("the second look") { streams.gate.decider.own.count == 2 }
            streams.write([try LiveRows.row(0)])
            try await Eventually.holds("an event") { client.ids.count == 1 }
        }
    }

    @Test func tellsEverybodyWhenTheProcessEnds() async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            streams.hub.drain()
            try await Eventually.holds("the end") { client.names == ["draining"] && client.text.hasSuffix("0\r\n\r\n") }
        }
        #expect(try await streams.end().metadata["reason"] == "draining")
    }

    @Test func endsStreamsWhenTheListenerStops() async throws {
        let streams = StreamGate()
        // The client stays: the listener ends although nobody told the hub.
        let text = try await streams.gate.live { port in
            let client = try await StreamClient.open(port: port, Self.all)
            try await begun(client)
            return client
        }
        try await Eventually.holds("the end") { text.names == ["draining"] }
    }

    @Test func givesUpOnAStalledClientAndDelaysNobody() async throws {
        let streams = StreamGate()
        let padding = String(repeating: "x", count: 8000)
        try await streams.gate.live { port in
            try await StreamClient.with(port: port, Self.all) { stalled in
                try await begun(stalled)
                try await stalled.stall()
                try await StreamClient.with(port: port, Self.all) { other in
                    try await begun(other)
                    var number = 0
                    while streams.hub.clients == 2, number < 40_000 {
                        let rows = try (number..<number + 40).map {
                            try LiveRows.row($0, metadata: ["note": .string(padding)])
                        }
                        number += 40
                        streams.write(rows)
                        let sent = number
                        try await Eventually.holds("the other to have all") { other.count(of: "id: ") == sent }
                        streams.clock.advance(by: .milliseconds(100))
                    }
                    #expect(streams.hub.clients == 1)
                    #expect(other.names.isEmpty)
                }
                try await stalled.read()
                try await Eventually.holds("the last words") { stalled.names.contains("overflow") }
                let data = try JSONParser.parse(text: stalled.data.last ?? "")
                #expect(data["last_id"]?.stringValue == stalled.ids.last)
                // Of such events it is the bytes that are too many.
                #expect((data["dropped"]?.intValue ?? 0) > 100)
            }
        }
        let ends = streams.gate.audit.queued.filter { $0.metadata["reason"] == "overflow" }
        #expect(ends.count == 1 && ends.first?.outcome == .failure)
    }

    // MARK: Refusals

    @Test(arguments: [
        ("/events?stream=everything", 422, "request.invalid", "stream: not healing, audit or all"),
        (
            "/events?kind=action_okay", 422, "request.invalid",
            "kind: must be one of webhook_received, decision_skip, action_dry_run, action_ok, action_fail, ack"
        ),
        (
            "/events?stream=audit&kind=ack", 422, "request.invalid",
            "kind: is of healing events, which stream audit leaves out"
        ),
        (
            "/events?last_event_id=\(String(repeating: "i", count: 65))", 422, "request.invalid",
            "last_event_id: longer than 64 bytes"
        ),
        ("/events?token=abc", 400, "request.malformed", "Unknown parameter: token"),
        ("/events?stream=all&stream=audit", 422, "request.invalid", "stream: given twice"),
        ("/events?q=a%20b", 400, "audit.bad_query", nil),
        ("/v1/events/ws", 400, "request.malformed", nil),
    ])
    func refuses(_ target: String, _ status: Int, _ code: String, _ message: String?) async throws {
        let streams = StreamGate()
        let reply = try await streams.gate.send(.get, target)
        #expect(reply.status == status && reply.code == code, "\(reply.text)")
        if let message { #expect(reply.message == message) }
        #expect(streams.hub.clients == 0)
    }

    @Test func namesThePlaceOfAFaultInAQuery() async throws {
        let reply = try await StreamGate().gate.send(.get, "/events?q=kind%3Dack%20actor%3Dbob")
        #expect(reply.json["details"]?["position"] == 9)
        #expect(reply.json["details"]?["reason"] == "expected_connective")
    }

    @Test(arguments: ["audit", "all"])
    func showsTheTrailOnlyToWhoMayReadIt(_ stream: String) async throws {
        let streams = StreamGate()
        streams.admission.hold(["monitor:read"])
        let reply = try await streams.gate.send(.get, "/events?stream=\(stream)")
        #expect(reply.status == 403 && reply.code == "policy.permission_denied")
        #expect(reply.message == "Permission 'admin:access' is required for stream '\(stream)'")
    }

    @Test func refusesTooManyStreams() async throws {
        let streams = StreamGate { $0.clients = 1 }
        try await streams.connect(Self.all) { client in
            try await begun(client)
            let reply = try await streams.gate.send(.get, "/events")
            #expect(reply.status == 429 && reply.code == "events.too_many_streams")
            #expect(reply.message == "Too many event streams are open" && reply["Retry-After"] == "30")
        }
    }

    @Test func givesThePlaceBackWhenTheBeginningCannotBeRecorded() async throws {
        let streams = StreamGate(audit: FakeAudit(isWritable: false))
        let reply = try await streams.gate.send(.get, "/events")
        #expect(reply.status == 503 && reply.code == "audit.unavailable")
        #expect(streams.hub.clients == 0)
    }

    @Test func answersHEADWithoutAStream() async throws {
        let streams = StreamGate()
        let reply = try await streams.gate.send(.head, "/events")
        #expect(reply.status == 200 && reply["Content-Type"] == "text/event-stream")
        #expect(streams.hub.clients == 0)
    }

    @Test func showsHowManyWatch() async throws {
        let streams = StreamGate()
        try await streams.connect(Self.all) { client in
            try await begun(client)
            let text = String(decoding: streams.registry.text(), as: UTF8.self)
            #expect(text.contains(#"tollgate_events_clients{kind="sse"} 1"#))
            #expect(text.contains(#"tollgate_events_clients{kind="websocket"} 0"#))
            #expect(text.contains("tollgate_events_dropped_total 0"))
        }
    }
}
