// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// JSON for people.
@Suite struct IndentedJSONTests {
    @Test(arguments: [
        ("{}", "{}\n"), ("[]", "[]\n"), ("7", "7\n"), (#""a\"b""#, "\"a\\\"b\"\n"),
        (#"{"b":[],"a":{}}"#, "{\n  \"a\": {},\n  \"b\": []\n}\n"),
        (
            #"{"b":[1,{"d":null,"c":true}],"a":"x"}"#,
            "{\n  \"a\": \"x\",\n  \"b\": [\n    1,\n    {\n      \"c\": true,\n      \"d\": null\n    }\n  ]\n}\n"
        ),
    ])
    func sortsAndIndents(text: String, expected: String) throws {
        #expect(String(decoding: try JSONParser.parse(text: text).indented(), as: UTF8.self) == expected)
    }

    @Test func saysWhatWasSaid() throws {
        let random = SeededRandom(seed: 3)
        for _ in 0..<FuzzCases.count(500) {
            let value = Self.value(random, depth: 4)
            #expect(try JSONParser.parse(value.indented()) == value)
        }
    }

    private static func value(_ random: SeededRandom, depth: Int) -> JSONValue {
        switch random.below(depth > 0 ? 6 : 4) {
        case 0: .null
        case 1: .bool(random.below(2) == 0)
        case 2: .int(Int64(random.below(1000)))
        case 3: .string(String(decoding: random.bytes(random.below(6)).map { $0 & 0x7F }, as: UTF8.self))
        case 4: .array((0..<random.below(4)).map { _ in value(random, depth: depth - 1) })
        default:
            .object(
                JSONObject((0..<random.below(4)).map { ("\($0)\(random.below(9))", value(random, depth: depth - 1)) }))
        }
    }
}
