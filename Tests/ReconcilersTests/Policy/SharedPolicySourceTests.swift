// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Reconcilers
internal import RuntimeState
internal import Synchronization
internal import TestSupport
internal import Testing

/// Roles that several replicas share in a store.
@Suite struct SharedPolicySourceTests {
    /// One replica: a keeper over the shared roles.
    private struct Replica {
        let source: SharedPolicySource
        let world: PolicyWorld

        init(_ store: any PolicyDocumentStore, over base: any PolicySource = BuiltInPolicySource()) throws {
            source = SharedPolicySource(over: base, store: store)
            world = try PolicyWorld([source])
            source.observe { [keeper = world.keeper] in await keeper.refresh() }
        }

        func isKnown(_ role: String) -> Bool { world.keeper.state.policy.roles.isKnown(role) }
    }

    @Test func untilARoleIsChangedItIsTheSourceBelow() async throws {
        let replica = try Replica(InMemoryPolicyDocumentStore())
        try await replica.source.reload()
        #expect(replica.source.read()?.content == .texts(.builtIn))
        #expect(replica.world.keeper.state.origin.kind == .builtIn)
        #expect(replica.source.read()?.origin.isWritable == true)
    }

    @Test func aChangeOfOneIsInForceOnTheOther() async throws {
        let store = InMemoryPolicyDocumentStore()
        let (one, two) = (try Replica(store), try Replica(store))
        #expect(await one.world.refusal(PolicyWorld.night()) == nil)
        #expect(one.isKnown("night") && !two.isKnown("night"))
        #expect(one.world.keeper.state.origin.kind == .database)
        try await two.source.refresh(.policy, ["roles"])
        #expect(two.isKnown("night"))
        #expect(two.world.revision == one.world.revision)
        // Taking it up once more on the first changes nothing.
        let loadedAt = one.world.keeper.state.loadedAt
        one.world.clock.advance(seconds: 5)
        try await one.source.reload()
        #expect(one.world.keeper.state.loadedAt == loadedAt)
    }

    @Test func aChangeThatDoesNotKnowTheNewestBeginsAgain() async throws {
        let store = InMemoryPolicyDocumentStore()
        let (one, two) = (try Replica(store), try Replica(store))
        #expect(await one.world.refusal(PolicyWorld.night("night")) == nil)
        // Two has not heard of it.
        #expect(await two.world.refusal(PolicyWorld.night("day")) == nil)
        #expect(two.isKnown("night") && two.isKnown("day"))
        try await one.source.reload()
        #expect(one.isKnown("day") && one.world.revision == two.world.revision)
        let stale = await one.world.refusal(PolicyWorld.night("dusk"), onRevision: ["0000"])
        #expect(stale?.code == .policyStaleRevision)
    }

    @Test func whatIsNotThisProcesssToChangeCountsAlone() async throws {
        let store = InMemoryPolicyDocumentStore()
        let other = try Replica(store)
        #expect(await other.world.refusal(PolicyWorld.night()) == nil)
        let mounted = FakePolicySource()
        mounted.say(
            .builtIn, origin: PolicyOrigin(kind: .files, location: "/mounted", readOnlyReason: "it is mounted"))
        let replica = try Replica(store, over: mounted)
        try await replica.source.reload()
        #expect(!replica.isKnown("night") && replica.world.keeper.state.origin.kind == .files)
        #expect(await replica.world.refusal(PolicyWorld.night())?.code == .policyReadOnly)
    }

    @Test func routesStayThoseOfTheDirectory() async throws {
        let store = InMemoryPolicyDocumentStore()
        let folder = FakePolicySource()
        let replica = try Replica(store, over: folder)
        #expect(await replica.world.refusal(PolicyWorld.night()) == nil)
        #expect(folder.writes == 0)
        #expect(replica.world.keeper.state.origin.location == "over /policy")
        folder.say(roles: BuiltInPolicy.rolesJSON, routes: "version: 1\nrules: []\n")
        await replica.world.keeper.refresh()
        #expect(replica.isKnown("night"))
        #expect(replica.world.keeper.state.policy.routes.rules.isEmpty)
    }

    @Test func badOrAbsentAnswersLeaveTheLastGoodInForce() async throws {
        let store = FlakyDocuments()
        let replica = try Replica(store)
        #expect(await replica.world.refusal(PolicyWorld.night()) == nil)
        let good = replica.world.revision
        store.goAway(true)
        await #expect(throws: FollowError.self) { try await replica.source.reload() }
        let refusal = await replica.world.refusal(PolicyWorld.night("day"))
        #expect(refusal?.code == .policyUnavailable)
        #expect(replica.world.revision == good && !replica.isKnown("day"))
        store.goAway(false)
        _ = try await store.replaceRoleDocument(Array("{".utf8), over: 1)
        try await replica.source.reload()
        #expect(replica.world.revision == good)
        #expect(replica.world.keeper.state.lastError?.origin.kind == .database)
    }
}

/// Documents in memory that can be taken away.
private final class FlakyDocuments: PolicyDocumentStore {
    private let inner = InMemoryPolicyDocumentStore()
    private let isAway = Mutex(false)

    func goAway(_ away: Bool) { isAway.withLock { $0 = away } }

    private func check() throws(PolicyDocumentStoreError) {
        if isAway.withLock(\.self) { throw PolicyDocumentStoreError(.unavailable, "away") }
    }

    func roleDocument() async throws(PolicyDocumentStoreError) -> StoredRoleDocument? {
        try check()
        return try await inner.roleDocument()
    }

    func replaceRoleDocument(
        _ text: [UInt8], over revision: Int64
    ) async throws(PolicyDocumentStoreError) -> StoredRoleDocument {
        try check()
        return try await inner.replaceRoleDocument(text, over: revision)
    }
}
