// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import RuntimeState
internal import TestSupport
internal import Testing

@Suite struct SidecarDocumentTests {
    private static func text(_ document: WrittenSidecarDocument) -> String {
        String(decoding: document.bytes, as: UTF8.self)
    }

    @Test func isTheSameBytesForTheSameState() async throws {
        let world = try SidecarWorld()
        for number in 0..<20 { _ = try await world.upstream.token("t\(number)", .init(tenantID: "acme")) }
        let first = try await world.written(version: 1)
        let second = try await world.written(SidecarWorld.names.reversed().sorted(), version: 2)
        #expect(first.bytes == second.bytes && first.entityTag == second.entityTag)
        // A replica with the same objects and stores, published more often.
        let other = try SidecarWorld()
        other.upstream.registry.table.replace(with: world.upstream.registry.table.records.reversed())
        let snapshot = try #require(world.upstream.snapshots.current())
        _ = other.upstream.snapshots.publish { snapshot.replacing(generation: $0) }
        #expect(try await other.written(version: 9).entityTag == first.entityTag)
    }

    @Test func keepsOneDocumentHoweverManyAreAskedForThatAreNotThere() async throws {
        let world = try SidecarWorld()
        for number in 0..<20 { _ = try await world.written(["acme/none\(number)", "acme/shop"]) }
        let document = try await world.written(["acme/shop"])
        #expect(await world.documents.kept == (1, document.bytes.count))
    }

    @Test func keepsNoMoreBytesThanItMay() async throws {
        let world = try SidecarWorld()
        func size(_ name: String) async throws -> Int { try await world.written([name]).bytes.count }
        let shop = try await size("acme/shop")
        let others = [try await size("acme/maybe"), try await size("acme/broken")]
        let most = shop + (others.max() ?? 0)
        let documents = SidecarDocuments(
            .init(
                snapshots: world.upstream.snapshots, tokens: world.upstream.registry.table,
                keys: world.upstream.keys.table, prefixes: TokenPrefixes(), clock: world.upstream.clock
            ) { $0.mode != .disabled }, mostBytes: most)
        for name in ["acme/shop", "acme/maybe", "acme/shop", "acme/broken", "acme/shop"] {
            _ = try await documents.document(for: [name], scope: .installation, version: 1)
        }
        // What was asked for least recently has gone.
        let kept = await documents.kept
        #expect(kept.documents == 2 && kept.bytes == shop + others[1])
        _ = try await documents.document(for: ["acme/shop"], scope: .installation, version: 2)
        #expect(await documents.kept.bytes == shop)
    }

    @Test func isReadOnlyWhereEveryHostIsOnesOwnOrSomebodyElses() async throws {
        let bytes = try await SidecarWorld().written(["acme/shop"]).bytes
        var object = try #require(try JSONParser.parse(bytes).objectValue)
        object["hosts_elsewhere"] = ["held.shop.example", "*.shop.example"]
        do throws(SidecarDocumentError) {
            _ = try SidecarDocument(bytes: JSONValue.object(object).encoded())
            Issue.record("it was read")
        } catch {
            #expect(error.code == .invalid && error.place == "hosts_elsewhere")
        }
    }

    @Test func holdsDigestsAndNoTexts() async throws {
        let world = try SidecarWorld()
        let token = try await world.upstream.token(
            "t", .init(description: "what it is for", scopes: ["tasks:read"], tenantID: "acme"))
        let text = Self.text(try await world.written())
        #expect(!text.contains(token) && !text.contains(String(token.suffix(40))))
        #expect(text.contains(SecretDigest(of: token).hex))
        #expect(!text.contains("what it is for"))
    }

    @Test func holdsNothingOfOtherTenants() async throws {
        let world = try SidecarWorld()
        _ = try await world.upstream.token("mine", .init(tenantID: "acme"))
        _ = try await world.upstream.token("theirs", .init(tenantID: "globex"))
        _ = try await world.upstream.token("everyones", .init(roles: ["admin"], platform: true))
        let text = Self.text(try await world.written(scope: .tenant("acme")))
        #expect(text.contains("mine"))
        for foreign in ["theirs", "everyones", "globex", "other.example"] {
            #expect(!text.contains(foreign), "\(foreign)")
        }
        let all = Self.text(try await world.written(scope: .installation))
        for member in ["mine", "theirs", "everyones", "globex"] { #expect(all.contains(member), "\(member)") }
    }

    @Test func holdsNoCredentialsThatAreGoodNowhere() async throws {
        let world = try SidecarWorld(
            """
            apiVersion: tollgate.dev/v1alpha1
            kind: AuthConfig
            metadata: {name: shop, namespace: acme}
            spec: {hosts: [shop.example], serviceTokens: false, apiKeys: false, mode: required}
            """)
        _ = try await world.upstream.token("mine", .init(tenantID: "acme"))
        #expect(!Self.text(try await world.written(["acme/shop"])).contains("mine"))
    }

    @Test func refusesWhatIsNotTheCallers() async throws {
        let world = try SidecarWorld()
        await #expect(throws: Refusal.self) { try await world.written(scope: .tenant("globex")) }
        let refusal = await Self.refusal { _ = try await world.written(["default/elsewhere"], scope: .tenant("acme")) }
        #expect(refusal?.code == .policyTenantDenied && refusal?.status == 403)
        let missing = await Self.refusal { _ = try await world.written(["acme/nothing"]) }
        #expect(missing?.code == .authNoConfig && missing?.status == 404)
        let both = Self.text(try await world.written(["acme/nothing", "acme/shop"]))
        #expect(both.contains("acme/shop") && !both.contains("acme/nothing"))
        let none = try PipelineWorld(manifests: nil)
        let documents = SidecarDocuments(
            .init(
                snapshots: none.snapshots, tokens: none.registry.table, keys: none.keys.table,
                prefixes: TokenPrefixes(), clock: none.clock
            ) { _ in true })
        let early = await Self.refusal {
            _ = try await documents.document(for: ["a/b"], scope: .installation, version: 1)
        }
        #expect(early?.code == .decisionNotReady && early?.status == 503)
    }

    @Test(arguments: [("acme/shop", true), ("acme/maybe", true), ("acme/broken", false)])
    func vouchesForNoCredentialsOfAStoreThatIsAway(name: String, isRefused: Bool) async throws {
        let world = try SidecarWorld()
        _ = try await world.written([name])
        // Also what was written before: it is not in force here any more either.
        world.upstream.clock.advance(seconds: 61)
        let refusal = await Self.refusal { _ = try await world.written([name]) }
        #expect(refusal?.code == (isRefused ? .authStoreUnavailable : nil))
        world.upstream.registry.table.heard(at: world.upstream.clock.now())
        world.upstream.keys.table.heard(at: world.upstream.clock.now())
        _ = try await world.written([name])
    }

    private static func refusal(_ body: () async throws -> Void) async -> Refusal? {
        do {
            try await body()
            return nil
        } catch {
            return error as? Refusal
        }
    }

    private static func config(_ name: String, _ namespace: String, platform: Bool = false) -> String {
        """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: \(name), namespace: \(namespace)}
        spec:
          hosts: [\(name).\(namespace).example]
          issuers:
            - {name: main, issuer: "https://id.example", secretRef: {name: key, key: key}, audiences: [api], algorithms: [HS256]\(platform ? ", platform: true" : "")}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: key, namespace: \(namespace)}
        stringData: {key: "\(SidecarWorld.secret)"}
        """
    }

    @Test(
        arguments: [
            (config("a", "acme"), "acme/a", nil, true),
            (config("a", "acme") + "\n---\n" + config("b", "acme"), "acme/a", nil, true),
            (config("a", "acme") + "\n---\n" + config("b", "default"), "acme/a", nil, false),
            (config("a", "default", platform: true), "default/a", nil, false),
            (config("a", "default"), "default/a", "default/a", false),
            (config("a", "default"), "default/a", nil, true),
        ] as [(String, String, String?, Bool)])
    func givesOnlySecretsThatOpenNothingElse(manifests: String, name: String, api: String?, leaves: Bool) async throws {
        let world = try SidecarWorld(manifests)
        try world.upstream.publish(manifests, apiAuthConfig: api)
        let written = try await world.written([name], version: 2)
        let secret = PaddedBase64.encode(Array(SidecarWorld.secret.utf8))
        #expect(Self.text(written).contains(secret) == leaves)
        try await world.feed([name], version: 2)
        let token = try TokenForge.token(
            header: ["alg": "HS256", "typ": "JWT"],
            claims: [
                "iss": "https://id.example", "aud": "api", "sub": "u1",
                "exp": .int(world.upstream.clock.now().seconds + 60),
            ],
            key: .secret(Array(SidecarWorld.secret.utf8)))
        let host = name.split(separator: "/").reversed().joined(separator: ".") + ".example"
        let answer = await world.answers("GET", host, "/x", token: token).sidecar
        #expect(answer.hasPrefix("503 auth.key_unavailable") == !leaves, "\(answer)")
    }

    @Test func carriesWhatRequestsCostAndWhatPlansInclude() async throws {
        let world = try SidecarWorld()
        try world.upstream.publish(MeteredWorld.manifests, accounts: MeteredWorld.accounts)
        let written = try await world.written(["default/metered"], version: 2)
        let document = try SidecarDocument(bytes: written.bytes)
        #expect(document.shared.accounts == MeteredWorld.accounts)
        let late = document.shared.accounts.state(of: "late", at: Timestamp.latest)
        #expect(late.plan == "pro", "what follows an end is told, too")
        let there = try #require(document.entries.first?.config)
        let here = try #require(
            world.upstream.snapshots.current()?.authConfigs.first { $0.key == "default/metered" })
        #expect(there.metering(for: nil)?.action == .task)
        let rules = try #require(there.policy.routes?.rules)
        #expect(rules.map(\.isMetered).contains(true))
        for (rule, own) in zip(rules, here.policy.routes?.rules ?? []) {
            let (read, sent) = (there.metering(for: rule), here.metering(for: own))
            #expect(read?.action == sent?.action && read?.model == sent?.model && read?.slot == sent?.slot)
            #expect(read?.requirements == sent?.requirements && read?.estimate == sent?.estimate)
            #expect(read?.microCreditsPerRequest == sent?.microCreditsPerRequest)
        }
    }

    @Test func readsNothingOfAnotherFormat() async throws {
        let world = try SidecarWorld()
        let text = Self.text(try await world.written()).replacing("tollgate-snapshot/2", with: "tollgate-snapshot/1")
        do throws(SidecarDocumentError) {
            _ = try SidecarDocument(bytes: Array(text.utf8))
            Issue.record("it was read")
        } catch {
            #expect(error.code == .unsupportedFormat && error.place == "format")
        }
    }

    @Test func readsAllOrNothingOfChangedBytes() async throws {
        let world = try SidecarWorld()
        _ = try await world.upstream.token(
            "t", .init(scopes: ["tasks:read"], tenantID: "acme", allowedCIDRs: ["10.0.0.0/8"]))
        let bytes = try await world.written(["acme/shop"]).bytes
        #expect(try SidecarDocument(bytes: bytes).entries.map(\.config.key) == ["acme/shop"])
        let random = SeededRandom(seed: 7)
        // Every part of it is met, also with few cases: the policy data is most of the text.
        let interesting = bytes.indices.filter { bytes[$0] != UInt8(ascii: " ") }
        for _ in 0..<FuzzCases.count(300) {
            var changed = bytes
            switch random.below(3) {
            case 0: changed[interesting[random.below(interesting.count)]] = UInt8(random.below(256))
            case 1: changed.removeSubrange(random.below(bytes.count)..<bytes.count)
            default:
                let start = random.below(bytes.count)
                changed.removeSubrange(start..<min(bytes.count, start + random.below(40)))
            }
            // What is read is compiled as a whole; what is not says where. Neither may trap.
            do throws(SidecarDocumentError) {
                _ = try SidecarDocument(bytes: changed)
            } catch {
                #expect(!error.message.isEmpty)
            }
        }
    }
}
