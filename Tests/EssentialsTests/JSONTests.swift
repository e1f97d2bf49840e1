// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct JSONTests {
    @Test(arguments: [0, 7, -7, 9, 10, -10, 1_234_567_890, Int64.max, Int64.min])
    func writesIntegers(number: Int64) {
        var writer = JSONWriter()
        writer.integer(number)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "\(number)")
    }

    @Test(arguments: [
        ("null", JSONValue.null), ("true", .bool(true)), (" -12 ", .int(-12)), ("1.5", .double(1.5)),
        ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("\"\\u00e9\\ud83d\\ude80\\n\"", .string("é🚀\n")),
        ("[1,[],{}]", .array([.int(1), .array([]), .object(JSONObject())])),
        ("{\"a\":{\"b\":[null]}}", .object(["a": .object(["b": .array([.null])])])),
    ])
    func reads(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONParser.parse(text: text) == value)
    }

    @Test(arguments: [
        ("", JSONParser.Failure.Code.unexpectedEnd), ("01", .badNumber), ("1.", .badNumber), ("1e", .badNumber),
        ("1e999", .badNumber), ("tru", .unexpectedEnd), ("nul1", .unexpectedByte), ("[1,]", .unexpectedByte),
        ("{\"a\":1,}", .unexpectedByte), ("{\"a\":1,\"a\":2}", .duplicateMember), ("{a:1}", .unexpectedByte),
        ("\"\\x\"", .badEscape), ("\"\\ud800\"", .badEscape), ("\"\\udc00\"", .badEscape),
        ("\"a\nb\"", .unexpectedByte),
        ("\"abc", .unexpectedEnd), ("1 2", .trailingBytes), ("\u{FEFF}1", .unexpectedByte), ("NaN", .unexpectedByte),
    ])
    func refuses(_ text: String, _ code: JSONParser.Failure.Code) {
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(text: text) }
        do {
            _ = try JSONParser.parse(text: text)
        } catch {
            #expect(error.code == code)
        }
    }

    @Test func refusesInvalidUTF8() {
        #expect(throws: JSONParser.Failure(code: .badUTF8, offset: 3)) {
            try JSONParser.parse([0x22, 0xC3, 0x28, 0x22])
        }
    }

    @Test func boundsDepthAndNumberOfValues() {
        let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        #expect(throws: JSONParser.Failure(code: .tooDeep, offset: 64)) { try JSONParser.parse(text: deep) }
        let limits = JSONParser.Limits(depth: 4, values: 3)
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(text: "[1,2,3]", limits: limits) }
    }

    @Test func findsDoubledNamesInLargeObjects() {
        let members = (0..<100).map { "\"m\($0)\":1" } + ["\"m5\":2"]
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(text: "{\(members.joined(separator: ","))}") }
    }

    @Test func writesTheShortestEscapes() {
        let value = JSONValue.string("\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}é\u{2028}")
        #expect(value.jsonText == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}é\u{2028}\"")
    }

    @Test func sortsNamesByBytesAtEveryDepth() {
        let value: JSONValue = ["é": ["z": 1, "a": 2], "Z": 1, "a": [["b": 1, "B": 2]]]
        let text = String(decoding: value.encoded(sortedNames: true), as: UTF8.self)
        #expect(text == "{\"Z\":1,\"a\":[{\"B\":2,\"b\":1}],\"é\":{\"a\":2,\"z\":1}}")
    }

    @Test func whatIsWrittenReadsBackTheSame() throws {
        let random = SeededRandom(seed: 7)
        for _ in 0..<2000 {
            let value = Self.anyValue(random, depth: 0)
            #expect(try JSONParser.parse(value.encoded()) == value)
        }
    }

    @Test func fuzzedBytesNeverCrashTheParser() {
        let random = SeededRandom(seed: 11)
        let seeds = ["{\"a\":[1,2.5e3,\"x\\u00e9\",null,true]}", "[[[]],{\"k\":\"v\"}]", "\"\\ud83d\\ude80\""]
        for index in 0..<FuzzCases.count(20_000) {
            var bytes = Array(seeds[index % seeds.count].utf8)
            for _ in 0...random.below(4) {
                let position = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[position] = UInt8(random.below(256))
                case 1: bytes.insert(UInt8(random.below(256)), at: position)
                default: if bytes.count > 1 { bytes.remove(at: position) }
                }
            }
            if let value = try? JSONParser.parse(bytes) {
                #expect((try? JSONParser.parse(value.encoded())) != nil)
            }
        }
    }

    private static func anyValue(_ random: SeededRandom, depth: Int) -> JSONValue {
        switch random.below(depth > 3 ? 5 : 7) {
        case 0: .null
        case 1: .bool(random.below(2) == 0)
        case 2: .int(Int64(bitPattern: random.next()))
        case 3: .double(Double(random.below(1_000_000)) + 0.5)
        case 4: .string(String(decoding: random.bytes(random.below(12)), as: UTF8.self))
        case 5: .array((0..<random.below(4)).map { _ in anyValue(random, depth: depth + 1) })
        default: .object(JSONObject((0..<random.below(4)).map { ("m\($0)", anyValue(random, depth: depth + 1)) }))
        }
    }
}
