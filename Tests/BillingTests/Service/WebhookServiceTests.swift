// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Logging
internal import MetricsTestKit
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite struct WebhookServiceTests {
    /// Answers what a test says and keeps what it was given.
    final class FakeSender: WebhookSending {
        struct Sent: Sendable {
            var body: [UInt8]
            var headers: WebhookHeaders
            var url: String
        }

        private let state = Mutex<(sent: [Sent], answer: WebhookAnswer)>(([], .status(200, retryAfterSeconds: nil)))

        var sent: [Sent] { state.withLock(\.sent) }

        func answers(_ answer: WebhookAnswer) { state.withLock { $0.answer = answer } }

        func check(_ url: String) throws(Refusal) {
            guard !url.contains("10.0.0.1") else {
                throw Refusal(.requestInvalid, details: ["field": "url"])
            }
        }

        func send(_ body: [UInt8], headers: WebhookHeaders, to url: String) async -> WebhookAnswer {
            state.withLock { state in
                state.sent.append(Sent(body: body, headers: headers, url: url))
                return state.answer
            }
        }
    }

    private static let now = Timestamp(seconds: 1_772_366_400)
    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private let ledger = ProviderLedger()
    private let sender = FakeSender()
    private let clock = ManualClock(Self.now)
    private let metrics = TestMetrics()
    private let random = SeededRandom(seed: 9)

    private var service: WebhookEndpointService {
        WebhookEndpointService(ledger: ledger, sender: sender, clock: clock, random: random, logger: Self.logger)
    }

    private var worker: WebhookDeliveryWorker {
        WebhookDeliveryWorker(
            ledger: ledger, sender: sender, clock: clock, random: random, logger: Self.logger,
            metricsFactory: metrics)
    }

    private func code(_ body: () async throws(Refusal) -> Void) async -> ErrorCode? {
        do {
            try await body()
            return nil
        } catch {
            return error.code
        }
    }

    private func tell(_ type: String = "billing.alert", message: String = "msg_1") async throws {
        let now = clock.now()
        try await ledger.transact("acme") { transaction in
            try WebhookOutbox.add(
                type, body: #"{"type":"\#(type)"}"#, message: message, account: "acme", at: now, in: transaction)
        }
    }

    private func count(_ result: String) throws -> Int64 {
        try metrics.expectCounter("tollgate_webhook_deliveries_total", [("result", result)]).totalValue
    }

    @Test func endpointsAreMadeShownChangedAndRemoved() async throws {
        let made = try await service.create(["url": "https://a.example/x"], for: "acme")
        #expect(made.shownOnce["secret"]?.stringValue?.hasPrefix("whsec_") == true)
        #expect(try await service.list("acme") == [made])
        let isEmpty = try await service.list("other").isEmpty
        #expect(isEmpty)
        #expect(!made.shown.jsonText.contains("whsec_"))
        let changed = try await service.update(
            made.id, ["url": "https://b.example", "enabled": false, "types": ["billing.alert"]], of: "acme")
        #expect(changed.url == "https://b.example")
        #expect(changed.secrets == made.secrets)
        #expect(!changed.wants("billing.alert"))
        let rotated = try await service.rotate(made.id, of: "acme")
        #expect(rotated.signing(at: Self.now).count == 2)
        #expect(rotated.signing(at: Self.now)[1] == made.signing(at: Self.now)[0])
        try await service.delete(made.id, of: "acme")
        #expect(
            await code { () throws(Refusal) in _ = try await service.endpoint(made.id, of: "acme") } == .billingNotFound
        )
        #expect(await code { () throws(Refusal) in try await service.delete(made.id, of: "acme") } == .billingNotFound)
    }

    @Test func anotherAccountsEndpointIsNotFound() async throws {
        let made = try await service.create(["url": "https://a.example/x"], for: "acme")
        #expect(
            await code { () throws(Refusal) in _ = try await service.rotate(made.id, of: "other") } == .billingNotFound)
        #expect(
            await code { () throws(Refusal) in _ = try await service.deliveries(of: made.id, account: "other") }
                == .billingNotFound)
    }

    @Test func twentyAreTheMost() async throws {
        for number in 0..<20 {
            _ = try await service.create(["url": .string("https://a.example/\(number)")], for: "acme")
        }
        #expect(
            await code { () throws(Refusal) in _ = try await service.create(["url": "https://a.example"], for: "acme") }
                == .requestInvalid)
        #expect(try await service.list("acme").count == 20)
        #expect(
            await code { () throws(Refusal) in _ = try await service.create(["url": "https://10.0.0.1"], for: "new") }
                == .requestInvalid)
    }

    @Test func everyAttemptIsSignedAnewUnderOneId() async throws {
        let endpoint = try await service.create(["url": "https://a.example/x"], for: "acme")
        try await tell()
        sender.answers(.status(500, retryAfterSeconds: nil))
        var waits: [Int64] = []
        var attempts = 0
        while let next = ledger.kept.deliveries.values.first?.nextAt {
            waits.append(next.seconds - clock.now().seconds)
            clock.set(next)
            #expect(try await worker.round() == 1)
            attempts += 1
        }
        #expect(attempts == 10)
        for (wait, pause) in zip(waits, WebhookSchedule.pauses) { #expect(abs(wait - pause) <= pause / 10 + 1) }
        let row = try #require(ledger.kept.deliveries.values.first)
        #expect(row.state == "failed")
        #expect(row.lastStatus == 500)
        #expect(Set(sender.sent.map(\.headers.id)) == ["msg_1"])
        #expect(Set(sender.sent.map(\.headers.timestamp)).count == 10)
        for sent in sender.sent {
            let wanted = WebhookHeaders(
                id: "msg_1", body: sent.body, secrets: endpoint.signing(at: Self.now),
                at: Timestamp(seconds: Int64(sent.headers.timestamp) ?? 0))
            #expect(sent.headers == wanted)
        }
        #expect(try count("retried") == 9)
        #expect(try count("failed") == 1)
    }

    @Test func aDeliveredOneIsDoneAndCanBeSentAgain() async throws {
        let endpoint = try await service.create(["url": "https://a.example/x"], for: "acme")
        try await tell()
        #expect(try await worker.round() == 1)
        #expect(try await worker.round() == 0)
        let row = try #require(try await service.deliveries(of: endpoint.id, account: "acme").first)
        #expect(row.state == "delivered")
        #expect(row.lastStatus == 200)
        #expect(row.shown["state"] == "delivered")
        _ = try await service.resend(row.id, of: "acme")
        #expect(try await worker.round() == 1)
        #expect(sender.sent.count == 2)
        #expect(
            await code { () throws(Refusal) in _ = try await service.resend(row.id, of: "other") } == .billingNotFound)
        #expect(try count("delivered") == 2)
    }

    @Test func goneMeansThatNothingIsSentAnyMore() async throws {
        let endpoint = try await service.create(["url": "https://a.example/x"], for: "acme")
        try await tell(message: "msg_1")
        sender.answers(.status(410, retryAfterSeconds: nil))
        #expect(try await worker.round() == 1)
        #expect(try await service.endpoint(endpoint.id, of: "acme").disabledBecause == "its receiver answered 410")
        try await tell(message: "msg_2")
        #expect(ledger.kept.deliveries.count == 1)
        let row = try #require(ledger.kept.deliveries.values.first)
        #expect(row.state == "failed")
        #expect(
            await code { () throws(Refusal) in _ = try await service.resend(row.id, of: "acme") } == .requestInvalid)
    }

    @Test func whatWaitsForARemovedEndpointIsDropped() async throws {
        let endpoint = try await service.create(["url": "https://a.example/x"], for: "acme")
        try await tell()
        try await service.delete(endpoint.id, of: "acme")
        #expect(try await worker.round() == 1)
        #expect(sender.sent.isEmpty)
        #expect(ledger.kept.deliveries.values.first?.state == "failed")
        #expect(try count("dropped") == 1)
    }

    @Test func onlyThoseThatWantATypeAreTold() async throws {
        _ = try await service.create(["url": "https://a.example", "types": ["billing.overshoot"]], for: "acme")
        let wanting = try await service.create(["url": "https://b.example", "types": ["billing.alert"]], for: "acme")
        try await tell("billing.alert")
        #expect(ledger.kept.deliveries.values.map(\.endpoint) == [wanting.id])
    }
}
