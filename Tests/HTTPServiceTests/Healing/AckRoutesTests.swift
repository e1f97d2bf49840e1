// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct AckRoutesTests {
    private static let form = [("Content-Type", "application/x-www-form-urlencoded")]

    @Test func makesASilence() async throws {
        let world = HealingGate(knows: true)
        let reply = try await world.gate.send(
            .post, "/ack", body: #"{"labels":{"alertname":"A"},"duration":"1h","comment":"mine"}"#)
        #expect(reply.status == 200)
        #expect(reply.json == ["ok": true, "silenceId": "silence-1", "endsAt": "2026-03-01T13:00:00Z"])
        #expect(world.silences.made.first?["createdBy"] == "ann" && world.silences.made.first?["comment"] == "mine")
        let event = try #require(world.gate.audit.durable.first { $0.action == "healing.ack" })
        #expect(event.actor == "ann" && event.outcome == .success && event.tenant == "acme")
        #expect(event.metadata["silenceId"] == "silence-1" && event.metadata["labels"] == ["alertname": "A"])
    }

    @Test func answersARepeatAlike() async throws {
        let world = HealingGate(knows: true)
        let key = [("Idempotency-Key", "k1")]
        let body = #"{"labels":{"alertname":"A"}}"#
        let first = try await world.gate.send(.post, "/ack", key, body: body)
        let second = try await world.gate.send(.post, "/ack", key, body: body)
        #expect(first.json == second.json && second["Idempotency-Replayed"] == "true")
        #expect(world.silences.made.count == 1)
        let other = try await world.gate.send(.post, "/ack", key, body: #"{"labels":{"alertname":"B"}}"#)
        #expect(other.status == 422 && other.code == "request.idempotency_mismatch")
    }

    @Test func tellsWhenAlertmanagerIsAway() async throws {
        let world = HealingGate(knows: true)
        world.silences.goAway(true)
        let reply = try await world.gate.send(.post, "/ack", body: #"{"labels":{"alertname":"A"}}"#)
        #expect(reply.status == 502 && reply.code == "healing.alertmanager_failed")
        #expect(reply.message == "Alertmanager did not take the silence: no answer")
        #expect(world.gate.audit.durable.first { $0.action == "healing.ack" }?.outcome == .failure)
    }

    @Test(arguments: [
        ("{", 400, "request.malformed", "The body is not JSON"),
        ("[]", 400, "request.malformed", "The body must be a JSON object, not a list"),
        ("{}", 422, "request.invalid", "labels: required"),
        (
            #"{"labels":{"a":"b"},"duration":"1w"}"#, 400, "healing.bad_duration",
            "duration: expected a whole number and one of s, m, h, d, such as 30m, 2h or 1d"
        ),
    ])
    func refusesABadRequest(_ body: String, _ status: Int, _ code: String, _ message: String) async throws {
        let reply = try await HealingGate(knows: true).gate.send(.post, "/ack", body: body)
        #expect(reply.status == status && reply.code == code)
        if code != "request.malformed" { #expect(reply.message == message) }
    }

    @Test func changesNothingByGet() async throws {
        let world = HealingGate(knows: true)
        let page = try await world.gate.send(
            .get, "/ack?labels=%7B%22alertname%22%3A%22%3Cb%3E%22%7D&duration=2h")
        #expect(page.status == 200 && page["Content-Type"] == "text/html; charset=utf-8")
        #expect(page["Cache-Control"] == "no-store" && page["X-Robots-Tag"] == "noindex")
        #expect(page["Content-Security-Policy"]?.contains("frame-ancestors 'none'") == true)
        #expect(page.text.contains("alertname = &lt;b&gt;") && !page.text.contains("<b>"))
        #expect(page.text.contains("2026-03-01T14:00:00Z") && page.text.contains(#"action="/ack""#))
        let link = try await world.gate.send(.get, "/ack/link?t=\(world.link())")
        #expect(link.status == 200 && link.text.contains(#"action="/ack/link""#))
        #expect(world.silences.made.isEmpty)
    }

    /// What the page's form posts does what the page says.
    @Test func formsWork() async throws {
        let world = HealingGate(knows: true)
        let done = try await world.gate.send(
            .post, "/ack", Self.form, body: "labels=%7B%22alertname%22%3A%22A+B%22%7D&duration=2h&comment=")
        #expect(done.status == 200 && done.text.contains("silence-1"))
        #expect(world.silences.made.first?["matchers"]?.arrayValue?.first?["value"] == "A B")
    }

    /// curl calls everything a form that it is given with `-d`.
    @Test func jsonThatIsCalledAFormIsJSON() async throws {
        let world = HealingGate(knows: true)
        let reply = try await world.gate.send(.post, "/ack", Self.form, body: #"{"labels":{"alertname":"A"}}"#)
        #expect(reply.status == 200 && reply.json["silenceId"] == "silence-1")
    }

    /// A form cannot send the header that a session's callers need: it goes by a link of its own.
    @Test func asksSessionsByALink() async throws {
        let world = HealingGate(knows: true, session: "s1")
        let page = try await world.gate.send(.get, "/ack?labels=%7B%22alertname%22%3A%22A%22%7D")
        let token = try #require(page.text.firstMatch(of: /name="t" value="([^"]+)"/)?.output.1)
        let done = try await world.gate.send(.post, "/ack/link", Self.form, body: "t=\(token)")
        #expect(done.status == 200 && world.silences.made.count == 1)
    }

    @Test func linksWorkOnce() async throws {
        let world = HealingGate()
        let token = try world.link()
        world.silences.goAway(true)
        let away = try await world.gate.send(.post, "/ack/link", Self.form, body: "t=\(token)")
        #expect(away.status == 502, "and it may be tried again")
        world.silences.goAway(false)
        let done = try await world.gate.send(.post, "/ack/link", Self.form, body: "t=\(token)")
        #expect(done.status == 200 && done["Cache-Control"] == "no-store")
        #expect(world.silences.made.first?["createdBy"] == "link:slack")
        let again = try await world.gate.send(.post, "/ack/link", Self.form, body: "t=\(token)")
        #expect(again.status == 401 && again.code == "healing.bad_link")
        #expect(world.silences.made.count == 1)
    }

    /// A trail that goes away just then does not let a link, or a key, silence twice.
    @Test func whatIsMadeIsNotMadeAgain() async throws {
        let world = HealingGate()
        let audit = world.gate.audit
        world.silences.whenMade { audit.isWritable = false }
        let token = try world.link()
        _ = try await world.gate.send(.post, "/ack/link", Self.form, body: "t=\(token)")
        audit.isWritable = true
        let again = try await world.gate.send(.post, "/ack/link", Self.form, body: "t=\(token)")
        #expect(again.status == 401 && again.code == "healing.bad_link")
        #expect(world.silences.made.count == 1)

        let other = HealingGate(knows: true)
        let trail = other.gate.audit
        other.silences.whenMade { trail.isWritable = false }
        let key = [("Idempotency-Key", "k1")]
        let body = #"{"labels":{"alertname":"A"}}"#
        _ = try await other.gate.send(.post, "/ack", key, body: body)
        trail.isWritable = true
        let repeated = try await other.gate.send(.post, "/ack", key, body: body)
        #expect(repeated.status == 200 && repeated.json["silenceId"] == "silence-1")
        #expect(other.silences.made.count == 1)
    }

    @Test func linksHoldForTheirLabelsAndTimeOnly() async throws {
        let world = HealingGate()
        let token = try world.link()
        for text in ["", "x", String(token.dropFirst()), "\(token)x"] {
            for method in [HTTPRequest.Method.get, .post] {
                let reply =
                    method == .get
                    ? try await world.gate.send(.get, "/ack/link?t=\(text)")
                    : try await world.gate.send(.post, "/ack/link", Self.form, body: "t=\(text)")
                #expect(reply.status == 401 && reply.code == "healing.bad_link")
                #expect(reply.message == "The link is invalid, used or expired")
            }
        }
        world.gate.clock.advance(seconds: 601)
        #expect(try await world.gate.send(.get, "/ack/link?t=\(token)").status == 401)
        let json = try await world.gate.send(.post, "/ack/link", body: #"{"t":"x"}"#)
        #expect(json.status == 400 && json.message == "The body must be a form with the field t")
    }
}
