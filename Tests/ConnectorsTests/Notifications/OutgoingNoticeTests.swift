// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Connectors
internal import Essentials
internal import Healing
internal import TestSupport
internal import Testing

/// What the clients of Slack, PagerDuty and webhooks make of the other side's faults.
@Suite(.timeLimit(.minutes(10))) struct OutgoingNoticeTests {
    private static let secret = "hush-0123456789"

    private enum Client: String, CaseIterable, Sendable {
        case slack = "Slack"
        case pagerDuty = "PagerDuty"
        case webhook = "the webhook's receiver"

        /// The client, on a server of the test. Each carries the secret where the real one does.
        func make(
            _ url: String, limit: Duration = .seconds(60), time: any MonotonicClock = SystemMonotonicClock()
        ) throws -> any NoticeSending {
            let poster = OutboundPoster(egress: try EgressRules(), limit: limit, clock: ManualClock(), time: time)
            let path = Redacted("\(url)/services/\(secret)")
            return switch self {
            case .slack: SlackSender(url: path, poster: poster, links: nil)
            case .pagerDuty: PagerDutySender(routingKey: Redacted(secret), poster: poster, url: "\(url)/v2/enqueue")
            case .webhook:
                SignedWebhookSender(
                    url: path, secret: Redacted(Array(secret.utf8)), poster: poster, clock: ManualClock())
            }
        }
    }

    private static let notice = HealingNotice(
        id: "n1", channel: .slack, kind: .failed, at: ManualClock().now(),
        event: ["alertname": "ApiDown", "cmd": "rollout-restart deployment/crm/api", "err": "no", "stage": "apply"])

    /// The fault of one delivery; nil when there was none.
    private static func fault(_ client: any NoticeSending) async -> NoticeError? {
        do throws(NoticeError) {
            try await client.send(notice)
            return nil
        } catch {
            return error
        }
    }

    private static func check(
        _ answer: LoopbackHTTPServer.Answer, isOverOnceAsked: Bool = false,
        _ look: (Client, NoticeError?) throws -> Void
    ) async throws {
        for client in Client.allCases {
            try await LoopbackHTTPServer.with({ _ in answer }) { server in
                let time: any MonotonicClock = isOverOnceAsked ? ClockOfRequests(server) : SystemMonotonicClock()
                let fault = await fault(try client.make(server.url, time: time))
                #expect(server.requests.count == 1, "a client sends once, the outbox repeats")
                #expect(fault?.message.contains("hush") != true, "\(client): \(fault?.message ?? "")")
                try look(client, fault)
            }
        }
    }

    @Test(arguments: [200, 201, 202, 204]) func success(_ status: Int) async throws {
        try await Self.check(.json("{}", status: status)) { client, fault in #expect(fault == nil, "\(client)") }
    }

    @Test func waitsAsLongAsTheReceiverAsks() async throws {
        for (text, retry) in [
            ("120", NoticeError.Retry.after(seconds: 120)), (" 7 ", .after(seconds: 7)), ("0", .after(seconds: 0)),
            ("Sun, 01 Mar 2026 12:00:40 GMT", .after(seconds: 40)),
            ("Sat, 28 Feb 2026 12:00:00 GMT", .after(seconds: 0)), ("01 Mar 2026 12:00:40 GMT", .later), ("-1", .later),
            ("", .later), ("99999999999999999999", .later),
        ] {
            let answer = LoopbackHTTPServer.Answer(
                status: 429, headers: [("Retry-After", text)], body: Array(Self.secret.utf8))
            try await Self.check(answer) { client, fault in
                #expect(fault == NoticeError("\(client.rawValue) answered 429", retry: retry), "\(text)")
            }
        }
        let away = LoopbackHTTPServer.Answer(status: 503, headers: [("Retry-After", "60")])
        try await Self.check(away) { _, fault in #expect(fault?.retry == .after(seconds: 60)) }
    }

    @Test(arguments: [408, 425, 429, 500, 502, 503, 504]) func triesLaterWhatMayPass(_ status: Int) async throws {
        try await Self.check(.json("{\"error\": \"\(Self.secret)\"}", status: status)) { client, fault in
            #expect(fault == NoticeError("\(client.rawValue) answered \(status)", retry: .later))
        }
    }

    @Test(arguments: [400, 401, 403, 404, 410, 413, 422]) func givesUpWhatIsRefused(_ status: Int) async throws {
        try await Self.check(.json("{\"error\": \"\(Self.secret)\"}", status: status)) { client, fault in
            #expect(fault == NoticeError("\(client.rawValue) answered \(status)", retry: .never))
        }
    }

    /// A receiver that sends elsewhere would see what is meant for this address only.
    @Test func followsNobody() async throws {
        try await LoopbackHTTPServer.with({ _ in .json("{}") }) { other in
            let answer = LoopbackHTTPServer.Answer(status: 307, headers: [("Location", "\(other.url)/elsewhere")])
            try await Self.check(answer) { client, fault in
                #expect(fault == NoticeError("\(client.rawValue) answered 307"))
            }
            #expect(other.requests.isEmpty)
        }
    }

    @Test func aLostConnectionIsTriedLater() async throws {
        try await Self.check(.drop) { _, fault in
            #expect(fault?.retry == .later)
            #expect(fault?.message.contains("no answer: ") == true, "\(fault?.message ?? "")")
        }
        let port = try FreePort.next()
        for client in Client.allCases {
            let fault = await Self.fault(try client.make("http://127.0.0.1:\(port)", limit: .milliseconds(300)))
            #expect(fault?.retry == .later && fault?.message.contains("hush") == false, "\(fault?.message ?? "")")
        }
    }

    @Test func nobodyWaitsForEver() async throws {
        for answer in [LoopbackHTTPServer.Answer.silence, .stalling("{\"status\": \"success\"}")] {
            try await Self.check(answer, isOverOnceAsked: true) { _, fault in
                #expect(fault?.retry == .later)
                #expect(fault?.message.contains("no answer within 60.0 seconds") == true, "\(fault?.message ?? "")")
            }
        }
    }

    @Test func anEndlessAnswerIsNotRead() async throws {
        let large = LoopbackHTTPServer.Answer(body: Array(repeating: 0x20, count: OutboundPoster.maximumBytes + 1))
        try await Self.check(large) { _, fault in
            #expect(fault?.message.contains("more than 65536 bytes") == true, "\(fault?.message ?? "")")
        }
    }

    @Test func whatMayNotBeCalledIsNotNamed() async throws {
        for url in ["http://hooks.example.com", "ftp://hooks.example.com", "https://user:hush@hooks.example.com"] {
            for client in [Client.slack, .webhook] {
                let fault = await Self.fault(try client.make(url))
                #expect(fault?.message.contains("not one that may be called") == true, "\(fault?.message ?? "")")
                #expect(fault?.message.contains("hush") == false && fault?.message.contains("hooks.") == false)
            }
        }
    }
}
