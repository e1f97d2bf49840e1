// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing
internal import TestSupport
internal import Testing

@Suite struct AckLinkTests {
    private static let key = Redacted(Array("a-key-of-thirty-two-bytes-or-more".utf8))
    private static let now = Timestamp(seconds: 1_772_366_400)

    private static func link(_ seconds: Int64 = 3600) throws -> AckLink {
        let request = try AckRequest.read(
            ["labels": ["alertname": "A", "pod": "p ü"], "duration": "2h"], maximumSeconds: 604_800)
        return AckLink(request: request, recipient: "slack", expiresAt: now.adding(seconds: seconds), id: "j1")
    }

    private static func read(_ text: String, at now: Timestamp = now) throws(Refusal) -> AckLink {
        try AckLink.read(text, key: key, maximumSeconds: 604_800, at: now)
    }

    @Test func readsItsOwnLinks() throws {
        let link = try Self.link()
        #expect(try Self.read(link.token(key: Self.key)) == link)
    }

    @Test func refusesWhatIsNotItsOwn() throws {
        let text = try Self.link().token(key: Self.key)
        let other = try Self.link().token(key: Redacted(Array("another-key-of-thirty-two-bytes!!".utf8)))
        let late = Self.now.adding(seconds: 3600)
        let tooLong = try Self.link(86_401).token(key: Self.key)
        for (text, now) in [
            ("", Self.now), (".", Self.now), (other, Self.now), (text + "x", Self.now), (text, late),
            (tooLong, Self.now),
        ] {
            #expect {
                try Self.read(text, at: now)
            } throws: { error in
                guard let refusal = error as? Refusal else { return false }
                return refusal.code == .healingBadLink && refusal.status == 401
                    && refusal.message == "The link is invalid, used or expired"
            }
        }
    }

    /// No changed text is accepted.
    @Test func survivesAnything() throws {
        let random = SeededRandom(seed: 65)
        let text = Array(try Self.link().token(key: Self.key).utf8)
        for _ in 0..<FuzzCases.count(2000) {
            var changed = text
            changed[random.below(changed.count)] = UInt8(0x21 + random.below(94))
            guard changed != text else { continue }
            let token = String(decoding: changed, as: UTF8.self)
            // The last digit of base64 may carry bits that mean nothing.
            guard let link = try? Self.read(token) else { continue }
            #expect(link == (try Self.link()))
        }
    }

    @Test(
        arguments: [
            ([:], "request.invalid", "labels: required"),
            (["labels": [:]], "request.invalid", "labels: 1 to 32 are needed: none at all would silence everything"),
            (["labels": []], "request.invalid", "labels: not an object"),
            (
                ["labels": ["a": ""]], "request.invalid",
                "labels.a: a name of 1 to 256 bytes and a text of 1 to 4096 bytes are needed"
            ),
            (["labels": ["a": "b"], "for": "1"], "request.malformed", "Unknown member: for"),
            (["labels": ["a": "b"], "duration": 5], "request.invalid", "duration: not a text"),
            (
                ["labels": ["a": "b"], "duration": "8d"], "healing.duration_too_long",
                "duration: 8d is longer than 604800 s, the longest there is"
            ),
            (
                ["labels": ["a": "b"], "comment": .string(String(repeating: "x", count: 513))], "request.invalid",
                "comment: more than 512 bytes"
            ),
        ] as [(JSONObject, String, String)])
    func refusesBadAcknowledgements(_ body: JSONObject, _ code: String, _ message: String) {
        #expect {
            try AckRequest.read(body, maximumSeconds: 604_800)
        } throws: { error in
            guard let refusal = error as? Refusal else { return false }
            return refusal.code.rawValue == code && refusal.message == message
        }
    }

    @Test func writesSilencesWithSortedMatchers() throws {
        let request = try AckRequest.read(["labels": ["b": "2", "a": "1"]], maximumSeconds: 604_800)
        #expect(
            JSONValue.object(request.silence(createdBy: "ann", at: Self.now)).jsonText == """
                {"matchers":[{"name":"a","value":"1","isRegex":false,"isEqual":true},\
                {"name":"b","value":"2","isRegex":false,"isEqual":true}],"startsAt":"2026-03-01T12:00:00Z",\
                "endsAt":"2026-03-01T12:30:00Z","createdBy":"ann","comment":"Acknowledged in Tollgate"}
                """)
    }

    /// `printf '1772366400.{}' | openssl dgst -sha256 -hmac key-of-the-test`
    @Test func testsSignatures() {
        let key = Redacted(Array("key-of-the-test".utf8))
        let good = "sha256=15d9d5a0ced8113a9f553e19ce8df4821b5998f5d09bb6dd698822341d2e57f5"
        func holds(_ signature: String, _ timestamp: String = "1772366400", at seconds: Int64 = 0) -> Bool {
            WebhookSignature.holds(
                signature: signature, timestamp: timestamp, body: Array("{}".utf8), key: key,
                at: Self.now.adding(seconds: seconds))
        }
        #expect(holds(good))
        #expect(holds(good, at: 300) && holds(good, at: -300))
        #expect(!holds(good, at: 301) && !holds(good, at: -301))
        #expect(!holds(good, "1772366401") && !holds(good, "+1772366400") && !holds(String(good.dropLast())))
        #expect(!holds("sha256=") && !holds(""))
    }
}
