// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import ResourceModel
internal import RuntimeState
internal import TestSupport
internal import Testing

@testable internal import Reconcilers

/// What a look at everything finds, and what it leaves alone.
@Suite struct ClusterResyncTests {
    private static func key(_ kind: ResourceKind, _ name: String) -> ObjectKey {
        ObjectKey(kind: kind, namespace: "default", name: name)
    }

    private static func look(_ world: ClusterWorld) async -> [ObjectKey] {
        world.compiler.lookAgain()
        await world.compiler.pass()
        return world.said.take()
    }

    /// Writes what is wanted of the objects, as a leader would.
    private static func write(_ world: ClusterWorld, _ kind: ResourceKind) {
        for (key, wanted) in world.compiler.wanted.all(kind) {
            guard let object = world.caches.get(key) else { continue }
            world.put(status: wanted.document(previous: object.status, now: world.clock.now()), of: key)
        }
    }

    @Test func aLookPutsTheSnapshotInForceAnewThoughNothingChanged() async throws {
        let world = try ClusterWorld()
        world.fill()
        world.put(Self.key(.authConfig, "a"), content: ["spec": ["hosts": ["a.example"]]])
        await world.compiler.pass()
        Self.write(world, .authConfig)
        _ = world.said.take()
        for _ in 0..<3 {
            let before = try #require(world.snapshots.current())
            world.clock.advance(seconds: 30)
            #expect(await Self.look(world).isEmpty)
            let after = try #require(world.snapshots.current())
            #expect(after.generation == before.generation + 1)
            #expect(after.builtAt == world.clock.now())
        }
    }

    @Test func aStatusThatWasNotWrittenIsNamedAgainAndAgain() async throws {
        let world = try ClusterWorld()
        world.fill()
        let key = Self.key(.authConfig, "a")
        world.put(key, content: ["spec": ["hosts": ["a.example"]]])
        await world.compiler.pass()
        #expect(world.said.take() == [key])
        #expect(await Self.look(world) == [key])
        #expect(await Self.look(world) == [key])
        Self.write(world, .authConfig)
        #expect(await Self.look(world).isEmpty)
    }

    @Test(arguments: [ResourceKind.authConfig, .subscription, .toolManifest])
    func aStatusThatSomebodyElseChangedIsNamedByTheNextLook(_ kind: ResourceKind) async throws {
        let world = try ClusterWorld()
        world.fill()
        let key = Self.key(kind, "a")
        let contents: [ResourceKind: JSONObject] = [
            .authConfig: ["spec": ["hosts": ["a.example"]]],
            .subscription: ["spec": ["tenant": "acme-corp", "plan": "pro"]],
            .toolManifest: ["spec": ["manifest": ["tool_id": "a"]]],
        ]
        world.put(key, content: contents[kind] ?? [:], finalizers: ["tollgate.dev/cleanup"])
        await world.compiler.pass()
        Self.write(world, kind)
        _ = await Self.look(world)
        #expect(await Self.look(world).isEmpty)
        let good = try #require(world.caches.get(key)?.status)
        world.put(status: ["conditions": []], of: key)
        await world.compiler.pass()
        #expect(world.said.take().isEmpty)
        #expect(await Self.look(world) == [key])
        world.put(status: good, of: key)
        #expect(await Self.look(world).isEmpty)
    }

    @Test func timeAloneEndsAnAccount() async throws {
        let world = try ClusterWorld()
        world.fill()
        let key = Self.key(.subscription, "s")
        let end = world.clock.now().adding(seconds: 45)
        world.put(
            key,
            content: ["spec": ["tenant": "acme-corp", "plan": "pro", "validUntil": .string(end.rfc3339)]],
            finalizers: ["tollgate.dev/cleanup"])
        await world.compiler.pass()
        Self.write(world, .subscription)
        _ = await Self.look(world)
        world.clock.advance(seconds: 30)
        #expect(await Self.look(world).isEmpty)
        #expect(world.compiler.wanted[key]?.status.shown("Entitled") == "True Active")
        world.clock.advance(seconds: 30)
        #expect(await Self.look(world) == [key])
        #expect(world.compiler.wanted[key]?.status.shown("Entitled") == "False Ended")
    }

    // MARK: Tokens

    private struct TokenWorld {
        let world: ClusterWorld
        let table: ServiceTokenTable
        let settled: SettledTokens
        let key = ClusterResyncTests.key(.serviceToken, "t")
        let secret = ClusterResyncTests.key(.secret, "s")
        var view = ClusterCompiler.TokenView()

        init() throws {
            world = try ClusterWorld()
            table = ServiceTokenTable(heardAt: world.clock.now())
            settled = SettledTokens(caches: world.caches, table: table, clock: world.clock)
            world.put(key, content: ["spec": ["secretName": "s"], "status": ["family": "one"]])
            world.put(status: ["family": "one"], of: key)
            world.put(secret, content: ["data": ["token": "a2tr"]])
            put("one")
            view.secretOwners = ["default/s": key]
        }

        func put(_ identifier: String) {
            var record = ServiceTokenRecord(
                identifier: identifier, family: "one", secretDigest: SecretDigest(of: "x"),
                grant: ServiceTokenGrant(), issuedAt: world.clock.now(), createdBy: "system")
            if let known = table.entry(identifier)?.record { record.revision = known.revision + 1 }
            table.put([record])
        }

        func settle(dueAt: Timestamp? = nil) throws {
            let object = try #require(world.caches.get(key))
            settled.settle(
                key,
                SettledTokens.Standing(
                    object: object, secret: world.caches.get(secret), records: settled.records(of: object.status),
                    namespacesVersion: view.namespacesVersion, dueAt: dueAt))
        }

        var isSettled: Bool { settled.isSettled(key, view: view) }
    }

    @Test func aTokenIsSettledUntilAnythingThatItWasJudgedByChanges() throws {
        var tokens = try TokenWorld()
        #expect(!tokens.isSettled)
        let changes: [(String, (inout TokenWorld) throws -> Void)] = [
            ("nothing is settled for ever", { $0.settled.unsettle($0.key) }),
            (
                "the object",
                { $0.world.put($0.key, content: ["spec": ["secretName": "s"], "status": ["family": "one"]]) }
            ),
            ("its status", { $0.world.put(status: ["family": "one", "more": 1], of: $0.key) }),
            ("the Secret", { $0.world.put($0.secret, content: ["data": ["token": "eHh4"]]) }),
            ("no Secret", { $0.world.remove($0.secret) }),
            ("a record", { $0.put("one") }),
            ("a successor", { $0.put("two") }),
            ("namespaces", { $0.view.namespacesVersion += 1 }),
        ]
        for (name, change) in changes {
            try tokens.settle()
            #expect(tokens.isSettled, "\(name)")
            try change(&tokens)
            #expect(!tokens.isSettled, "\(name)")
        }
        tokens.world.put(tokens.secret, content: ["data": ["token": "a2tr"]])
        try tokens.settle()
        tokens.view.secretOwners = ["default/s": Self.key(.serviceToken, "other")]
        #expect(!tokens.isSettled)
    }

    @Test func aTokenIsSettledUntilItsTimeHasCome() throws {
        let tokens = try TokenWorld()
        try tokens.settle(dueAt: tokens.world.clock.now().adding(seconds: 10))
        #expect(tokens.isSettled)
        tokens.world.clock.advance(seconds: 10)
        #expect(!tokens.isSettled)
    }

    @Test func tokensThatAreGoneAreForgotten() throws {
        let tokens = try TokenWorld()
        let object = try #require(tokens.world.caches.get(tokens.key))
        for index in 0..<500 {
            tokens.settled.settle(
                Self.key(.serviceToken, "gone-\(index)"),
                SettledTokens.Standing(object: object, secret: nil, records: [], namespacesVersion: 0, dueAt: nil))
        }
        #expect(tokens.settled.count <= 70)
    }
}
