// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import ControllerRuntime
internal import Essentials
internal import ResourceModel
internal import RuntimeState
internal import TestSupport
internal import Testing

@testable internal import Reconcilers

/// Subscriptions of a cluster and the ledger, as the passes of a compiler see them.
@Suite struct ClusterAccountTests {
    private static let finalizers = ["tollgate.dev/cleanup"]

    @Test func aSubscriptionIsNamedUntilItsStatusSaysWhatTheLedgerDoes() async throws {
        let accounts = try AccountWorld()
        let world = try ClusterWorld(accounts: accounts.accounts)
        world.fill()
        let key = AccountWorld.key("s")
        world.put(key, content: ["spec": ["tenant": "acme", "plan": "pro"]], finalizers: Self.finalizers)
        await world.compiler.pass()
        #expect(world.said.take() == [key])
        #expect(world.compiler.wanted[key] == nil, "nothing is said before the ledger was asked")
        #expect(world.snapshots.current()?.accounts.state(of: "acme").plan == "pro")
        _ = await accounts.accounts.reconcile(key)
        await world.compiler.pass()
        #expect(world.said.take() == [key])
        let wanted = try #require(world.compiler.wanted[key])
        #expect(wanted.status.members["creditsRemaining"] == 1_000_000_000)
        world.put(status: wanted.document(previous: nil, now: world.clock.now()), of: key)
        await world.compiler.pass()
        _ = world.said.take()
        world.compiler.lookAgain()
        await world.compiler.pass()
        #expect(world.said.take().isEmpty)
        // The object's own uid is the origin of its credits.
        let uid = try #require(world.caches.get(key)?.uid)
        #expect(try await accounts.service.view("acme").book.spec?.uid == uid)
    }

    @Test func whatTheProviderSaysIsInTheSnapshotOfEveryReplica() async throws {
        let accounts = try AccountWorld()
        let world = try ClusterWorld(accounts: SubscriptionAccounts(ledger: accounts.service, clock: accounts.clock))
        world.fill()
        await world.compiler.pass()
        #expect(world.snapshots.current()?.accounts.isEmpty == true)
        let before = world.snapshots.current()?.generation
        try await accounts.provider("shop")
        await world.compiler.pass()
        #expect(world.snapshots.current()?.accounts.state(of: "shop").plan == "pro")
        #expect(world.snapshots.current()?.generation != before)
        // Numbers alone are no reason for another snapshot.
        let generation = world.snapshots.current()?.generation
        _ = try await accounts.service.grant(
            GrantOrder(key: "k", microCredits: 1, source: .admin, reason: "r"), account: "shop", actor: "test")
        await world.compiler.pass()
        #expect(world.snapshots.current()?.generation == generation)
    }

    @Test func timeIsWaitedForByTheWorkOnAnObject() async throws {
        let accounts = try AccountWorld()
        let world = try ClusterWorld(accounts: accounts.accounts)
        world.fill()
        let key = AccountWorld.key("s")
        let end = accounts.clock.now().adding(seconds: 45)
        world.put(
            key, content: ["spec": ["tenant": "acme", "plan": "pro", "validUntil": .string(end.rfc3339)]],
            finalizers: Self.finalizers)
        await world.compiler.pass()
        #expect(await accounts.accounts.reconcile(key) == .requeue(after: .seconds(45)))
        accounts.clock.set(end)
        world.clock.set(end)
        _ = await accounts.accounts.reconcile(key)
        await world.compiler.pass()
        #expect(world.compiler.wanted[key]?.status.shown("Entitled") == "False Ended")
        #expect(world.compiler.wanted[key]?.status.members["state"] == "canceled")
    }

    @Test func anotherCatalogueIsSaidOnWhatRequiresAPlan() async throws {
        let accounts = try AccountWorld()
        let world = try ClusterWorld(accounts: accounts.accounts)
        world.fill()
        let key = ObjectKey(kind: .authConfig, namespace: "default", name: "a")
        world.put(
            key,
            content: ["spec": ["hosts": ["a.example"], "metering": ["action": "task", "requires": ["plan": "gold"]]]])
        await world.compiler.pass()
        #expect(world.compiler.wanted[key]?.status.shown("PlanKnown") == "False UnknownPlan")
        let text = BuiltInPlans.plansYAML.replacing("name: pro\n", with: "name: gold\n")
        world.compiler.parts.plans.replace(try PlanCatalogue.read(YAMLText.json(text)))
        world.compiler.lookAgain()
        await world.compiler.pass()
        #expect(world.compiler.wanted[key]?.status.shown("PlanKnown") == "True Known")
    }
}
