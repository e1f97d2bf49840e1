// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct WebhookRulesTests {
    private static let now = Timestamp(seconds: 1_772_366_400)

    @Test(arguments: [
        ("whsec_" + PaddedBase64.encode([UInt8](repeating: 1, count: 23)), false),
        ("whsec_" + PaddedBase64.encode([UInt8](repeating: 1, count: 24)), true),
        ("whsec_" + PaddedBase64.encode([UInt8](repeating: 1, count: 64)), true),
        ("whsec_" + PaddedBase64.encode([UInt8](repeating: 1, count: 65)), false),
        (PaddedBase64.encode([UInt8](repeating: 1, count: 24)), false), ("whsec_%%", false), ("", false),
    ])
    func secretsHaveTwentyFourToSixtyFourBytes(_ text: String, _ isGood: Bool) {
        #expect((WebhookSecret(text) != nil) == isGood)
    }

    @Test func newSecretsAreReadAgainAndDoNotShow() throws {
        let secret = WebhookSecret.make(SeededRandom(seed: 1))
        #expect(WebhookSecret(secret.text.revealed) == secret)
        #expect(!"\(secret)".contains("whsec_"))
        #expect(WebhookSecret.make(SeededRandom(seed: 2)) != secret)
    }

    @Test func theScheduleHasTenAttemptsAndVariesByTenPercent() {
        let random = SeededRandom(seed: 3)
        let pauses: [Int64] = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
        for (attempts, pause) in pauses.enumerated() {
            var found: Set<Int64> = []
            for _ in 0..<50 {
                let next = WebhookSchedule.next(after: Int64(attempts), at: Self.now, random: random)
                let wait = (next?.microseconds ?? 0) - Self.now.microseconds
                #expect(wait >= pause * 900_000 && wait <= pause * 1_100_000)
                found.insert(wait)
            }
            #expect(pause == 0 || found.count > 10)
        }
        #expect(WebhookSchedule.next(after: 10, at: Self.now, random: random) == nil)
        #expect(WebhookSchedule.next(after: -1, at: Self.now, random: random) == nil)
    }

    @Test(
        arguments: [
            (Int64(600), Int64(600)), (nil, nil), (1, nil), (-5, nil), (1_000_000, 86_400), (.max, 86_400),
        ] as [(Int64?, Int64?)])
    func aReceiverMayAskForMoreTimeAndNotForLess(_ asked: Int64?, _ exact: Int64?) {
        let next = WebhookSchedule.next(
            after: 1, at: Self.now, retryAfterSeconds: asked, random: SeededRandom(seed: 1))
        let wait = (next?.microseconds ?? 0) - Self.now.microseconds
        if let exact {
            #expect(wait == exact * 1_000_000)
        } else {
            #expect((4_500_000...5_500_000).contains(wait))
        }
    }

    @Test(
        arguments: [
            (#"{"url":"https://a.example/x"}"#, nil), (#"{"url":"HTTPS://a.example"}"#, nil),
            (#"{"url":"https://a.example","types":["billing.alert"],"description":"x","enabled":false}"#, nil),
            ("{}", "url"), (#"{"url":"http://a.example"}"#, "url"), (#"{"url":"https://"}"#, "url"),
            (#"{"url":"https://u@a.example"}"#, "url"), (#"{"url":"https://a.example/#x"}"#, "url"),
            (#"{"url":"https://a.example/ x"}"#, "url"), (#"{"url":7}"#, "url"),
            (#"{"url":"https://a.example","types":["nothing"]}"#, "types"),
            (#"{"url":"https://a.example","types":["billing.alert","billing.alert"]}"#, "types"),
            (#"{"url":"https://a.example","types":"billing.alert"}"#, "types"),
            (#"{"url":"https://a.example","description":1}"#, "description"),
            (#"{"url":"https://a.example","enabled":"yes"}"#, "enabled"),
        ] as [(String, String?)])
    func requestsAreChecked(_ text: String, _ field: String?) throws {
        let json = try JSONParser.parse(text: text)
        do throws(Refusal) {
            _ = try WebhookEndpointRequest(json)
            #expect(field == nil)
        } catch {
            #expect(error.code == .requestInvalid)
            #expect(error.details?["field"]?.stringValue == field)
        }
    }

    @Test func aRotatedSecretSignsForAnotherDay() throws {
        let random = SeededRandom(seed: 5)
        let secrets = (0..<3).map { _ in WebhookSecret.make(random) }
        var endpoint = WebhookEndpoint(id: "1", url: "https://a.example", secret: secrets[0], createdAt: Self.now)
        endpoint.rotate(to: secrets[1], at: Self.now)
        #expect(endpoint.signing(at: Self.now.adding(seconds: 86_399)) == [secrets[1], secrets[0]])
        #expect(endpoint.signing(at: Self.now.adding(seconds: 86_400)) == [secrets[1]])
        endpoint.rotate(to: secrets[2], at: Self.now.adding(seconds: 60))
        #expect(endpoint.signing(at: Self.now.adding(seconds: 60)) == [secrets[2], secrets[1]])
        #expect(WebhookEndpoint(stored: endpoint.stored) == endpoint)
        #expect(!endpoint.shown.jsonText.contains("whsec_"))
        #expect(endpoint.shownOnce["secret"]?.stringValue == secrets[2].text.revealed)
    }

    @Test func onlyWantedTypesAreSent() {
        var endpoint = WebhookEndpoint(
            id: "1", url: "https://a.example", types: [.alert], secret: .make(SeededRandom(seed: 1)),
            createdAt: Self.now)
        #expect(endpoint.wants("billing.alert"))
        #expect(!endpoint.wants("billing.overshoot"))
        endpoint.types = []
        #expect(endpoint.wants("billing.overshoot"))
        endpoint.disable(because: "gone")
        #expect(!endpoint.wants("billing.overshoot"))
        endpoint.enable()
        #expect(endpoint.wants("billing.overshoot"))
    }
}
