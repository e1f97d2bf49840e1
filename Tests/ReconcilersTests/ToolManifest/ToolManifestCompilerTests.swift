// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Reconcilers
internal import ResourceModel
internal import TestSupport
internal import Testing
internal import ToolTrust

/// Executables by their paths; every other one is missing.
private struct FakeExecutables: ToolExecutableLooking {
    var findings: [String: ExecutableFile.Finding] = [:]

    func look(at path: String) -> ExecutableFile.Finding { findings[path] ?? .missing }
    func haveChanged() -> Bool { true }
}

@Suite struct ToolManifestCompilerTests {
    private static let now = Manifests.start

    private func key(_ id: String = "ci", seed: UInt64 = 1) throws -> Ed25519PrivateKey {
        try #require(Ed25519PrivateKey(seed: SeededRandom(seed: seed).bytes(32), keyID: id))
    }

    private func record(_ id: String = "ci", seed: UInt64 = 1) throws -> ToolKeyRecord {
        try #require(try key(id, seed: seed).record)
    }

    private func manifest(
        _ version: String = "1.0.0", hash: String = "a", tool: String = "hello", memory: Int64 = 64,
        seed: UInt64 = 1
    ) throws -> String {
        let document: JSONValue = [
            "tool_id": .string(tool), "version": .string(version),
            "sha256_hash": .string(String(repeating: hash, count: 64)), "max_memory_mb": .int(memory),
            "max_cpu_seconds": 5, "network_allowed": false,
        ]
        return try ToolManifestSigner.sign(document, key: key(seed: seed)).jsonText
    }

    private func compile(
        _ inputs: [CompilerInput], keys: [ToolKeyRecord]? = nil, earlier: [ObjectKey: JSONValue] = [:],
        findings: [String: ExecutableFile.Finding] = [:], needsLabel: Bool = false, now: Timestamp = now
    ) throws -> ToolManifestCompiler.Output {
        let settings = ToolManifestCompiler.Settings(
            keys: try keys ?? [record()], rules: ToolRules(), ownNamespace: "default", needsLabel: needsLabel,
            namespaces: NamespaceRules(platform: ["default"], tenants: ["acme": "acme-corp"]))
        return ToolManifestCompiler(settings: settings, executables: FakeExecutables(findings: findings))
            .compile(inputs, earlier: earlier, now: now)
    }

    /// `Accepted`, `Verified` and `Ready` of an object.
    private func shown(_ output: ToolManifestCompiler.Output, _ name: String = "t", _ namespace: String = "default")
        -> [String]
    {
        let status = output.statuses[ObjectKey(kind: .toolManifest, namespace: namespace, name: name)]
        return ["Accepted", "Verified", "Ready"].map { status?.shown($0) ?? "none" }
    }

    private func stored(_ output: ToolManifestCompiler.Output, now: Timestamp = now) -> [ObjectKey: JSONValue] {
        output.statuses.mapValues { StatusDocument.make($0, generation: 1, previous: nil, now: now) }
    }

    @Test func aGoodManifestLacksOnlyTheSandbox() throws {
        let inputs = [try Manifests.toolManifest("t", "{manifest: \(manifest())}")]
        let hash = String(repeating: "a", count: 64)
        let output = try compile(inputs, findings: ["hello/1.0.0": try found(hash)])
        #expect(shown(output) == ["True Accepted", "True Verified", "False SandboxUnavailable"])
        let members = try #require(output.statuses.values.first?.members)
        #expect(members["toolId"] == "hello")
        #expect(members["version"] == "1.0.0")
        #expect(members["keyId"] == "ci")
        #expect(members["sha256"] == .string(hash))
        #expect(members["lastVerifiedTime"] == .string(Self.now.rfc3339))
    }

    private func found(_ hash: String) throws -> ExecutableFile.Finding {
        let folder = try TemporaryDirectory()
        try folder.write("x", to: "x")
        guard case .found(_, let stamp) = ExecutableFile.look(at: "x", below: folder.path("")) else {
            throw Manifests.Unreadable(text: "no file")
        }
        return .found(sha256: hash, stamp: stamp)
    }

    @Test func everyReasonIsTold() throws {
        let good = try manifest()
        let rows: [(String, [ToolKeyRecord], [String])] = [
            (
                "{manifest: {tool_id: x}}", [],
                ["False InvalidManifest", "Unknown InvalidManifest", "False NotAccepted"]
            ),
            (
                "{manifest: \(try manifest(memory: 4096))}", [try record()],
                ["False LimitsExceeded", "True Verified", "False NotAccepted"]
            ),
            ("{manifest: \(good)}", [], ["True Accepted", "False UnknownKey", "False NotVerified"]),
            (
                "{manifest: \(good)}", [try record(seed: 2)],
                ["True Accepted", "False BadSignature", "False NotVerified"]
            ),
            (
                "{manifest: \(good), suspend: true}", [try record()],
                ["True Accepted", "True Verified", "False Suspended"]
            ),
            ("{manifest: \(good)}", [try record()], ["True Accepted", "True Verified", "False ExecutableMissing"]),
        ]
        for (spec, keys, expected) in rows {
            #expect(shown(try compile([try Manifests.toolManifest("t", spec)], keys: keys)) == expected, "\(spec)")
        }
        var revoked = try record()
        revoked.revokedAt = Self.now
        var expired = try record()
        expired.expiresAt = Self.now
        let inputs = [try Manifests.toolManifest("t", "{manifest: \(good)}")]
        #expect(shown(try compile(inputs, keys: [revoked]))[1] == "False KeyRevoked")
        #expect(shown(try compile(inputs, keys: [expired]))[1] == "False KeyExpired")
        let other = try found(String(repeating: "b", count: 64))
        #expect(shown(try compile(inputs, findings: ["hello/1.0.0": other]))[1] == "False HashMismatch")
        let unfit = try compile(inputs, findings: ["hello/1.0.0": .unfit("no")])
        #expect(shown(unfit)[2] == "False ExecutableMissing")
    }

    @Test func theOlderObjectHasTheToolOfATenant() throws {
        let spec = "{manifest: \(try manifest())}"
        let output = try compile([
            try Manifests.toolManifest("new", created: 2, spec), try Manifests.toolManifest("old", created: 1, spec),
            try Manifests.toolManifest("other", namespace: "acme", created: 3, spec),
        ])
        #expect(shown(output, "old")[0] == "True Accepted")
        #expect(shown(output, "new")[0] == "False DuplicateToolId")
        #expect(shown(output, "other", "acme")[0] == "True Accepted")
    }

    @Test func noLowerVersionFollowsAlsoNotByADetour() throws {
        func pass(_ manifest: String, _ earlier: [ObjectKey: JSONValue]) throws -> ToolManifestCompiler.Output {
            try compile([try Manifests.toolManifest("t", "{manifest: \(manifest)}")], earlier: earlier)
        }
        let first = stored(try pass(manifest("1.10.0"), [:]))
        let lower = try pass(manifest("1.9.0"), first)
        #expect(shown(lower)[0] == "False VersionDowngrade")
        #expect(lower.statuses.values.first?.members["version"] == "1.10.0")
        // Neither a second pass, nor a manifest of a stranger, nor one that is none makes it forget.
        #expect(shown(try pass(manifest("1.9.0"), stored(lower)))[0] == "False VersionDowngrade")
        let strange = stored(try pass(manifest("99.0.0", seed: 9), first))
        #expect(shown(try pass(manifest("1.9.0"), strange))[0] == "False VersionDowngrade")
        let none = stored(try pass("{tool_id: x}", first))
        #expect(shown(try pass(manifest("1.9.0"), none))[0] == "False VersionDowngrade")
        #expect(shown(try pass(manifest("1.10.0", hash: "b"), first))[0] == "False VersionConflict")
        #expect(shown(try pass(manifest("1.10.0+b"), first))[0] == "False VersionConflict")
        #expect(shown(try pass(manifest("1.10.0"), first))[0] == "True Accepted")
        #expect(shown(try pass(manifest("1.11.0"), first))[0] == "True Accepted")
        // What nobody trusted is not remembered.
        let untrusted = stored(try pass(manifest("99.0.0", seed: 9), [:]))
        #expect(shown(try pass(manifest("1.0.0"), untrusted))[0] == "True Accepted")
    }

    @Test func theTimeMovesOnlyWithTheOutcome() throws {
        let inputs = [try Manifests.toolManifest("t", "{manifest: \(manifest())}")]
        let later = Self.now.adding(seconds: 60)
        let first = stored(try compile(inputs))
        func time(_ output: ToolManifestCompiler.Output) -> String? {
            output.statuses.values.first?.members["lastVerifiedTime"]?.stringValue
        }
        #expect(time(try compile(inputs, earlier: first, now: later)) == Self.now.rfc3339)
        let lost = try compile(inputs, keys: [], earlier: first, now: later)
        #expect(time(lost) == Self.now.rfc3339)
        let again = try compile(inputs, earlier: stored(lost), now: later)
        #expect(time(again) == later.rfc3339)
    }

    @Test func keysComeFromLabelledSecretsOfTheOwnNamespace() throws {
        let tool = try Manifests.toolManifest("t", "{manifest: \(manifest())}")
        func secret(_ namespace: String, _ labels: [String: String], _ text: String) -> CompilerInput {
            let metadata = ObjectMeta(name: "keys", namespace: namespace, labels: labels)
            let secret = Secret(metadata: metadata, data: ["ci": Redacted(Array(text.utf8))])
            return CompilerInput(
                key: secret.key, object: .secret(secret), problems: [], claimedHosts: [], generation: 1,
                createdAt: Self.now)
        }
        let text = try record().json.jsonText
        let label = ["tollgate.dev/tool-keys": "true"]
        let both = label.merging(["tollgate.dev/managed": "true"]) { first, _ in first }
        func verified(_ input: CompilerInput, needsLabel: Bool = false) throws -> String {
            shown(try compile([tool, input], keys: [], needsLabel: needsLabel))[1]
        }
        #expect(try verified(secret("default", label, text)) == "True Verified")
        #expect(try verified(secret("default", [:], text)) == "False UnknownKey")
        #expect(try verified(secret("acme", label, text)) == "False UnknownKey")
        #expect(try verified(secret("default", label, text), needsLabel: true) == "False UnknownKey")
        #expect(try verified(secret("default", both, text), needsLabel: true) == "True Verified")
        let broken = try compile([tool, secret("default", label, "no")], keys: [])
        #expect(broken.problems.count == 1)
        let doubled = try compile(
            [tool, secret("default", label, try record(seed: 2).json.jsonText)], keys: [try record()])
        #expect(shown(doubled)[1] == "False UnknownKey")
        #expect(doubled.problems.count == 1)
        #expect(broken.conflicts.isEmpty)
        #expect(doubled.conflicts == [ObjectKey(kind: .secret, namespace: "default", name: "keys"): ["ci"]])
    }
}
