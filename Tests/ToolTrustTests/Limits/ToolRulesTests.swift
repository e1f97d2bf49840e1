// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing
internal import ToolTrust

@Suite struct ToolRulesTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var members: JSONObject
        /// `details.field`; nil = within the limits.
        var field: String?
        var testDescription: String { JSONValue.object(members).jsonText }
    }

    private static let custom: JSONObject = [
        "policy": "custom", "max_memory_mb": 4096, "max_cpu_seconds": 600, "timeout_seconds": 900,
        "max_output_bytes": 16_777_216,
    ]

    private static func with(_ base: JSONObject, _ name: String, _ value: JSONValue) -> JSONObject {
        var members = base
        members[name] = value
        return members
    }

    static let rows: [Row] = [
        Row(members: [
            "max_memory_mb": 512, "max_cpu_seconds": 60, "timeout_seconds": 120, "max_output_bytes": 1_048_576,
        ]),
        Row(members: ["max_memory_mb": 513, "max_cpu_seconds": 61], field: "max_memory_mb"),
        Row(members: ["max_cpu_seconds": 61], field: "max_cpu_seconds"),
        Row(members: ["timeout_seconds": 121], field: "timeout_seconds"),
        Row(members: ["max_output_bytes": 1_048_577], field: "max_output_bytes"),
        Row(members: ["network_allowed": true]),
        Row(members: ["policy": "restricted"], field: "max_memory_mb"), Row(members: custom),
        Row(members: with(custom, "max_memory_mb", 4097), field: "max_memory_mb"),
        Row(members: with(custom, "timeout_seconds", 901), field: "timeout_seconds"),
        Row(members: ["allowed_resources": ["/usr/share", "/data/x", "/data/out/a:rw"]]),
        Row(members: ["allowed_resources": ["/usrx"]], field: "allowed_resources"),
        Row(members: ["allowed_resources": ["/data/x:rw"]], field: "allowed_resources"),
        Row(members: ["allowed_resources": ["/data/tollgate"]], field: "allowed_resources"),
        Row(members: ["allowed_resources": ["/data/tollgate/keys"]], field: "allowed_resources"),
        Row(members: ["allowed_resources": ["/data"]], field: "allowed_resources"),
        Row(members: ["allowed_resources": ["/etc/ssl/certs"]]),
        Row(members: ["allowed_resources": ["/etc/shadow"]], field: "allowed_resources"),
        Row(members: ["allowed_resources": ["/proc/self"]], field: "allowed_resources"),
        Row(members: ["allowed_resources": ["/var/run"]], field: "allowed_resources"),
        Row(members: ["allowed_resources": ["/home/me"]], field: "allowed_resources"),
    ]

    @Test(arguments: rows)
    func keepsToTheColumn(_ row: Row) throws {
        let rules = ToolRules(
            allowedPaths: ["/usr", "/data", "/etc", "/proc", "/var", "/home"], writablePaths: ["/data/out"],
            ownPaths: ["/data/tollgate"])
        let bytes = try ToolCases.signed { members in
            for member in row.members.members { members[member.name] = member.value }
        }
        let refusal = rules.refusal(try ToolManifest.read(bytes))
        #expect(refusal?.details?["field"]?.stringValue == row.field)
        #expect(refusal == nil || refusal?.code == .toolsLimitsExceeded)
    }

    @Test func noColumnExceedsTheInstallation() throws {
        let rules = ToolRules(
            maximum: ToolLimits(memoryMB: 100, cpuSeconds: 5, timeoutSeconds: 20, outputBytes: 10))
        for policy in ToolPolicy.allCases { #expect(rules.column(policy) == rules.maximum) }
    }
}
