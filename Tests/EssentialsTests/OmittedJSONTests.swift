// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

@testable internal import Essentials

/// Members that the parser reads over.
@Suite struct OmittedJSONTests {
    private static let names = ["a", "b", "c", "metadata", "managedFields", "\u{e9}"]
    private static let texts = ["", "x", "a \"quoted\" text", "back\\slash", "}{][", "\n\t", "\u{1F600}"]

    private static func value(_ random: SeededRandom, depth: Int) -> JSONValue {
        switch random.below(depth > 4 ? 5 : 7) {
        case 0: return .null
        case 1: return .bool(random.below(2) == 0)
        case 2: return .int(Int64(random.below(1000)) - 500)
        case 3: return .double(Double(random.below(1000)) + 0.5)
        case 4: return .string(texts[random.below(texts.count)])
        case 5: return .array((0..<random.below(4)).map { _ in value(random, depth: depth + 1) })
        default: return object(random, depth: depth)
        }
    }

    private static func object(_ random: SeededRandom, depth: Int) -> JSONValue {
        var object = JSONObject()
        for _ in 0..<random.below(5) {
            object[names[random.below(names.count)]] = value(random, depth: depth + 1)
        }
        return .object(object)
    }

    private static func without(_ path: ArraySlice<String>, _ value: JSONValue) -> JSONValue {
        guard let name = path.first, case .object(var object) = value, let member = object[name] else { return value }
        if path.count == 1 { object[name] = nil } else { object[name] = without(path.dropFirst(), member) }
        return .object(object)
    }

    @Test func whatIsReadOverIsAllThatIsMissing() throws {
        let random = SeededRandom(seed: 17)
        for _ in 0..<FuzzCases.count(3000) {
            let document = Self.object(random, depth: 0)
            for path in [["metadata"], ["metadata", "managedFields"], ["a", "metadata", "managedFields"]] {
                let read = try JSONParser.parse(document.encoded(), limits: .init(omitted: path))
                #expect(read == Self.without(path[...], document))
            }
        }
    }

    @Test(arguments: [
        #"{"a":}"#, #"{"a":]}"#, #"{"a":[}"#, #"{"a":{]}"#, #"{"a":"x}"#, #"{"a":[1,"#, #"{"a":tru}"#, #"{"a":,1}"#,
        #"{"a":1 2}"#, #"{"a":"\"}"#, #"{"a":[[[[[[[[1]]]]]]]]}"#, #"{"a"#,
    ])
    func whatIsNoJSONIsRefusedThere(_ text: String) {
        #expect(throws: JSONParser.Failure.self) {
            try JSONParser.parse(text: text, limits: .init(depth: 6, omitted: ["a"]))
        }
    }

    /// Nothing of it reads beyond the end.
    @Test func brokenTextsEnd() {
        let random = SeededRandom(seed: 19)
        for _ in 0..<FuzzCases.count(3000) {
            var bytes = JSONValue.object(["a": Self.value(random, depth: 0)]).encoded()
            for _ in 0...random.below(3) where !bytes.isEmpty {
                let index = random.below(bytes.count)
                if random.below(2) == 0 {
                    bytes[index] = UInt8(random.below(256))
                } else {
                    bytes.removeSubrange(index...)
                }
            }
            // Whether it is still good is another question.
            _ = try? JSONParser.parse(bytes, limits: .init(omitted: ["a"]))
        }
    }
}
