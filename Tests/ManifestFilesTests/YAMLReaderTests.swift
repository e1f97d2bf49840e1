// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import ManifestFiles
internal import ResourceModel
internal import TestSupport
internal import Testing

@Suite struct YAMLReaderTests {
    static let scalars: [(String, JSONValue)] = [
        ("yes", .bool(true)), ("off", .bool(false)), ("y", .bool(true)), ("True", .bool(true)),
        ("tRue", .string("tRue")), ("~", .null), ("", .null), ("010", .int(8)), ("0x1F", .int(31)), ("0b11", .int(3)),
        ("0o17", .int(15)), ("08", .double(8)), ("1_000", .int(1000)), ("-5", .int(-5)), ("+5", .int(5)),
        ("1.5", .double(1.5)), ("1e3", .double(1000)), (".5", .double(0.5)), ("1.2.3", .string("1.2.3")),
        ("10.0.0.0/8", .string("10.0.0.0/8")), ("30s", .string("30s")), ("2026-01-01", .string("2026-01-01")),
        ("2026-01-01T00:00:00Z", .string("2026-01-01T00:00:00Z")), ("\"yes\"", .string("yes")), ("'1'", .string("1")),
        ("!!str 1", .string("1")),
    ]

    @Test(arguments: scalars)
    func readsScalarsAsKubectlDoes(text: String, value: JSONValue) throws {
        #expect(try YAMLReader.parse("a: \(text)").first?.value["a"] == value)
    }

    static let faults: [(String, YAMLFault.Code, Int)] = [
        ("a: 1\nb: 2\na: 3", .duplicateKey, 3), ("a: [1", .syntax, 2), ("a: *x", .unknownAlias, 1),
        ("a: .nan", .badNumber, 1), ("a: !!binary x", .badTag, 1), ("a: !x y", .badTag, 1), ("[1]: 2", .badKey, 1),
        ("a: \n  <<: 1", .badMerge, 2),
        (String(repeating: "[", count: 65) + String(repeating: "]", count: 65), .tooDeep, 1),
        (String(repeating: "[", count: 100_000), .syntax, 1),
    ]

    @Test(arguments: faults)
    func refuses(text: String, code: YAMLFault.Code, line: Int) throws {
        let fault = #expect(throws: YAMLFault.self) { try YAMLReader.parse(text) }
        #expect(fault?.code == code)
        if code != .syntax { #expect(fault?.line == line) }
    }

    @Test func boundsAliasesSizeAndEncoding() throws {
        var bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1...9 {
            bomb +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",") + "]\n"
        }
        #expect(throws: YAMLFault.self) { try YAMLReader.parse(bomb) }
        var deep = "a0: &a0 [x]\n"
        for level in 1...80 { deep += "a\(level): &a\(level) [*a\(level - 1)]\n" }
        #expect(#expect(throws: YAMLFault.self) { try YAMLReader.parse(deep) }?.code == .tooDeep)
        #expect(throws: YAMLFault.self) { try YAMLReader.parse(String(repeating: "#", count: 1 << 20) + "\n") }
        #expect(throws: YAMLFault.self) { try YAMLReader.parse([0x61, 0x3A, 0x20, 0xFF]) }
    }

    @Test func mergesAndAliases() throws {
        let text = "base: &b {x: 1, z: 2}\nuse:\n  <<: *b\n  z: 3\nlist: [*b, *b]\n"
        let value = try #require(try YAMLReader.parse(text).first?.value)
        #expect(value["use"] == ["x": 1, "z": 3])
        #expect(value["list"]?.arrayValue?.count == 2)
    }

    @Test func knowsTheLineOfEachPath() throws {
        let documents = try YAMLReader.parse("a: 1\n---\n\nb:\n  c:\n    - x\n    - z: 2\n")
        #expect(documents.count == 2)
        let document = documents[1]
        func line(_ steps: FieldPath.Step...) -> Int { document.lines.line(of: FieldPath(steps), in: document.value) }
        #expect(line(.member("b")) == 4)
        #expect(line(.member("b"), .member("c")) == 5)
        #expect(line(.member("b"), .member("c"), .element(1), .member("z")) == 7)
        #expect(line(.member("b"), .member("missing")) == 4)
    }

    @Test func fuzzedFilesNeverCrashAndStayFast() throws {
        let cases = FuzzCases.count(5000)
        let folder = Repository.root.appending(path: "manifests/samples").path
        let seeds = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            .compactMap { FileManager.default.contents(atPath: folder + "/" + $0).map(Array.init) }
        #expect(seeds.count >= 5)
        let random = SeededRandom(seed: 20260301)
        let tokens = [
            "&a ", "*a", "<<: ", "[", "{", "}", "]", "- ", ": ", "\n", "|", ">", "!!int ", "\"", "'", "\t", "---\n",
            "? ", "%YAML 9\n",
        ]
        let clock = ContinuousClock()
        var slowest = Duration.zero
        for _ in 0..<cases {
            var bytes = seeds[random.below(seeds.count)]
            for _ in 0...random.below(8) {
                let place = random.below(bytes.count)
                switch random.below(5) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + random.below(40)))
                case 2: bytes.insert(contentsOf: Array(tokens[random.below(tokens.count)].utf8), at: place)
                case 3:
                    bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 60)], at: random.below(bytes.count))
                default: bytes[place] = bytes[random.below(bytes.count)]
                }
                if bytes.isEmpty { bytes = [0x61] }
            }
            slowest = max(
                slowest,
                clock.measure {
                    _ = ManifestValidator.validate([.init(name: "f", bytes: bytes)], strict: true)
                })
        }
        #expect(slowest < .seconds(2))
    }
}
