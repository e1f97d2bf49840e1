// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

/// What becomes of a silence when Alertmanager does not do as it is asked.
@Suite(.timeLimit(.minutes(10))) struct AlertmanagerClientTests {
    private static let silence: JSONObject = ["comment": "hush", "createdBy": "ops"]

    private static func create(
        _ answer: LoopbackHTTPServer.Answer, isOverOnceAsked: Bool = false
    ) async throws -> Result<String, Refusal> {
        try await LoopbackHTTPServer.with({ _ in answer }) { server in
            let time: any MonotonicClock = isOverOnceAsked ? ClockOfRequests(server) : SystemMonotonicClock()
            let poster = OutboundPoster(egress: try EgressRules(), limit: .seconds(60), time: time)
            let client = AlertmanagerClient(url: server.url, poster: poster)
            let result: Result<String, Refusal>
            do throws(Refusal) {
                result = .success(try await client.create(silence))
            } catch {
                result = .failure(error)
            }
            // A silence that was perhaps made must not be made twice.
            #expect(server.requests.map(\.path) == ["/api/v2/silences"])
            #expect(server.requests.first?.body == JSONValue.object(silence).encoded())
            return result
        }
    }

    /// What it says of that answer.
    private static func words(
        _ answer: LoopbackHTTPServer.Answer, isOverOnceAsked: Bool = false
    ) async throws -> String {
        guard case .failure(let refusal) = try await create(answer, isOverOnceAsked: isOverOnceAsked) else {
            return "made"
        }
        #expect(refusal.code == .healingAlertmanagerFailed && refusal.status == 502)
        #expect(!refusal.message.contains("127.0.0.1") && !refusal.message.contains("hush"), "\(refusal.message)")
        let begin = "Alertmanager did not take the silence: "
        #expect(refusal.message.hasPrefix(begin))
        return String(refusal.message.dropFirst(begin.count))
    }

    @Test func namesTheSilence() async throws {
        let made = try await Self.create(.json("{\"silenceID\": \"s-1\"}"))
        #expect(try made.get() == "s-1")
    }

    @Test(arguments: [302, 400, 404, 429, 500, 503]) func saysWhatItAnswered(_ status: Int) async throws {
        let answer = LoopbackHTTPServer.Answer(
            status: status, headers: [("Retry-After", "1"), ("Location", "/elsewhere")], body: Array("hush".utf8))
        #expect(try await Self.words(answer) == "it answered \(status)")
    }

    @Test(arguments: ["", "no JSON", "[]", "{}", "{\"silenceID\": 1}", "{\"silenceID\": \"\"}"])
    func saysWhenItNamesNone(_ body: String) async throws {
        #expect(try await Self.words(.json(body)) == "its answer names no silence")
    }

    @Test func saysWhenItGivesNoAnswer() async throws {
        #expect(try await Self.words(.drop).hasPrefix("no answer: "))
        for answer in [LoopbackHTTPServer.Answer.silence, .stalling("{\"silenceID\": \"s-1\"}")] {
            #expect(try await Self.words(answer, isOverOnceAsked: true) == "no answer within 60.0 seconds")
        }
        let poster = OutboundPoster(egress: try EgressRules(), limit: .milliseconds(300))
        let nobody = AlertmanagerClient(url: "http://127.0.0.1:\(try FreePort.next())", poster: poster)
        let error = await #expect(throws: Refusal.self) { _ = try await nobody.create(Self.silence) }
        #expect(error?.code == .healingAlertmanagerFailed)
    }
}
