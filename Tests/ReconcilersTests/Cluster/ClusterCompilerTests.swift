// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Billing
internal import Essentials
internal import Metrics
internal import ResourceModel
internal import RuntimeState
internal import TestSupport
internal import Testing

@testable internal import Reconcilers

/// The compiler of a cluster: what it works out anew after a change, and that nothing is left out.
@Suite struct ClusterCompilerTests {
    private static let own: [ResourceKind] = [.authConfig, .subscription, .toolManifest]

    private static func key(_ kind: ResourceKind, _ name: String, _ namespace: String = "default") -> ObjectKey {
        ObjectKey(kind: kind, namespace: namespace, name: name)
    }

    private static func authConfig(host: String, secret: String? = nil) -> JSONObject {
        let issuers: JSONValue =
            secret.map { name in
                [
                    [
                        "name": "main", "issuer": "https://id.example", "audiences": ["tollgate"],
                        "secretRef": ["name": .string(name), "key": "key"],
                    ]
                ]
            } ?? []
        return ["spec": ["hosts": [.string(host)], "issuers": issuers]]
    }

    private static func secret(_ text: String) -> JSONObject {
        ["data": ["key": .string(PaddedBase64.encode(Array(text.utf8)))]]
    }

    @Test func nothingHappensBeforeEveryCacheIsFilled() async throws {
        let world = try ClusterWorld()
        world.put(Self.key(.authConfig, "a"), content: Self.authConfig(host: "a.example"))
        await world.compiler.pass()
        #expect(world.snapshots.current() == nil)
        world.fill()
        await world.compiler.pass()
        #expect(world.snapshots.current() != nil)
    }

    @Test func aClusterWithoutObjectsIsReadyAtOnce() async throws {
        let world = try ClusterWorld()
        let compiler = world.compiler
        let run = Task { await compiler.run() }
        world.fill()
        try await Eventually.holds("a snapshot of nothing") { world.snapshots.current() != nil }
        run.cancel()
        await run.value
    }

    @Test func aSecretBringsWhatRefersToItIntoForce() async throws {
        let world = try ClusterWorld()
        world.fill()
        let (one, other) = (Self.key(.authConfig, "a"), Self.key(.authConfig, "b"))
        world.put(one, content: Self.authConfig(host: "a.example", secret: "s"))
        world.put(other, content: Self.authConfig(host: "b.example"))
        await world.compiler.pass()
        #expect(world.compiler.wanted[one]?.status.shown("SecretsResolved") == "False SecretNotLabelled")
        #expect(Set(world.said.take()) == [one, other])
        world.put(Self.key(.secret, "s"), content: Self.secret(String(repeating: "k", count: 32)))
        await world.compiler.pass()
        #expect(world.compiler.wanted[one]?.status.shown("Ready") == "True InForce")
        #expect(world.said.take() == [one])
        world.remove(Self.key(.secret, "s"))
        await world.compiler.pass()
        #expect(world.compiler.wanted[one]?.status.shown("Ready") == "False SecretNotLabelled")
    }

    @Test func aSecretThatNobodyRefersToMovesNothing() async throws {
        let world = try ClusterWorld()
        world.fill()
        world.put(Self.key(.authConfig, "a"), content: Self.authConfig(host: "a.example"))
        await world.compiler.pass()
        let generation = world.snapshots.current()?.generation
        _ = world.said.take()
        world.put(Self.key(.secret, "other", "acme"), content: Self.secret("x"))
        await world.compiler.pass()
        #expect(world.snapshots.current()?.generation == generation)
        #expect(world.said.take().isEmpty)
    }

    @Test func secretsWhoseToolKeysBeginToConflictAreLookedAtOnce() async throws {
        let world = try ClusterWorld()
        world.fill()
        let (first, second) = (Self.key(.secret, "first"), Self.key(.secret, "second"))
        func keys(_ byte: UInt8) -> JSONObject {
            let record: JSONValue = [
                "key_id": "ci", "public_key": .string(Base64.encode(Array(repeating: byte, count: 32))),
            ]
            return ["data": ["ci": .string(Base64.encode(Array(record.jsonText.utf8)))]]
        }
        world.put(first, content: keys(1), labels: ["tollgate.dev/tool-keys": "true"])
        await world.compiler.pass()
        #expect(world.said.take().isEmpty)
        world.put(second, content: keys(2), labels: ["tollgate.dev/tool-keys": "true"])
        await world.compiler.pass()
        #expect(Set(world.said.take()) == [first, second])
        #expect(world.compiler.toolKeyConflicts(of: first) == ["ci"])
        world.compiler.lookAgain()
        await world.compiler.pass()
        #expect(world.said.take().isEmpty)
        world.remove(second)
        await world.compiler.pass()
        #expect(world.said.take().isEmpty)
        #expect(world.compiler.toolKeyConflicts(of: first) == nil)
    }

    @Test func aTokenIsLookedAtWhenItsSecretOrItsRivalChanges() async throws {
        let world = try ClusterWorld()
        world.fill()
        let (older, newer, other) = (
            Self.key(.serviceToken, "older"), Self.key(.serviceToken, "newer"), Self.key(.serviceToken, "other")
        )
        let spec: (String) -> JSONObject = { ["spec": ["secretName": .string($0)]] }
        world.put(older, created: 0, content: spec("s"))
        world.put(newer, created: 9, content: spec("s"))
        world.put(other, created: 0, content: spec("t"))
        await world.compiler.pass()
        #expect(Set(world.said.take()) == [older, newer, other])
        #expect(world.compiler.tokenView.secretOwners["default/s"] == older)
        world.put(Self.key(.secret, "t"), content: Self.secret("changed by somebody"))
        await world.compiler.pass()
        #expect(world.said.take() == [other])
        world.remove(older)
        await world.compiler.pass()
        #expect(world.said.take() == [newer])
        #expect(world.compiler.tokenView.secretOwners["default/s"] == newer)
    }

    /// The API server tells no time below a second, so the later of two can come first by name.
    @Test func whoseSecretIsMadeKeepsIt() async throws {
        let world = try ClusterWorld()
        world.fill()
        let (first, rival, secret) = (
            Self.key(.serviceToken, "made-first"), Self.key(.serviceToken, "a-rival"), Self.key(.secret, "s")
        )
        world.put(first, content: ["spec": ["secretName": "s"]])
        await world.compiler.pass()
        world.put(secret, content: Self.secret("minted"), controller: first)
        world.put(rival, content: ["spec": ["secretName": "s"]])
        await world.compiler.pass()
        #expect(world.compiler.tokenView.secretOwners["default/s"] == first)
        // So it is for whoever begins now.
        let later = try ClusterWorld.compiler(over: world.caches, snapshots: world.snapshots, clock: world.clock)
        await later.pass()
        #expect(later.tokenView.secretOwners["default/s"] == first)
        _ = world.said.take()
        // Nobody's any more: the order decides, and both are told.
        world.remove(secret)
        await world.compiler.pass()
        #expect(world.compiler.tokenView.secretOwners["default/s"] == rival)
        #expect(Set(world.said.take()) == [first, rival])
        // Another one's by a change of the owner alone.
        world.put(secret, content: Self.secret("minted"))
        world.put(secret, content: Self.secret("minted"), controller: first)
        await world.compiler.pass()
        #expect(world.compiler.tokenView.secretOwners["default/s"] == first)
        // What is not theirs says nothing.
        world.put(secret, content: Self.secret("minted"), controller: Self.key(.secret, "s"))
        await world.compiler.pass()
        #expect(world.compiler.tokenView.secretOwners["default/s"] == rival)
    }

    @Test func deletedAndRevokedTokensAreKnownAsSuch() throws {
        let world = try ClusterWorld()
        let key = Self.key(.serviceToken, "t")
        func reason(_ spec: JSONObject, deleting: Bool = false) -> String? {
            world.put(key, content: ["spec": .object(spec)], deleting: deleting)
            return world.caches.get(key).flatMap(ClusterReconciler.revocation)
        }
        #expect(reason(["secretName": "s"]) == nil)
        #expect(reason(["secretName": "s", "revoked": true]) == "spec.revoked is true")
        #expect(reason(["secretName": "s", "revoked": true, "revocationReason": "leaked"]) == "leaked")
        #expect(reason(["secretName": "s"], deleting: true) == "the object ServiceToken/default/t was deleted")
        let other = Self.key(.subscription, "s")
        world.put(other, content: ["spec": ["tenant": "acme-corp", "plan": "pro"]], deleting: true)
        #expect(world.caches.get(other).flatMap(ClusterReconciler.revocation) == nil)
    }

    @Test func whatIsBeingDeletedIsOutOfForceAndCleanedUp() async throws {
        let world = try ClusterWorld()
        world.fill()
        let key = Self.key(.subscription, "s")
        let content: JSONObject = ["spec": ["tenant": "acme-corp", "plan": "pro"]]
        world.put(key, content: content)
        await world.compiler.pass()
        #expect(world.snapshots.current()?.accounts.isEmpty == false)
        _ = world.said.take()
        world.put(key, content: content, deleting: true, finalizers: ["tollgate.dev/cleanup"])
        await world.compiler.pass()
        #expect(world.snapshots.current()?.accounts.isEmpty == true)
        #expect(world.said.take() == [key])
    }

    @Test func aWholePassWithoutChangesWantsNothing() async throws {
        let world = try ClusterWorld()
        world.fill()
        try await Self.change(world, SeededRandom(seed: 5), times: 200)
        await world.compiler.pass()
        Self.write(world)
        _ = world.said.take()
        world.clock.advance(seconds: 30)
        world.compiler.lookAgain()
        await world.compiler.pass()
        let said = world.said.take().filter { $0.kind != .serviceToken && world.caches.get($0)?.isDeleting == false }
        #expect(said.isEmpty)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6]) func manySmallPassesComeToWhatOneWholePassDoes(seed: UInt64)
        async throws
    {
        let world = try ClusterWorld()
        world.fill()
        let random = SeededRandom(seed: seed)
        for round in 0..<60 {
            try await Self.change(world, random, times: 1 + random.below(6))
            await world.compiler.pass()
            if random.below(3) == 0 { Self.write(world) }
            if random.below(8) == 0 { world.compiler.lookAgain() }
            guard round % 6 == 5 else { continue }
            Self.write(world)
            await world.compiler.pass()
            let snapshots = SnapshotStore(metricsFactory: NOOPMetricsHandler.instance)
            let whole = try ClusterWorld.compiler(over: world.caches, snapshots: snapshots, clock: world.clock)
            await whole.pass()
            for kind in Self.own {
                #expect(Self.said(world.compiler, kind) == Self.said(whole, kind), "seed \(seed) round \(round)")
            }
            #expect(world.compiler.tokenView.secretOwners == whole.tokenView.secretOwners)
            #expect(Self.shown(world.snapshots) == Self.shown(snapshots), "seed \(seed) round \(round)")
        }
    }

    // MARK: Random clusters

    private static let hosts = ["a.example", "b.example", "*.example", "x.limited.example", "y.other", "bad host", "*"]
    private static let places = ["default", "acme", "limited", "nobodys"]

    /// Makes, changes and deletes objects.
    private static func change(_ world: ClusterWorld, _ random: SeededRandom, times: Int) async throws {
        func pick<Value>(_ values: [Value]) -> Value { values[random.below(values.count)] }
        for _ in 0..<times {
            let kind: ResourceKind = pick([
                .authConfig, .authConfig, .authConfig, .secret, .configMap, .serviceToken, .subscription, .toolManifest,
            ])
            let key = key(kind, "\(kind.rawValue.lowercased())-\(random.below(6))", pick(places))
            if random.below(4) == 0 {
                world.remove(key)
                continue
            }
            let content: JSONObject
            switch kind {
            case .authConfig:
                var object = authConfig(
                    host: pick(hosts), secret: random.below(2) == 0 ? "secret-\(random.below(6))" : nil)
                if random.below(5) == 0 {
                    object = [
                        "spec": [
                            "hosts": [.string(pick(hosts))],
                            "issuers": [
                                [
                                    "name": "keys", "issuer": "https://keys.example", "audiences": ["tollgate"],
                                    "jwksRef": ["name": .string("configmap-\(random.below(6))"), "key": "key"],
                                ]
                            ],
                        ]
                    ]
                }
                content = object
            case .secret: content = secret(String(repeating: "k", count: random.below(2) == 0 ? 32 : 8))
            case .configMap: content = ["data": ["key": .string(random.below(2) == 0 ? "{\"keys\": []}" : "no keys")]]
            case .serviceToken:
                content = ["spec": ["secretName": .string("secret-\(random.below(6))")]]
            case .subscription:
                content = [
                    "spec": [
                        "tenant": .string(pick(["acme-corp", "limited-corp"])),
                        "plan": .string(pick(["pro", "free", "none"])),
                    ]
                ]
            case .toolManifest: content = ["spec": ["manifest": ["tool_id": .string(pick(["a", "b"]))]]]
            }
            world.put(
                key, created: Int64(random.below(4)), content: content, deleting: random.below(10) == 0,
                finalizers: ["tollgate.dev/cleanup"])
            if random.below(20) == 0 { world.label(pick(places), tenant: pick(["acme-corp", "limited-corp", nil])) }
        }
    }

    /// Writes the statuses that are wanted, as a leader would.
    private static func write(_ world: ClusterWorld) {
        for kind in own {
            for (key, wanted) in world.compiler.wanted.all(kind) {
                guard let object = world.caches.get(key), object.generation == wanted.generation else { continue }
                let document = wanted.document(previous: object.status, now: world.clock.now())
                if !StatusDocument.agree(document, object.status) { world.put(status: document, of: key) }
            }
        }
    }

    private static func said(_ compiler: ClusterCompiler, _ kind: ResourceKind) -> [ObjectKey: [JSONValue]] {
        compiler.wanted.all(kind).mapValues { wanted in
            [
                .int(wanted.generation),
                StatusDocument.make(wanted.status, generation: wanted.generation, previous: nil, now: Manifests.start),
            ]
        }
    }

    /// Who has which host, and what is known of accounts.
    private static func shown(_ store: SnapshotStore) -> [String] {
        guard let snapshot = store.current() else { return ["nothing"] }
        let holders = (hosts + ["c.example", "z.y.other"]).map { host -> String in
            guard let match = snapshot.hosts.match(host) else { return "\(host) -" }
            return "\(host) \(snapshot.authConfigs[match.index].key) \(match.broken)"
        }
        let configs = snapshot.authConfigs.map { "\($0.key) \($0.tenant ?? "-") \($0.brokenReason ?? "sound")" }
        return holders + configs + ["acme-corp", "limited-corp"].map { "\(snapshot.accounts.state(of: $0))" }
    }
}
