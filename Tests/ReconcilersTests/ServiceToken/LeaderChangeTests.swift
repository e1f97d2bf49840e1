// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Reconcilers
internal import TestSupport
internal import Testing

/// A replica begins to lead that has not heard of what the one before it wrote to their store.
@Suite struct LeaderChangeTests {
    private static let rotating = "{secretName: ci-token, rotation: {every: 1h, overlap: 5m}, expiresIn: 2h}"

    @Test func theNextLeaderMakesNothingThatIsThere() async throws {
        var pass = try TokenPass()
        pass.changeLeader()
        let object = try Manifests.serviceToken("{secretName: ci-token}")
        await pass.run([object])
        let (text, writes) = (try pass.text(), pass.store.writes)
        pass.changeLeader()
        let status = await pass.run([object])
        #expect(status?.shown("Ready") == "True InForce")
        #expect(try pass.text() == text)
        #expect(pass.store.writes == writes)
        #expect(pass.presenting(text) == "active")
    }

    /// The status was written before the old leader rotated once more.
    @Test func theNextLeaderSeesARotationThatNoStatusTells() async throws {
        var pass = try TokenPass()
        pass.changeLeader()
        let object = try Manifests.serviceToken(Self.rotating)
        await pass.run([object])
        let (book, first) = (pass.book, try pass.text())
        pass.clock.advance(seconds: 3600)
        await pass.run([object])
        let second = try pass.text()
        #expect(second != first)
        pass.changeLeader()
        pass.book = book
        let status = await pass.run([object])
        #expect(status?.shown("Ready") == "True InForce")
        // What a status does not know is revoked, and a text that it knows made in its place.
        let third = try pass.text()
        #expect(third != second)
        #expect(pass.presenting(second) == "revoked")
        #expect(pass.presenting(third) == "active")
    }

    @Test func theNextLeaderRevokesTheWholeFamily() async throws {
        var pass = try TokenPass()
        pass.changeLeader()
        await pass.run([try Manifests.serviceToken(Self.rotating)])
        let first = try pass.text()
        pass.clock.advance(seconds: 3600)
        await pass.run([try Manifests.serviceToken(Self.rotating)])
        let second = try pass.text()
        pass.changeLeader()
        try await pass.revokeAtOnce()
        #expect(pass.presenting(first) == "revoked" && pass.presenting(second) == "revoked")
        #expect(pass.actions.last == "service_token.revoke")
        let count = pass.actions.count
        // Another replica that does the same finds it done, and records nothing.
        pass.changeLeader()
        try await pass.revokeAtOnce()
        #expect(pass.actions.count == count)
    }

    @Test func aStoreThatIsAwayChangesNothing() async throws {
        var pass = try TokenPass()
        pass.changeLeader()
        let object = try Manifests.serviceToken("{secretName: ci-token}")
        await pass.run([object])
        let text = try pass.text()
        pass.changeLeader()
        pass.store.goAway(true)
        let status = await pass.run([object])
        #expect(status?.shown("Ready") == "False StoreUnavailable")
        #expect(try pass.text() == text)
    }
}
