// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct ToolCommandTests {
    private static let manifest =
        #"{"tool_id":"hello","version":"1.0.0","max_memory_mb":64,"max_cpu_seconds":5,"network_allowed":false}"#

    @Test func aKeySignsWhatItsRecordVerifies() async throws {
        try await withHome { home in
            let made = await run(["tool", "keygen", "--out", home + "/key.pem", "--key-id", "ci"], home: home)
            #expect(made.status == 0, "\(made.errors)")
            #expect(try mode(of: home + "/key.pem") == 0o600)
            #expect(!made.output.contains("PRIVATE"))
            try put(made.output, at: home + "/keys.json")
            try put(Self.manifest, at: home + "/m.json")
            try put("#!/bin/sh\necho hello\n", at: home + "/hello")
            let signed = await run(
                [
                    "tool", "sign", "--key", home + "/key.pem", "--manifest", home + "/m.json", "--executable",
                    home + "/hello", "--out", home + "/signed.json",
                ], home: home)
            #expect(signed.status == 0, "\(signed.errors)")
            let good = await run(
                [
                    "tool", "verify", "--manifest", home + "/signed.json", "--keys", home + "/keys.json",
                    "--executable", home + "/hello",
                ], home: home)
            #expect(good.status == 0, "\(good.output)\(good.errors)")
            for check in ["manifest", "key", "key_state", "signature", "hash", "limits"] {
                #expect(good.output.contains("\n\(check) "), "\(check)")
            }
            try put("#!/bin/sh\nexit 3\n", at: home + "/hello")
            let changed = await run(
                [
                    "tool", "verify", "--manifest", home + "/signed.json", "--keys", home + "/keys.json",
                    "--executable", home + "/hello",
                ], home: home)
            #expect(changed.status == 1)
            #expect(changed.errors.contains("tools.hash_mismatch"))
        }
    }

    /// The key stands in two places: a Secret for a Tollgate without a cluster, and a setting for one in a cluster.
    @Test func theSampleVerifiesWithEitherOfItsKeys() async throws {
        func sample(_ name: String) throws -> String {
            try String(contentsOf: Repository.root.appending(path: "manifests/samples/\(name)"), encoding: .utf8)
        }
        let manifest = try #require(YAMLText.json(sample("60-acme-tool.yaml"))["spec"]?["manifest"])
        let secret = try #require(
            YAMLText.json(sample("61-tool-keys.yaml"))["stringData"]?["acme-tools-2026"]?.stringValue)
        let line = try #require(sample("Kustomization").split(separator: "\n").first { $0.contains("value: '[") })
        let setting = String(line.drop { $0 != "[" }.dropLast())
        try await withHome { home in
            try put(manifest.jsonText, at: home + "/m.json")
            for keys in ["[\(secret)]", setting] {
                try put(keys, at: home + "/keys.json")
                let result = await run(
                    ["tool", "verify", "--manifest", home + "/m.json", "--keys", home + "/keys.json"], home: home)
                #expect(result.status == 0, "\(result.output)\(result.errors)")
            }
        }
    }

    @Test func keygenNeverOverwrites() async throws {
        try await withHome { home in
            try put("mine", at: home + "/key.pem")
            let result = await run(["tool", "keygen", "--out", home + "/key.pem"], home: home)
            #expect(result.status == 1)
            #expect(try String(contentsOfFile: home + "/key.pem", encoding: .utf8) == "mine")
            #expect(try FileManager.default.contentsOfDirectory(atPath: home) == ["key.pem"])
            #expect(await run(["tool", "keygen", "--out", home + "/k", "--key-id", "a b"], home: home).status == 2)
            #expect(await run(["tool", "keygen"], home: home).status == 2)
        }
    }

    @Test func saysWhatIsWrong() async throws {
        try await withHome { home in
            _ = await run(["tool", "keygen", "--out", home + "/key.pem"], home: home)
            try put("{}", at: home + "/m.json")
            let sign = await run(
                ["tool", "sign", "--key", home + "/key.pem", "--manifest", home + "/m.json"], home: home)
            #expect(sign.status == 1)
            #expect(sign.errors.contains("tools.invalid_manifest: tool_id is missing"))
            try put("x", at: home + "/no.pem")
            #expect(
                await run(["tool", "sign", "--key", home + "/no.pem", "--manifest", home + "/m.json"], home: home)
                    .status == 1)
            let arguments = ["tool", "verify", "--manifest", home + "/m.json", "--keys", home + "/m.json"]
            #expect(await run(arguments, home: home).status == 1)
            let settings = await run(
                arguments, home: home, environment: ["TOLLGATE_TOOLS_MAX_MEMORY_MB": "none"])
            #expect(settings.status == 2)
        }
    }
}
