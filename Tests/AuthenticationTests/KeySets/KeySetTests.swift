// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct KeySetTests {
    private let good = Result { try TokenForge.jwk(TestKeys.p256, kid: "good") }

    private func changed(_ name: String, _ value: JSONValue?, of jwk: JSONValue) -> JSONValue {
        var object = jwk.objectValue ?? [:]
        object[name] = value
        return .object(object)
    }

    @Test func skipsWhatItCannotUse() throws {
        let good = try good.get()
        let weak = try TokenForge.jwk(try TokenForge.rsa(bits: 1024), kid: "weak")
        let rows: [(JSONValue, KeySetProblem.Reason)] = [
            (weak, .weakKey), (try TokenForge.jwk(TestKeys.secret, kid: "oct"), .unsupportedKeyType),
            ("text", .notAnObject), (changed("use", "enc", of: good), .notForSignatures),
            (changed("use", 1, of: good), .badMember), (changed("key_ops", ["sign"], of: good), .notForSignatures),
            (changed("key_ops", "verify", of: good), .badMember),
            (changed("alg", "RS256", of: good), .unsupportedAlgorithm),
            (changed("alg", "none", of: good), .unsupportedAlgorithm),
            (changed("crv", "secp256k1", of: good), .unsupportedCurve),
            (changed("x", "AAAA", of: good), .badKey), (changed("y", good["x"], of: good), .badKey),
            (changed("kid", 7, of: good), .badMember), (changed("kty", nil, of: good), .badMember),
            (changed("x", "####", of: good), .badMember),
            (changed("e", "AA", of: try TokenForge.jwk(TestKeys.rsa.get())), .badKey),
            (changed("e", "Ag", of: try TokenForge.jwk(TestKeys.rsa.get())), .badKey),
            (["kty": "OKP", "crv": "X25519", "x": "AAAA"], .unsupportedCurve),
            (["kty": "OKP", "crv": "Ed25519", "x": "AAAA"], .badKey),
        ]
        let set = try KeySet(json: ["keys": .array(rows.map(\.0) + [good])])
        #expect(set.keys.map(\.identifier) == ["good"])
        #expect(set.problems.map(\.reason) == rows.map(\.1))
        #expect(set.knows(keyID: "weak"))
        #expect(!set.knows(keyID: "other"))
    }

    @Test func takesKeysForVerifying() throws {
        let good = changed("key_ops", ["sign", "verify"], of: changed("use", "sig", of: try good.get()))
        #expect(try KeySet(json: ["keys": [good]]).keys.count == 1)
        #expect(try KeySet(json: [good], allowsBareList: true).keys.count == 1)
    }

    @Test func refusesWhatIsNoSet() throws {
        let good = try good.get()
        func code(_ json: JSONValue) -> KeySetError.Code? {
            do {
                _ = try KeySet(json: json)
                return nil
            } catch { return error.code }
        }
        #expect(code([good]) == .malformed)
        #expect(code("text") == .malformed)
        #expect(code(["keys": "text"]) == .malformed)
        #expect(code(["keys": []]) == .noUsableKey)
        #expect(code(["keys": ["text"]]) == .noUsableKey)
        #expect(code(["keys": .array(Array(repeating: good, count: 65))]) == .tooManyKeys)
        #expect(code(["keys": .array(Array(repeating: good, count: 64))]) == nil)
        #expect(throws: KeySetError.self) { try KeySet(bytes: Array("{\"keys\":[],\"keys\":[]}".utf8)) }
    }

    @Test func hasAVersionThatFollowsItsKeys() throws {
        let (first, second) = (try good.get(), try TokenForge.jwk(TestKeys.p384, kid: "other"))
        let version = try TestKeys.set(first).version
        #expect(try TestKeys.set(first, "skipped").version == version)
        #expect(try TestKeys.set(first, second).version != version)
        #expect(try TestKeys.set(changed("kid", "new", of: first)).version != version)
    }
}
