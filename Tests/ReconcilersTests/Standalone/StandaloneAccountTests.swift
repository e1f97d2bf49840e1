// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Foundation
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import TestSupport
internal import Testing

/// Subscriptions in a folder become accounts of the ledger.
@Suite struct StandaloneAccountTests {
    private static func manifest(_ spec: String) -> String {
        "apiVersion: tollgate.dev/v1alpha1\nkind: Subscription\nmetadata: {name: acme}\nspec: \(spec)\n"
    }

    /// Passes and the work that they name, as the queue of a server does it.
    private static func settle(_ world: ControllerWorld, _ accounts: AccountWorld) async {
        for _ in 0..<4 {
            await world.controller.reconcile()
            for key in Set(world.named.take()) { _ = await accounts.accounts.reconcile(key) }
        }
    }

    @Test func aManifestIsAnAccountAndItsStatusTheLedgers() async throws {
        let accounts = try AccountWorld()
        var world = try await ControllerWorld(accounts: accounts.accounts)
        try world.write(Self.manifest("{tenant: acme, plan: pro}"), to: "s.yaml")
        await world.controller.reconcile()
        #expect(world.status(of: "acme")?["conditions"] == nil, "nothing is said before the ledger was asked")
        #expect(world.snapshots.current()?.accounts.state(of: "acme").rate.minute == 120)
        await Self.settle(world, accounts)
        #expect(world.shown("Ready", of: "acme") == "True InForce")
        #expect(world.status(of: "acme")?["creditsRemaining"] == 1_000_000_000)
        #expect(world.keeper.kept[AccountWorld.key("acme")]?["creditsGranted"] == 1_000_000_000)
        let uid = try await accounts.service.view("acme").book.spec?.uid

        // After a restart it is the same object: nothing is granted again.
        try await world.restart()
        accounts.accounts.forget()
        await Self.settle(world, accounts)
        #expect(try await accounts.service.view("acme").book.spec?.uid == uid)
        #expect(try await accounts.available("acme") == 1_000_000_000)

        try world.write(Self.manifest("{tenant: acme, plan: pro, suspended: true}"), to: "s.yaml")
        await Self.settle(world, accounts)
        #expect(try await accounts.service.view("acme").standing.isSuspended)
        #expect(world.shown("Ready", of: "acme") == "False Suspended")
    }

    @Test func aManifestThatIsGoneReturnsTheAccountAlsoAfterARestart() async throws {
        let accounts = try AccountWorld()
        var world = try await ControllerWorld(accounts: accounts.accounts)
        try world.write(Self.manifest("{tenant: acme, plan: pro}"), to: "s.yaml")
        await Self.settle(world, accounts)
        #expect(try await accounts.service.view("acme").standing.plan.name == "pro")
        // A file that cannot be read takes nothing away.
        try world.write("spec: [", to: "s.yaml")
        try await world.restart()
        accounts.accounts.forget()
        await Self.settle(world, accounts)
        #expect(try await accounts.service.view("acme").standing.plan.name == "pro")
        try FileManager.default.removeItem(atPath: world.folder.path("manifests/s.yaml"))
        try await world.restart()
        accounts.accounts.forget()
        await Self.settle(world, accounts)
        #expect(try await accounts.service.view("acme").standing.plan.name == "free")
        #expect(accounts.flaky.withdrawn == 1)
        // There again, it is another object: its credits are granted anew.
        accounts.clock.advance(seconds: 1)
        try world.write(Self.manifest("{tenant: acme, plan: pro}"), to: "s.yaml")
        await Self.settle(world, accounts)
        #expect(try await accounts.service.view("acme").standing.plan.name == "pro")
        #expect(try await accounts.available("acme") == 1_000_000_000)
    }

    /// An object's tenant cannot be changed; another object may speak for another account.
    @Test func aManifestKeepsItsAccount() async throws {
        let accounts = try AccountWorld()
        let world = try await ControllerWorld(accounts: accounts.accounts)
        try world.write(Self.manifest("{tenant: acme, plan: pro}"), to: "s.yaml")
        await Self.settle(world, accounts)
        try world.write(Self.manifest("{tenant: other, plan: pro}"), to: "s.yaml")
        await Self.settle(world, accounts)
        #expect(world.shown("Invalid", of: "acme") == "True InvalidSpec")
        #expect(try await accounts.service.view("acme").standing.plan.name == "pro")
        #expect(try await accounts.service.view("other").standing.plan.name == "free")
    }

    @Test func aLedgerThatIsAwayHoldsUpNoPass() async throws {
        let accounts = try AccountWorld()
        let world = try await ControllerWorld(accounts: accounts.accounts)
        accounts.flaky.goAway(true)
        try world.write(Self.manifest("{tenant: acme, plan: pro}"), to: "s.yaml")
        try world.write(world.authConfig("a", "{hosts: [a.example.com]}"), to: "a.yaml")
        await Self.settle(world, accounts)
        #expect(world.holder("a.example.com") == "default/a")
        #expect(world.shown("Ready", of: "acme") == "False LedgerUnavailable")
        accounts.flaky.goAway(false)
        await Self.settle(world, accounts)
        #expect(world.shown("Ready", of: "acme") == "True InForce")
    }

    @Test func aPlanThatNobodyKnowsIsSaidOnWhatRequiresIt() async throws {
        let accounts = try AccountWorld()
        let world = try await ControllerWorld(accounts: accounts.accounts)
        let metering = "metering: {action: task, requires: {plan: gold}}"
        try world.write(world.authConfig("a", "{hosts: [a.example.com], \(metering)}"), to: "a.yaml")
        try world.write(
            world.authConfig("b", "{hosts: [b.example.com], metering: {action: task, requires: {plan: pro}}}"),
            to: "b.yaml")
        await world.controller.reconcile()
        #expect(world.shown("PlanKnown", of: "a") == "False UnknownPlan")
        #expect(world.shown("Ready", of: "a") == "False UnknownPlan")
        #expect(world.shown("PlanKnown", of: "b") == "True Known")
        #expect(world.shown("Ready", of: "b") == "True InForce")
    }
}
