// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Foundation
internal import GRDB
internal import Testing

@testable internal import Persistence

@Suite struct PackedTextTests {
    private static let uuid = "019c4690-7c7b-70a1-8b2c-0123456789ab"

    /// Texts, and in how many bytes they are packed; nil = they stay texts.
    private static let texts: [(String, Int?)] = [
        (uuid, 17), ("hold:" + uuid, 22), ("ä" + uuid, 19), ("", nil), ("e", nil), (uuid + "0", nil),
        (uuid.uppercased(), nil), ("019c4690-7c7b-70a1-8b2c_0123456789ab", nil),
        ("0019c469-07c7b-70a1-8b2c-0123456789a", nil), ("g19c4690-7c7b-70a1-8b2c-0123456789ab", nil),
    ]

    @Test(arguments: texts)
    func comesBackAsItWas(text: String, packedBytes: Int?) throws {
        let packed = try PackedText.pack(text)
        #expect(PackedText.unpack(packed) == text)
        if case .blob(let data) = packed.storage {
            #expect(data.count == packedBytes)
        } else {
            #expect(packedBytes == nil)
        }
    }

    @Test func keepsTheOrderOfTime() throws {
        let texts = ["e:" + Self.uuid, "e:019c4690-7c7c-70a1-8b2c-0123456789ab"]
        let packed = try texts.map { text -> Data? in
            guard case .blob(let data) = try PackedText.pack(text).storage else { return nil }
            return data
        }
        #expect(try #require(packed[0]).lexicographicallyPrecedes(try #require(packed[1])))
    }

    @Test func standsForLongTextsByADigest() throws {
        let long = String(repeating: "x", count: 85)
        let key = try PackedText.key(long)
        #expect(!key.isWhole)
        #expect(PackedText.unpack(key.value) == nil)
        let other = try PackedText.key(long + "y")
        #expect(key.value != other.value)
        #expect(try PackedText.key(long).value == key.value)
        #expect(try PackedText.key(String(long.dropLast())).isWhole)
    }

    private static let cutTexts: [String] = ["\0", "a\0b", uuid + "\0", String(repeating: "x", count: 200) + "\0"]

    @Test(arguments: cutTexts)
    func refusesNUL(text: String) {
        for call in [
            { _ = try PackedText.pack(text) }, { _ = try PackedText.key(text) }, { _ = try PackedText.checked(text) },
        ] as [() throws -> Void] {
            let error = #expect(throws: BillingStoreError.self) { try call() }
            #expect(error?.code == .constraint)
            #expect(error?.description == "A text holds a NUL")
        }
    }

    @Test func readsNothingThatItDidNotWrite() {
        for value in [DatabaseValue.null, 5.databaseValue, 1.5.databaseValue] {
            #expect(PackedText.unpack(value) == nil)
        }
    }
}
