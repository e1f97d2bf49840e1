// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing
internal import ToolTrust

@Suite struct ToolManifestTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var field: String
        var value: JSONValue?
        /// Members beside.
        var more: JSONObject = [:]
        var testDescription: String { "\(field) \(value?.jsonText.prefix(40) ?? "absent")" }
    }

    private static func document(_ row: Row) throws -> JSONValue {
        var members = try #require(try JSONParser.parse(ToolCases.signed()).objectValue)
        for member in row.more.members { members[member.name] = member.value }
        members[row.field] = row.value
        return .object(members)
    }

    static let refused: [Row] = [
        Row(field: "tool_id", value: nil), Row(field: "tool_id", value: "Tool"), Row(field: "tool_id", value: ".a"),
        Row(field: "tool_id", value: "register"),
        Row(field: "tool_id", value: .string(String(repeating: "a", count: 129))),
        Row(field: "version", value: "1.0"), Row(field: "version", value: 1), Row(field: "sha256_hash", value: "ab"),
        Row(field: "signature", value: nil), Row(field: "signature", value: .string(String(repeating: "A", count: 86))),
        Row(field: "signature", value: .string(String(repeating: "-", count: 86) + "==")),
        Row(field: "max_memory_mb", value: 0), Row(field: "max_memory_mb", value: .double(1)),
        Row(field: "max_memory_mb", value: "1"), Row(field: "max_memory_mb", value: 9_007_199_254_740_992),
        Row(field: "max_cpu_seconds", value: -1), Row(field: "max_cpu_seconds", value: nil),
        Row(field: "network_allowed", value: 0), Row(field: "network_allowed", value: nil),
        Row(field: "key_id", value: nil as JSONValue?, more: ["key_id": .null]).with(.null),
        Row(field: "key_id", value: "a b"), Row(field: "key_id", value: ""),
        Row(field: "timeout_seconds", value: 0), Row(field: "policy", value: "none"),
        Row(field: "timeout_seconds", value: nil, more: ["policy": "custom", "max_output_bytes": 1]),
        Row(field: "max_output_bytes", value: nil, more: ["policy": "custom", "timeout_seconds": 1]),
        Row(field: "allowed_resources", value: "/usr"), Row(field: "allowed_resources", value: ["usr"]),
        Row(field: "allowed_resources", value: ["/"]), Row(field: "allowed_resources", value: ["/usr/"]),
        Row(field: "allowed_resources", value: ["/usr//a"]), Row(field: "allowed_resources", value: ["/usr/./a"]),
        Row(field: "allowed_resources", value: ["/usr/../a"]), Row(field: "allowed_resources", value: [""]),
        Row(field: "allowed_resources", value: [nil]), Row(field: "allowed_resources", value: ["/a\u{0}"]),
        Row(field: "allowed_resources", value: ["example.com:443"]),
        Row(field: "allowed_resources", value: ["example.com"], more: ["network_allowed": true]),
        Row(field: "allowed_resources", value: ["example.com:0"], more: ["network_allowed": true]),
        Row(field: "allowed_resources", value: ["example.com:065"], more: ["network_allowed": true]),
        Row(field: "allowed_resources", value: ["example.com:65536"], more: ["network_allowed": true]),
        Row(field: "allowed_resources", value: .strings((0...64).map { "/usr/\($0)" })),
        Row(field: "allowed_resources", value: [.string("/" + String(repeating: "a", count: 1024))]),
        Row(field: "Tool_id", value: "x"), Row(field: "", value: 1),
    ]

    @Test(arguments: refused)
    func refusesWithTheField(_ row: Row) throws {
        let document = try Self.document(row)
        let refusal = #expect(throws: Refusal.self) { try ToolManifest(document: document) }
        #expect(refusal?.code == .toolsInvalidManifest)
        #expect(refusal?.details?["field"]?.stringValue == row.field)
    }

    @Test(arguments: [
        Row(field: "allowed_resources", value: ["/usr", "/data:rw", "/a:b"]),
        Row(field: "allowed_resources", value: ["example.com:443", "[::1]:1"], more: ["network_allowed": true]),
        Row(field: "max_memory_mb", value: 9_007_199_254_740_991), Row(field: "policy", value: "restricted"),
        Row(field: "timeout_seconds", value: 1, more: ["policy": "custom", "max_output_bytes": 1]),
        Row(field: "version", value: "1.0.0-rc.1+b.007"), Row(field: "tool_id", value: "0"),
    ])
    func takes(_ row: Row) throws {
        let document = try Self.document(row)
        #expect(throws: Never.self) { try ToolManifest(document: document) }
    }

    @Test func refusesTextsThatAreNoDocument() throws {
        let sound = try ToolCases.signed()
        let text = String(decoding: sound, as: UTF8.self)
        let rows: [(String, [UInt8])] = [
            ("manifest", [0xEF, 0xBB, 0xBF] + sound), ("manifest", sound + [0x7B]), ("manifest", []),
            ("manifest", Array("[]".utf8)), ("manifest", sound + [UInt8](repeating: 0x20, count: 65_536)),
            ("policy", Array((text.dropLast() + ",\"policy\":{\"policy\":1,\"policy\":2}}").utf8)),
            ("max_memory_mb", Array(text.replacing(":256", with: ":256.0").utf8)),
            ("max_memory_mb", Array(text.replacing(":256", with: ":2.56e2").utf8)),
            ("max_memory_mb", Array(text.replacing(":256", with: ":-0").utf8)),
        ]
        for (field, bytes) in rows {
            let refusal = #expect(throws: Refusal.self) { try ToolManifest.read(bytes) }
            #expect(refusal?.details?["field"]?.stringValue == field)
        }
    }
}

extension ToolManifestTests.Row {
    func with(_ value: JSONValue) -> Self {
        var row = self
        row.value = value
        return row
    }
}
