// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials
internal import TestSupport
internal import Testing
internal import ToolTrust

@Suite struct Ed25519Tests {
    /// Every encoding of the eight points of small order, with and without sign, reduced and not.
    static let smallOrder: [String] = [
        String(repeating: "00", count: 32), "01" + String(repeating: "00", count: 31),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + String(repeating: "ff", count: 30) + "7f", "ed" + String(repeating: "ff", count: 30) + "7f",
        "ee" + String(repeating: "ff", count: 30) + "7f",
    ]

    @Test(arguments: smallOrder)
    func refusesKeysOfSmallOrder(_ text: String) throws {
        var bytes = try #require(Hex.decode(text))
        #expect(Ed25519PublicKey(bytes) == nil)
        bytes[31] |= 0x80
        #expect(Ed25519PublicKey(bytes) == nil)
    }

    /// Why the refusal is ours: with the neutral element as key, R = S·B fits every text for the library.
    @Test func theLibraryAloneTakesAKeyOfSmallOrder() throws {
        let neutral = [1] + [UInt8](repeating: 0, count: 31)
        let key = try Curve25519.Signing.PublicKey(rawRepresentation: neutral)
        let forged = neutral + [UInt8](repeating: 0, count: 32)
        #expect(key.isValidSignature(forged, for: Array("any text".utf8)))
    }

    @Test func refusesASecondSignatureOfTheSameKind() throws {
        let key = try ToolCases.privateKey("ci-2026a")
        let publicKey = try #require(key.record).publicKey
        let message = Array("message".utf8)
        var signature = try key.signature(of: message)
        #expect(publicKey.verifies(signature, of: message))
        // S + L
        let order = try #require(Hex.decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"))
        var carry = 0
        for index in 0..<32 {
            let sum = Int(signature[32 + index]) + Int(order[index]) + carry
            signature[32 + index] = UInt8(truncatingIfNeeded: sum)
            carry = sum >> 8
        }
        #expect(!publicKey.verifies(signature, of: message))
        #expect(!publicKey.verifies([], of: message))
    }

    @Test func aPrivateKeyIsReadAsItWasWritten() throws {
        for id in [nil, "release-1"] {
            let key = try #require(Ed25519PrivateKey(seed: SeededRandom(seed: 3).bytes(32), keyID: id))
            let again = try #require(Ed25519PrivateKey(pem: key.pem.revealed))
            #expect(again.keyID == key.keyID)
            #expect(again.record == key.record)
            #expect(key.keyID == id || key.keyID.hasPrefix("ed25519-"))
        }
        #expect(
            Ed25519PrivateKey(pem: Array("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----".utf8)) == nil)
        #expect(Ed25519PrivateKey(pem: []) == nil)
        #expect(Ed25519PrivateKey(seed: [1]) == nil)
    }

    @Test func readsPrivateKeysOfOthers() throws {
        // RFC 8410 section 10.3
        let pem =
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n"
        let key = try #require(Ed25519PrivateKey(pem: Array(pem.utf8)))
        #expect(
            key.record?.json["public_key"]?.stringValue == "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=")
    }
}
