// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct TextTests {
    @Test func base64URLRoundTripsAndRefusesLooseBits() {
        let random = SeededRandom(seed: 2)
        for length in 0..<100 {
            let bytes = random.bytes(length)
            #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
        }
        for text in ["A", "AB=", "A+", "A/", "AB CD", "AR"] { #expect(Base64URL.decode(text.utf8) == nil) }
    }

    @Test func hexRoundTrips() {
        #expect(Hex.encode([0x00, 0xAF, 0xFF]) == "00afff")
        #expect(Hex.decode("00AFff") == [0x00, 0xAF, 0xFF])
        #expect(Hex.decode("0g") == nil)
        #expect(Hex.decode("000") == nil)
        #expect(Hex.decode("x00af".dropFirst()) == [0x00, 0xAF])
        let digest = SHA256.hash(data: [0x61])
        #expect(Hex.encode(digest) == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")
        #expect(Hex.encode(digest) == Hex.encode(Array(digest)))
        #expect(Hex.encode(AnySequence([0x0A, 0xB0])) == "0ab0")
        #expect(Hex.encode([]).isEmpty)
    }

    @Test func redactedTextNeverShows() {
        let secret = Redacted("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped] { #expect(!text.contains("hunter2")) }
    }

    @Test func headersAreFoundByLowerCaseName() {
        let headers = HeaderList([("X-A", "1"), ("Authorization", "b"), ("x-a", "2")])
        #expect(headers.lookup("x-a") == .several(["1", "2"]))
        #expect(headers.lookup("authorization") == .one("b"))
        #expect(headers.lookup("cookie") == .absent)
    }

    @Test func uuidsCarryTheTimeAndTheVersion() {
        let text = UUIDv7.make(at: Timestamp(microseconds: 0x0123_4567_89AB * 1000), random: SeededRandom(seed: 1))
        #expect(text.hasPrefix("01234567-89ab-7"))
        #expect(text.utf8.count == 36)
        #expect("89ab".contains(text.dropFirst(19).prefix(1)))
    }

    @Test func randomTextUsesItsWholeAlphabetEvenly() {
        let text = SeededRandom(seed: 9).text(
            62_000, from: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        let counts = text.reduce(into: [Character: Int]()) { $0[$1, default: 0] += 1 }
        #expect(counts.count == 62)
        #expect(counts.values.allSatisfy { (800...1200).contains($0) })
    }

    @Test func refusalsCarryTheirChallenge() {
        #expect(Refusal(.authMissingToken).challenge == "Bearer")
        #expect(Refusal(.authTokenExpired).challenge == "Bearer error=\"invalid_token\"")
        #expect(
            Refusal(.policyScopeDenied, challengeScope: "a:b").challenge
                == "Bearer error=\"insufficient_scope\", scope=\"a:b\"")
        #expect(Refusal(.authKeyUnavailable).challenge == nil)
        #expect(
            Refusal(.tokenNotActive, details: ["state": "revoked"]).envelope(requestID: "r").jsonText
                == #"{"code":"token.not_active","message":"Service token is not active","details":{"state":"revoked"},"request_id":"r"}"#
        )
    }
}
