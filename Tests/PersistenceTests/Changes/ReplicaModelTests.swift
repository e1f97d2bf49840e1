// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

/// Several replicas over one database in memory, with random changes, lost notices, faults and restarts: every one of them ends in the
/// database's state, and on the way none goes back.
@Suite struct ReplicaModelTests {
    @Test(arguments: 1...60) func everyReplicaEndsInTheStoresState(_ seed: UInt64) async throws {
        let model = ReplicaModel(seed: seed)
        for step in 0..<250 { await model.step("seed \(seed), step \(step)") }
        await model.settle()
        try await model.compare("seed \(seed)")
    }

    /// The reader asks at the moment between the number of a transaction and its commit, and again after a later one was committed.
    @Test func aTransactionUnderWayIsNotLost() async throws {
        let model = ReplicaModel(seed: 1)
        let (writer, other, reader) = (model.replicas[0], model.replicas[1], model.replicas[2])
        await model.settle()
        model.shared.interrupt {
            _ = try? await other.tokens.create(CreateServiceToken(identifier: "later"), caller: ReplicaModel.root)
            reader.follower.heard(.notice, from: "test")
            while await reader.follower.turn() == nil {}
        }
        _ = try await writer.tokens.create(CreateServiceToken(identifier: "earlier"), caller: ReplicaModel.root)
        #expect(reader.tokens.table.entry("later") != nil && reader.tokens.table.entry("earlier") == nil)
        reader.follower.heard(.notice, from: "test")
        while await reader.follower.turn() == nil {}
        #expect(reader.tokens.table.entry("earlier") != nil)
    }

    /// A change that was computed before another replica revoked the token is computed anew.
    @Test func aRevocationElsewhereIsNotUndone() async throws {
        let model = ReplicaModel(seed: 2)
        let (one, two) = (model.replicas[0], model.replicas[1])
        await model.settle()
        _ = try await one.tokens.create(CreateServiceToken(identifier: "a"), caller: ReplicaModel.root)
        await model.settle()
        // Two has read the chain and does not know yet.
        model.shared.interrupt {
            _ = try? await one.tokens.revoke("a", RevokeServiceToken(reason: "stolen"), caller: ReplicaModel.root)
        }
        let refusal = await #expect(throws: Refusal.self) {
            _ = try await two.tokens.rotate("a", RotateServiceToken(), caller: ReplicaModel.root)
        }
        #expect(refusal?.code == .tokenNotActive)
        let stored = try await model.shared.tokens.loadServiceTokens()
        #expect(stored.map(\.identifier) == ["a"] && stored.first?.revocationReason == "stolen")
    }

    /// What was made elsewhere a moment ago can be changed here, before anybody told of it.
    @Test func changesWhatIsNotKnownYet() async throws {
        let model = ReplicaModel(seed: 3)
        let (one, two) = (model.replicas[0], model.replicas[1])
        await model.settle()
        _ = try await one.tokens.create(CreateServiceToken(identifier: "a"), caller: ReplicaModel.root)
        let successor = try await one.tokens.rotate("a", RotateServiceToken(), caller: ReplicaModel.root).record
        // The whole chain, also the successor of which this replica never heard.
        try await two.tokens.revoke("a", RevokeServiceToken(reason: "r", family: true), caller: ReplicaModel.root)
        let stored = try await model.shared.tokens.loadServiceTokens()
        #expect(stored.count == 2 && stored.allSatisfy { $0.revokedAt != nil })
        #expect(two.tokens.table.entry(successor.identifier)?.record.revokedAt != nil)
        let key = try await one.keys.create(CreateAPIKey(name: "n", accountID: "acme"), caller: ReplicaModel.root)
        try await two.keys.revoke(key.record.id, RevokeAPIKey(reason: nil), caller: ReplicaModel.root)
        #expect(try await model.shared.keys.load().records.first?.revokedAt != nil)
    }
}
