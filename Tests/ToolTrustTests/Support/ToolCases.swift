// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import ToolTrust

/// The vectors of `Tests/Cases/tools.json`.
enum ToolCases {
    struct Broken: Error {}

    static let document = Result {
        try JSONParser.parse(Array(Data(contentsOf: Repository.root.appending(path: "Tests/Cases/tools.json"))))
    }

    /// A list of the file, each entry with its id.
    static func list(_ name: String) -> [CaseRecord] {
        guard let entries = (try? document.get())?[name]?.arrayValue else {
            return [CaseRecord(id: "unreadable", kind: name, json: .null)]
        }
        return entries.map { CaseRecord(id: $0["id"]?.stringValue ?? "?", kind: name, json: $0) }
    }

    static func value(_ name: String) throws -> JSONValue {
        guard let value = try document.get()[name] else { throw Broken() }
        return value
    }

    static func text(_ value: JSONValue?) throws -> String {
        guard let text = value?.stringValue else { throw Broken() }
        return text
    }

    static func bytes(_ value: JSONValue?) throws -> [UInt8] {
        guard let bytes = PaddedBase64.decode(try text(value)) else { throw Broken() }
        return bytes
    }

    static func now() throws -> Timestamp {
        guard let now = Timestamp(rfc3339: try text(value("now"))) else { throw Broken() }
        return now
    }

    static func privateKey(_ id: String) throws -> Ed25519PrivateKey {
        let entry = try value("test_keys").arrayValue?.first { $0["key_id"]?.stringValue == id }
        guard let key = Ed25519PrivateKey(seed: try bytes(entry?["private_key"]), keyID: id) else { throw Broken() }
        return key
    }

    static func trusted() throws -> TrustedToolKeys {
        TrustedToolKeys(try ToolKeyRecord.list(value("trusted_keys").encoded()))
    }

    static func rules() throws -> ToolRules {
        let settings = try value("settings")
        return ToolRules(
            allowedPaths: settings["allowed_paths"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            writablePaths: settings["writable_paths"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }

    /// A manifest of tests, signed by key `ci-2026a` after the change.
    static func signed(_ change: (inout JSONObject) -> Void = { _ in }) throws -> [UInt8] {
        var members: JSONObject = [
            "tool_id": "my_tool", "version": "1.0.0", "sha256_hash": .string(String(repeating: "a", count: 64)),
            "max_memory_mb": 256, "max_cpu_seconds": 30, "network_allowed": false,
        ]
        change(&members)
        return try ToolManifestSigner.sign(.object(members), key: try privateKey("ci-2026a")).encoded()
    }

    static func verify(
        _ bytes: [UInt8], keys: TrustedToolKeys? = nil, rules: ToolRules? = nil
    ) throws -> ToolVerification {
        ToolVerifier(keys: try keys ?? trusted(), rules: try rules ?? Self.rules()).verify(bytes, now: try now())
    }
}
