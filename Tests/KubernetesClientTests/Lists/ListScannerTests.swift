// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import TestSupport
internal import Testing

@testable import KubernetesClient

@Suite struct ListScannerTests {
    /// Items and the rest of a list, or nil where the text is none.
    private struct Scanned: Equatable {
        var items: [JSONValue]
        var around: JSONValue
    }

    private func scan(_ bytes: [UInt8], portions: SeededRandom? = nil) -> Scanned? {
        var scanner = ListScanner(maximumItemBytes: 1 << 20)
        var items: [JSONValue] = []
        var rest = bytes[...]
        do {
            while !rest.isEmpty {
                let count = portions.map { 1 + $0.below(7) } ?? rest.count
                try scanner.take(rest.prefix(count)) { (item) throws(ListScanner.Fault) in
                    guard let value = try? JSONParser.parse(Array(item), limits: .kubernetes) else {
                        throw .malformed("item")
                    }
                    items.append(value)
                }
                rest = rest.dropFirst(count)
            }
            return Scanned(items: items, around: try JSONParser.parse(scanner.end(), limits: .kubernetes))
        } catch { return nil }
    }

    /// The same by the parser that reads the whole.
    private func parse(_ bytes: [UInt8]) -> Scanned? {
        guard case .object(var object)? = try? JSONParser.parse(bytes, limits: .kubernetes) else {
            return (try? JSONParser.parse(bytes, limits: .kubernetes)).map { Scanned(items: [], around: $0) }
        }
        guard case .array(let items)? = object["items"] else { return Scanned(items: [], around: .object(object)) }
        guard items.allSatisfy({ $0.objectValue != nil }) else { return nil }
        object["items"] = .array([])
        return Scanned(items: items, around: .object(object))
    }

    private func value(_ random: SeededRandom, depth: Int) -> JSONValue {
        switch random.below(depth > 3 ? 4 : 7) {
        case 0: .null
        case 1: .int(Int64(random.below(1000)))
        case 2: .bool(random.below(2) == 0)
        case 3: .string(["items", "a\"b", "\\", "{[", "]}", "é\u{1F600}", "", ":[,"][random.below(8)])
        case 4: .array((0..<random.below(4)).map { _ in value(random, depth: depth + 1) })
        default: .object(object(random, depth: depth + 1))
        }
    }

    private func object(_ random: SeededRandom, depth: Int) -> JSONObject {
        var object = JSONObject()
        for _ in 0..<random.below(5) {
            object[["items", "a", "metadata", "\"", "b\\"][random.below(5)]] = value(random, depth: depth)
        }
        return object
    }

    private func list(_ random: SeededRandom) -> JSONValue {
        var list: JSONObject = [:]
        if random.below(2) == 0 { list["kind"] = "SecretList" }
        if random.below(3) > 0 { list["metadata"] = .object(object(random, depth: 1)) }
        if random.below(10) > 0 {
            list["items"] = .array((0..<random.below(5)).map { _ in .object(object(random, depth: 1)) })
        }
        if random.below(3) == 0 { list["z"] = value(random, depth: 1) }
        return .object(list)
    }

    @Test func agreesWithTheParserOfTheWhole() {
        let random = SeededRandom(seed: 42)
        for number in 0..<FuzzCases.count(3000) {
            var bytes = random.below(2) == 0 ? list(random).encoded() : list(random).indented()
            if random.below(2) == 0, !bytes.isEmpty {
                for _ in 0...random.below(2) {
                    let index = random.below(bytes.count)
                    switch random.below(3) {
                    case 0: bytes[index] = Array("{}[],:\"\\ 1nitems".utf8)[random.below(16)]
                    case 1: bytes.removeSubrange(index..<min(bytes.count, index + 1 + random.below(4)))
                    default: bytes.insert(Array("{}[],:\"".utf8)[random.below(7)], at: index)
                    }
                    if bytes.isEmpty { break }
                }
            }
            let expected = parse(bytes)
            #expect(scan(bytes) == expected, "case \(number): \(String(decoding: bytes, as: UTF8.self))")
            #expect(scan(bytes, portions: random) == expected, "case \(number), in portions")
        }
    }

    @Test func readsANameThatIsWrittenWithEscapes() {
        #expect(scan(Array(#"{"\u0069tems":[{"a":1}],"b":2}"#.utf8))?.items == [["a": 1]])
    }

    @Test(arguments: [
        #"{"items":[1]}"#, #"{"items":[{}{}]}"#, #"{"items":[{},]}"#, #"{"items":[,{}]}"#, #"{"items":[{}]"#,
        #"{"items":[{}],"items":[]}"#, #"{"items":[{]]}"#, "", "{",
    ])
    func refuses(_ text: String) { #expect(scan(Array(text.utf8)) == nil) }

    @Test func boundsAnItemAndWhatStandsAround() throws {
        var scanner = ListScanner(maximumItemBytes: 8, maximumAroundBytes: 20)
        #expect(throws: ListScanner.Fault.tooLarge) {
            try scanner.take(Array(#"{"items":[{"a":"12345"}]}"#.utf8)) { (_) throws(ListScanner.Fault) in }
        }
        scanner = ListScanner(maximumItemBytes: 8, maximumAroundBytes: 20)
        #expect(throws: ListScanner.Fault.tooLarge) {
            try scanner.take(Array(#"{"kind":"ABCDEFGHIJKLMNOP"}"#.utf8)) { (_) throws(ListScanner.Fault) in }
        }
    }

    @Test func dropsWhatNobodyReadsAndNamesWhatHasNoName() throws {
        let text = #"""
            {"metadata":{"resourceVersion":"7","continue":"next"},"items":[{"metadata":{"name":"a","managedFields":[{}],
            "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","b":"c"}},"data":{}},
            {"kind":"Other","apiVersion":"v9","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":""}}}]}
            """#
        var reader = ListReader(maximumItemBytes: 1 << 20, resource: .secrets)
        var items: [JSONValue] = []
        try reader.take(Array(text.utf8)) { items.append($0) }
        #expect(
            items == [
                [
                    "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "a", "annotations": ["b": "c"]],
                    "data": [:],
                ],
                ["kind": "Other", "apiVersion": "v9", "metadata": [:]],
            ])
        #expect(try reader.page() == ListPage(resourceVersion: "7", continueToken: "next"))
    }
}
