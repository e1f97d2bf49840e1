// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import Foundation
internal import ManifestFiles
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import TestSupport
internal import Testing

/// The control side from files to snapshots.
@Suite struct StandaloneControllerTests {
    @Test func theFirstPassPublishesAlsoWithoutObjects() async throws {
        let world = try await ControllerWorld()
        #expect(world.generation == 0)
        await world.controller.reconcile()
        #expect(world.generation == 1)
        await world.controller.reconcile()
        #expect(world.generation == 1)
        #expect(world.keeper.saves == 0)
    }

    @Test func aChangePublishesAndThePassAfterItDoesNot() async throws {
        let world = try await ControllerWorld()
        try world.write(world.authConfig("b", "{hosts: [b.example.com]}"), to: "b.yaml")
        try world.write(world.authConfig("a", "{hosts: [a.example.com]}"), to: "z.yaml")
        await world.controller.reconcile()
        #expect(world.holder("a.example.com") == "default/a")
        #expect(world.shown("Ready", of: "a") == "True InForce")
        #expect(world.snapshots.resources(kind: nil, namespace: nil).items.map(\.name) == ["a", "b"])
        try world.write(world.authConfig("b", "{hosts: [c.example.com]}"), to: "b.yaml")
        await world.controller.reconcile()
        #expect(world.generation == 2)
        #expect(world.holder("b.example.com") == "-")
        #expect(world.holder("c.example.com") == "default/b")
        #expect(world.view("b")?["metadata"]?["generation"] == 2)
        #expect(world.status(of: "b")?["observedGeneration"] == 2)
        #expect(world.view("a")?["metadata"]?["generation"] == 1)
        try world.write("# only a comment\n" + world.authConfig("b", "{hosts: [c.example.com]}"), to: "b.yaml")
        await world.controller.reconcile()
        world.clock.advance(seconds: 3600)
        await world.controller.reconcile()
        #expect(world.view("b")?["metadata"]?["generation"] == 2)
        try FileManager.default.removeItem(atPath: world.folder.path("manifests/b.yaml"))
        await world.controller.reconcile()
        #expect(world.holder("c.example.com") == "-")
        #expect(world.keeper.kept.keys.map(\.name) == ["a"])
    }

    @Test func aFileThatDoesNotParseKeepsItsLastGoodState() async throws {
        let world = try await ControllerWorld()
        try world.write(world.authConfig("a", "{hosts: [a.example.com]}"), to: "a.yaml")
        try world.write(world.authConfig("b", "{hosts: [b.example.com]}"), to: "b.yaml")
        await world.controller.reconcile()
        try world.write(world.authConfig("a", "{hosts: [a.example.com"), to: "a.yaml")
        await world.controller.reconcile()
        #expect(world.holder("a.example.com") == "default/a")
        #expect(world.shown("FileReadable", of: "a") == "False FileUnreadable")
        #expect(world.shown("Ready", of: "a") == "False FileUnreadable")
        #expect(world.condition("FileReadable", of: "a")?["message"]?.stringValue?.contains("a.yaml:") == true)
        #expect(world.shown("Ready", of: "b") == "True InForce")
        try world.write(world.authConfig("a", "{hosts: [c.example.com]}"), to: "a.yaml")
        await world.controller.reconcile()
        #expect(world.shown("FileReadable", of: "a") == "-")
        #expect(world.shown("Ready", of: "a") == "True InForce")
        #expect(world.holder("c.example.com") == "default/a")
        #expect(world.holder("a.example.com") == "-")
    }

    @Test func anObjectThatIsRefusedKeepsItsLastGoodState() async throws {
        let world = try await ControllerWorld()
        try world.write(world.authConfig("a", "{hosts: [a.example.com]}"), to: "a.yaml")
        await world.controller.reconcile()
        try world.write(world.authConfig("a", "{hosts: [a.example.com], nonsense: 1}"), to: "a.yaml")
        await world.controller.reconcile()
        #expect(world.holder("a.example.com") == "default/a")
        #expect(world.shown("Invalid", of: "a") == "True InvalidSpec")
        #expect(world.condition("Ready", of: "a")?["message"]?.stringValue?.contains("nonsense") == true)
        // One that was never good keeps its hosts closed.
        try world.write(world.authConfig("never", "{hosts: [n.example.com], nonsense: 1}"), to: "n.yaml")
        try world.write(world.authConfig("w", "{hosts: ['*.example.com']}"), to: "w.yaml")
        await world.controller.reconcile()
        #expect(world.holder("n.example.com") == "default/never!")
        #expect(world.holder("other.example.com") == "default/w")
    }

    @Test func anObjectInTwoPlacesIsClosedAndBothAreNamed() async throws {
        let world = try await ControllerWorld()
        try world.write(world.authConfig("a", "{hosts: [a.example.com]}"), to: "one.yaml")
        try world.write(world.authConfig("w", "{hosts: ['*.example.com']}"), to: "w.yaml")
        await world.controller.reconcile()
        world.clock.advance(seconds: 5)
        try world.write(world.authConfig("a", "{hosts: [a.example.com, b.example.com]}"), to: "two.yaml")
        try world.write(world.authConfig("young", "{hosts: [a.example.com]}"), to: "young.yaml")
        await world.controller.reconcile()
        #expect(world.holder("a.example.com") == "default/a!")
        #expect(world.holder("b.example.com") == "default/a!")
        let message = world.condition("Ready", of: "a")?["message"]?.stringValue ?? ""
        #expect(message.contains("one.yaml") && message.contains("two.yaml"))
        try FileManager.default.removeItem(atPath: world.folder.path("manifests/two.yaml"))
        await world.controller.reconcile()
        #expect(world.holder("a.example.com") == "default/a")
        #expect(world.holder("b.example.com") == "default/w")
    }

    @Test func dataThatObjectsReferToCounts() async throws {
        let world = try await ControllerWorld()
        let issuers = "issuers: [{name: a, issuer: 'https://id.example', audiences: [x], secretRef: {name: s, key: k}}]"
        try world.write(world.authConfig("a", "{hosts: [a.example.com], \(issuers)}"), to: "a.yaml")
        await world.controller.reconcile()
        #expect(world.holder("a.example.com") == "default/a!")
        #expect(world.shown("SecretsResolved", of: "a") == "False NotFound")
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: KEY}\n"
        for letter in ["a", "b"] {
            let before = world.generation
            try world.write(secret.replacing("KEY", with: String(repeating: letter, count: 40)), to: "s.yaml")
            await world.controller.reconcile()
            #expect(world.holder("a.example.com") == "default/a")
            #expect(world.generation == before + 1)
            #expect(
                world.snapshots.current()?.authConfigs.first?.realm.issuers.entries.first?.secret?.revealed.count == 40)
        }
        #expect(world.snapshots.resources(kind: nil, namespace: nil).items.map(\.kind) == ["AuthConfig"])
    }

    @Test func statusesAndGenerationsSurviveARestart() async throws {
        var world = try await ControllerWorld()
        try world.write(world.authConfig("a", "{hosts: [a.example.com]}"), to: "a.yaml")
        try world.write(world.serviceToken("ci", "{secretName: ci}"), to: "t.yaml")
        await world.controller.reconcile()
        try world.write(world.authConfig("a", "{hosts: [b.example.com]}"), to: "a.yaml")
        await world.controller.reconcile()
        let (kept, saves) = (world.keeper.kept, world.keeper.saves)
        let text = try String(contentsOfFile: world.folder.path("secrets/default/ci.yaml"), encoding: .utf8)
        world.clock.advance(seconds: 600)
        try await world.restart()
        await world.controller.reconcile()
        #expect(world.keeper.kept == kept)
        #expect(world.keeper.saves == saves, "nothing differs, nothing is written")
        #expect(world.condition("Ready", of: "a")?["lastTransitionTime"] == "2026-03-01T12:00:00Z")
        #expect(world.view("a")?["metadata"]?["generation"] == 2)
        #expect(try String(contentsOfFile: world.folder.path("secrets/default/ci.yaml"), encoding: .utf8) == text)
        #expect(world.registry.table.count == 1)
    }

    /// After a restart nobody knows what an unreadable file held: its tokens stay, its hosts are closed.
    @Test func aRestartWithAnUnreadableFileTakesNothingAway() async throws {
        var world = try await ControllerWorld()
        let good =
            world.authConfig("a", "{hosts: [a.example.com]}") + "---\n" + world.serviceToken("ci", "{secretName: ci}")
        try world.write(good, to: "a.yaml")
        try world.write(world.authConfig("w", "{hosts: ['*.example.com']}"), to: "w.yaml")
        await world.controller.reconcile()
        let token = try #require(world.registry.table.newestFirst.first?.record)
        try world.write(good + "---\nkind: [", to: "a.yaml")
        try await world.restart()
        for _ in 0..<2 {
            await world.controller.reconcile()
            #expect(world.holder("a.example.com") == "default/a!")
            #expect(world.holder("b.example.com") == "default/w")
            #expect(world.registry.table.entry(token.identifier)?.record.status(at: world.clock.now()) == .active)
        }
        try world.write(good, to: "a.yaml")
        await world.controller.reconcile()
        #expect(world.holder("a.example.com") == "default/a")
        #expect(world.status(of: "ci")?["identifier"] == .string(token.identifier))
        #expect(world.registry.table.count == 1)
        // A folder that is gone is no deletion either; an emptied one is.
        try FileManager.default.moveItem(atPath: world.folder.path("manifests"), toPath: world.folder.path("away"))
        await world.controller.reconcile()
        #expect(world.registry.table.entry(token.identifier)?.record.revokedAt == nil)
        #expect(world.holder("a.example.com") == "default/a!")
        try FileManager.default.createDirectory(
            atPath: world.folder.path("manifests"), withIntermediateDirectories: true)
        await world.controller.reconcile()
        #expect(world.registry.table.entry(token.identifier)?.record.revokedAt != nil)
        #expect(world.holder("a.example.com") == "-")
        #expect(world.keeper.kept.isEmpty)
    }

    @Test func anObjectThatIsDeletedBesideABrokenFileIsDeleted() async throws {
        let world = try await ControllerWorld()
        try world.write(world.serviceToken("ci", "{secretName: ci}"), to: "t.yaml")
        try world.write(world.authConfig("a", "{hosts: [a.example.com]}"), to: "a.yaml")
        await world.controller.reconcile()
        try world.write("kind: [", to: "a.yaml")
        try FileManager.default.removeItem(atPath: world.folder.path("manifests/t.yaml"))
        await world.controller.reconcile()
        #expect(world.registry.table.newestFirst.first?.record.revokedAt != nil)
        #expect(world.holder("a.example.com") == "default/a")
    }

    @Test func statusesThatCannotBeKeptAreKeptLater() async throws {
        let world = try await ControllerWorld()
        world.keeper.goAway(true)
        try world.write(world.authConfig("a", "{hosts: [a.example.com]}"), to: "a.yaml")
        await world.controller.reconcile()
        #expect(world.holder("a.example.com") == "default/a", "what is stored does not hold up what is served")
        #expect(world.keeper.kept.isEmpty)
        world.keeper.goAway(false)
        await world.controller.reconcile()
        #expect(world.keeper.kept.count == 1)
    }

    @Test func subscriptionsPutAccountsInForce() async throws {
        let world = try await ControllerWorld()
        try world.write(
            "apiVersion: tollgate.dev/v1alpha1\nkind: Subscription\nmetadata: {name: acme}\nspec: {tenant: acme, plan: pro}\n",
            to: "s.yaml")
        await world.controller.reconcile()
        #expect(world.shown("Ready", of: "acme") == "True InForce")
        #expect(world.snapshots.current()?.accounts.state(of: "acme").rate.minute == 120)
        #expect(world.snapshots.current()?.accounts.state(of: "other").isSubscribed == false)
        #expect(world.status(of: "acme")?["plan"]?.stringValue == "pro")
    }

    @Test func keySetsAreShownWithoutANewSnapshotForTheirAge() async throws {
        let key = TokenForge.curve("P-256")
        let document: JSONValue = ["keys": [try TokenForge.jwk(key, kid: "k1")]]
        let up = FakeNetwork(document: .success(FetchedDocument(body: document.encoded(), cacheControl: nil)))
        let world = try await ControllerWorld(network: up)
        let issuers =
            "issuers: [{name: a, issuer: 'https://id.example', audiences: [x], jwksURL: 'https://keys.example/a'}]"
        try world.write(world.authConfig("a", "{hosts: [a.example.com], \(issuers)}"), to: "a.yaml")
        await world.controller.reconcile()
        #expect(world.shown("KeysAvailable", of: "a") == "Unknown Fetching")
        #expect(world.shown("Ready", of: "a") == "False Fetching")
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await world.keySets.run() }
            await world.keySets.waitForFirstSets(atMost: .seconds(120))
            group.cancelAll()
        }
        await world.controller.reconcile()
        #expect(world.shown("KeysAvailable", of: "a") == "True Fetched")
        #expect(world.shown("Ready", of: "a") == "True InForce")
        let generation = world.generation
        world.clock.advance(seconds: 200)
        await world.controller.reconcile()
        #expect(world.generation == generation)
    }

    @Test func keySetsThatCannotBeFetchedAreShownWithTheReason() async throws {
        let world = try await ControllerWorld()
        let issuers =
            "issuers: [{name: a, issuer: 'https://id.example', audiences: [x], jwksURL: 'https://keys.example/a'}]"
        try world.write(world.authConfig("a", "{hosts: [a.example.com], \(issuers)}"), to: "a.yaml")
        await world.controller.reconcile()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await world.keySets.run() }
            try await Eventually.holds("the fetch has failed", within: .seconds(120)) {
                world.keySets.status().allSatisfy { $0.lastError != nil }
            }
            group.cancelAll()
        }
        await world.controller.reconcile()
        #expect(world.shown("KeysAvailable", of: "a") == "False FetchFailed")
        #expect(world.condition("Ready", of: "a")?["message"]?.stringValue?.contains("the network is down") == true)
        #expect(world.holder("a.example.com") == "default/a", "its other credentials still count")
    }

    /// The interval of these controllers is an hour: what happens here happens because something changed.
    @Test(arguments: [false, true]) func changesOfFilesAndKeySetsStartPasses(_ isThereBefore: Bool) async throws {
        let document: JSONValue = ["keys": [try TokenForge.jwk(TokenForge.curve("P-256"), kid: "k1")]]
        let up = FakeNetwork(document: .success(FetchedDocument(body: document.encoded(), cacheControl: nil)))
        let world = try await ControllerWorld(network: up)
        func write() throws {
            let issuers =
                "issuers: [{name: a, issuer: 'https://id.example', audiences: [x], jwksURL: 'https://keys.example/a'}]"
            try world.write(world.authConfig("a", "{hosts: [a.example.com], \(issuers)}"), to: "a.yaml")
        }
        if isThereBefore { try write() }
        await world.controller.reconcile()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await world.directory.run() }
            group.addTask { await world.keySets.run() }
            group.addTask { await world.controller.run() }
            if !isThereBefore { try write() }
            try await Eventually.holds("the key set is shown", within: .seconds(120)) {
                world.shown("KeysAvailable", of: "a") == "True Fetched"
            }
            #expect(world.holder("a.example.com") == "default/a")
            group.cancelAll()
        }
    }
}
