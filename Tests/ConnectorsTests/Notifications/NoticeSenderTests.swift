// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Connectors
internal import Essentials
internal import Healing
internal import TestSupport
internal import Testing

/// What the channels are sent, over a real connection.
@Suite struct NoticeSenderTests {
    private static let key = Redacted(Array("key-of-the-notices-0123".utf8))
    private static let clock = ManualClock()

    private static func notice(
        _ kind: HealingNotice.Kind, _ event: JSONObject, channel: HealingRule.Channel = .slack, later seconds: Int64 = 0
    ) -> HealingNotice {
        HealingNotice(
            id: "n1", channel: channel, kind: kind, at: clock.now().adding(seconds: seconds), event: event)
    }

    private static let failed: JSONObject = [
        "alertname": "A", "target": "pod/crm/api", "cmd": "delete-pod pod/crm/api", "stage": "apply", "err": "<gone>",
    ]
    private static let suspended: JSONObject = [
        "kind": "self_suspended", "target": "Deployment/own/tollgate", "reason": "the budget is used up",
        "pods": ["p1: NotReady"],
    ]

    /// Sends notices one after another and gives what the receiver got.
    private static func sent(
        _ notices: [HealingNotice], by sender: (_ url: String, _ poster: OutboundPoster) -> any NoticeSending
    ) async throws -> [LoopbackHTTPServer.Request] {
        try await LoopbackHTTPServer.with({ _ in .json("{}") }) { server in
            let sender = sender("\(server.url)/in", OutboundPoster(egress: try EgressRules()))
            for notice in notices { try await sender.send(notice) }
            return server.requests
        }
    }

    private static func documents(_ requests: [LoopbackHTTPServer.Request]) throws -> [JSONValue] {
        try requests.map { try JSONParser.parse($0.body) }
    }

    @Test func slackReadsWhatHappened() async throws {
        let requests = try await Self.sent([
            Self.notice(.failed, Self.failed), Self.notice(.selfSuspended, Self.suspended),
        ]) { SlackSender(url: Redacted($0), poster: $1, links: nil) }
        #expect(
            try Self.documents(requests) == [
                ["text": "*A*: :x: failed\n`delete-pod pod/crm/api`\nerror at apply: &lt;gone&gt;"],
                [
                    "text":
                        "*Tollgate*: :hourglass: self-healing is suspended\ntarget `Deployment/own/tollgate`\nthe budget is used up"
                ],
            ])
    }

    /// A failure is resolved by the success of the same alert and target; a suspension is never a part of another.
    @Test func pagerDutyKnowsWhatBelongsTogether() async throws {
        let requests = try await Self.sent([
            Self.notice(.failed, Self.failed), Self.notice(.succeeded, Self.failed),
            Self.notice(.selfSuspended, Self.suspended), Self.notice(.selfSuspended, Self.suspended),
            Self.notice(.selfSuspended, Self.suspended, later: 3600),
        ]) { PagerDutySender(routingKey: Redacted("k"), poster: $1, url: $0) }
        let events = try Self.documents(requests)
        #expect(
            events.map { $0["event_action"]?.stringValue } == ["trigger", "resolve", "trigger", "trigger", "trigger"])
        let keys = events.map { $0["dedup_key"]?.stringValue ?? "" }
        #expect(keys[0] == "A pod/crm/api" && keys[1] == keys[0])
        #expect(keys[2] == keys[3] && keys[3] != keys[4] && Set(keys).count == 3)
        #expect(events[2]["payload"]?["summary"] == "self-healing is suspended: the budget is used up")
        #expect(events[2]["payload"]?["severity"] == "error")
        #expect(events[2]["payload"]?["custom_details"]?["pods"] == ["p1: NotReady"])
    }

    @Test func theWebhookGetsTheEventSigned() async throws {
        let requests = try await Self.sent([Self.notice(.selfSuspended, Self.suspended, channel: .webhook)]) {
            SignedWebhookSender(url: Redacted($0), secret: Self.key, poster: $1, clock: Self.clock)
        }
        let request = try #require(requests.first)
        #expect(try JSONParser.parse(request.body) == .object(Self.suspended))
        let timestamp = try #require(request.header("webhook-timestamp"))
        #expect(request.header("webhook-id") == "n1")
        #expect(
            request.header("webhook-signature")
                == WebhookSignature.notice(id: "n1", timestamp: timestamp, body: request.body, key: Self.key))
    }

    @Test func saysWhatWasAnsweredAndNothingElse() async throws {
        try await LoopbackHTTPServer.with({ _ in .json("{}", status: 500) }) { server in
            let poster = OutboundPoster(egress: try EgressRules())
            let url = "\(server.url)/secret-place"
            let senders: [any NoticeSending] = [
                SlackSender(url: Redacted(url), poster: poster, links: nil),
                PagerDutySender(routingKey: Redacted("secret-key"), poster: poster, url: url),
                SignedWebhookSender(url: Redacted(url), secret: Self.key, poster: poster, clock: Self.clock),
            ]
            var messages: [String] = []
            for sender in senders {
                do throws(NoticeError) {
                    try await sender.send(Self.notice(.halted, Self.suspended))
                } catch {
                    messages.append(error.message)
                }
            }
            #expect(
                messages == [
                    "Slack answered 500", "PagerDuty answered 500", "the webhook's receiver answered 500",
                ])
        }
    }
}
