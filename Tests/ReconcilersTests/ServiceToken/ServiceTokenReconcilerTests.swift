// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Foundation
internal import Reconcilers
internal import ResourceModel
internal import TestSupport
internal import Testing

@Suite struct ServiceTokenReconcilerTests {
    private static let plain =
        "{secretName: ci-token, scopes: ['tasks:read', 'agent:read'], roles: [viewer, editor], workspaceIds: [' WS-A ']}"

    @Test func aTokenIsMintedOnceAndWrittenOnlyToItsSecret() async throws {
        var pass = try TokenPass()
        let object = try Manifests.serviceToken(Self.plain)
        let status = try #require(await pass.run([object]))
        #expect(status.shown("Ready") == "True InForce")
        #expect(status.shown("SecretWritten") == "True Written")
        let text = try #require(try pass.text())
        #expect(pass.presenting(text) == "active")
        let identifier = try #require(status.members["identifier"]?.stringValue)
        let record = try #require(pass.registry.table.entry(identifier)?.record)
        #expect(record.scopes == ["agent:read", "tasks:read"])
        #expect(record.roles == ["editor", "viewer"])
        #expect(record.workspaceIDs == ["ws-a"])
        #expect(record.createdBy == "system")
        #expect(status.members["family"] == .string(identifier))
        let file = pass.folder.path("secrets/default/ci-token.yaml")
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let secret = try YAMLText.json(String(contentsOfFile: file, encoding: .utf8))
        #expect(secret["kind"] == "Secret")
        #expect(secret["type"] == "tollgate.dev/service-token")
        #expect(secret["stringData"]?["identifier"] == .string(identifier))
        let entry = try #require(pass.audit.entries.durable.first)
        #expect(entry.action == "service_token.create")
        #expect(entry.actor == "system")
        #expect(entry.ip == nil)
        #expect(!JSONValue.object(entry.metadata).jsonText.contains(text.suffix(20)))
        #expect(!pass.book.values.contains { $0.jsonText.contains(text.suffix(20)) })

        // The same again, later, writes nothing.
        let before = pass.book
        pass.clock.advance(seconds: 3600)
        await pass.run([object])
        #expect(pass.store.writes == 1)
        #expect(try pass.text() == text)
        #expect(pass.book == before)
        #expect(pass.actions == ["service_token.create"])
    }

    @Test func changesOfTheGrantKeepTheText() async throws {
        var pass = try TokenPass()
        await pass.run([try Manifests.serviceToken(Self.plain)])
        let text = try pass.text()
        let status = await pass.run([
            try Manifests.serviceToken("{secretName: ci-token, scopes: ['tasks:write'], expiresIn: 1h}")
        ])
        #expect(try pass.text() == text)
        let record = try #require(
            status?.members["identifier"]?.stringValue.flatMap { pass.registry.table.entry($0)?.record })
        #expect(record.scopes == ["tasks:write"])
        #expect(status?.members["expiresAt"] == "2026-03-01T13:00:00Z")
        #expect(pass.actions == ["service_token.create", "service_token.update"])
        let update = try #require(pass.audit.entries.durable.last)
        #expect(update.metadata["before"]?["scopes"] == ["agent:read", "tasks:read"])
        #expect(update.metadata["after"]?["scopes"] == ["tasks:write"])
        // The clock of the store is not that of the pass: that alone is no change.
        await pass.run([try Manifests.serviceToken("{secretName: ci-token, scopes: ['tasks:write'], expiresIn: 1h}")])
        #expect(pass.store.writes == 2)
    }

    @Test(arguments: ["", "apiVersion: v1\nstringData:\n  \"token\": tgs_something-else\n"])
    func aLostOrForeignTextIsReplacedWithAnOverlap(_ content: String) async throws {
        var pass = try TokenPass()
        let object = try Manifests.serviceToken(Self.plain)
        let first = await pass.run([object])
        let old = try pass.text()
        if content.isEmpty {
            try FileManager.default.removeItem(atPath: pass.folder.path("secrets/default/ci-token.yaml"))
        } else {
            try pass.folder.write(content, to: "secrets/default/ci-token.yaml")
        }
        let status = await pass.run([object])
        let new = try pass.text()
        #expect(new != old)
        #expect(pass.presenting(new) == "active")
        #expect(pass.presenting(old) == "rotated")
        #expect(status?.members["previousIdentifier"] == first?.members["identifier"])
        #expect(status?.members["previousValidUntil"] == "2026-03-01T12:05:00Z")
        #expect(status?.members["family"] == first?.members["family"])
        #expect(pass.actions == ["service_token.create", "service_token.rotate"])
        pass.clock.advance(seconds: 300)
        #expect(pass.presenting(old) == "expired")
        let before = pass.book
        await pass.run([object])
        #expect(pass.book == before, "nothing flaps")
    }

    @Test func rotationComesInTimeAndWhenAsked() async throws {
        var pass = try TokenPass()
        let spec = "{secretName: ci-token, expiresIn: 48h, rotation: {every: 24h, overlap: 1h}}"
        let first = await pass.run([try Manifests.serviceToken(spec)])
        #expect(first?.members["nextRotationAt"] == "2026-03-02T12:00:00Z")
        let old = try pass.text()
        pass.clock.advance(seconds: 86_399)
        await pass.run([try Manifests.serviceToken(spec)])
        #expect(try pass.text() == old)
        pass.clock.advance(seconds: 1)
        let second = await pass.run([try Manifests.serviceToken(spec)])
        #expect(pass.presenting(old) == "rotated")
        #expect(second?.members["expiresAt"] == "2026-03-04T12:00:00Z")
        #expect(second?.members["previousValidUntil"] == "2026-03-02T13:00:00Z")
        let third = await pass.run([try Manifests.serviceToken(spec, rotate: "now")])
        #expect(third?.members["previousIdentifier"] == second?.members["identifier"])
        let writes = pass.store.writes
        await pass.run([try Manifests.serviceToken(spec, rotate: "now")])
        #expect(pass.store.writes == writes)
        await pass.run([try Manifests.serviceToken(spec, rotate: "again")])
        #expect(pass.store.writes == writes + 1)
    }

    @Test func aTokenWhoseSecretIsAnothersIsRevokedAllTheSame() async throws {
        var pass = try TokenPass()
        await pass.run([try Manifests.serviceToken(Self.plain, created: 5)])
        let text = try pass.text()
        let status = await pass.run([
            try Manifests.serviceToken(Self.plain, name: "older", created: 0),
            try Manifests.serviceToken("{secretName: ci-token, revoked: true}", created: 5),
        ])
        #expect(status?.shown("Ready") == "False Revoked")
        #expect(pass.presenting(text) == "revoked")
    }

    @Test func aTokenThatItsNamespaceMayNotHaveDoesNotComeBackWithALostStore() async throws {
        var pass = try TokenPass()
        let allowed = try Manifests.serviceToken("{secretName: ci-token}", namespace: "acme")
        await pass.run([allowed], namespace: "acme")
        let text = try #require(try pass.text(namespace: "acme"))
        let status = await pass.run(
            [try Manifests.serviceToken("{secretName: ci-token, roles: [admin]}", namespace: "acme")], namespace: "acme"
        )
        #expect(status?.shown("Ready") == "False NotAllowedInNamespace")
        #expect(pass.presenting(text) == "revoked")
        #expect(try pass.text(namespace: "acme") == nil)
        pass.loseStore()
        await pass.run([allowed], namespace: "acme")
        #expect(pass.presenting(text) == "unknown")
        #expect(try pass.text(namespace: "acme") != text)
    }

    @Test func aRevocationIsInForceBeforeTheRestOfItIsDone() async throws {
        var pass = try TokenPass()
        await pass.run([try Manifests.serviceToken(Self.plain)])
        let text = try pass.text()
        try await pass.revokeAtOnce()
        #expect(pass.presenting(text) == "revoked")
        #expect(try pass.text() == text)
        // The rest follows, and says nothing twice.
        await pass.run([try Manifests.serviceToken("{secretName: ci-token, revoked: true}")])
        #expect(try pass.text() == nil)
        #expect(pass.actions == ["service_token.create", "service_token.revoke"])
    }

    @Test func revocationIsForGood() async throws {
        var pass = try TokenPass()
        await pass.run([try Manifests.serviceToken(Self.plain)])
        let text = try pass.text()
        let revoked = try Manifests.serviceToken("{secretName: ci-token, revoked: true, revocationReason: leaked}")
        let status = await pass.run([revoked])
        #expect(status?.shown("Ready") == "False Revoked")
        #expect(status?.shown("Revoked") == "True Revoked")
        #expect(status?.members["revokedAt"] == "2026-03-01T12:00:00Z")
        #expect(pass.presenting(text) == "revoked")
        #expect(try pass.text() == nil)
        let record = pass.registry.table.newestFirst.first?.record
        #expect(record?.revocationReason == "leaked")
        #expect(record?.revokedBy == "system")
        let before = (pass.book, pass.store.writes)
        pass.clock.advance(seconds: 60)
        await pass.run([revoked])
        await pass.run([try Manifests.serviceToken(Self.plain)])
        #expect(pass.book.values.first?["revokedAt"] == "2026-03-01T12:00:00Z")
        #expect(pass.store.writes == before.1)
        #expect(try pass.text() == nil, "there is no way back")
        #expect(pass.actions == ["service_token.create", "service_token.revoke"])
    }

    @Test func aDeletedObjectTakesItsWholeFamilyAlong() async throws {
        var pass = try TokenPass()
        await pass.run([try Manifests.serviceToken(Self.plain)])
        let first = try pass.text()
        await pass.run([try Manifests.serviceToken(Self.plain, rotate: "now")])
        let second = try pass.text()
        await pass.run([])
        #expect(pass.presenting(first) == "revoked")
        #expect(pass.presenting(second) == "revoked")
        #expect(try pass.text() == nil)
        #expect(pass.book.isEmpty)
    }

    @Test func whatIsOnlyOutOfSightStays() async throws {
        var pass = try TokenPass()
        await pass.run([try Manifests.serviceToken(Self.plain)])
        let before = pass.book
        await pass.run([], missing: Set(before.keys))
        #expect(pass.presenting(try pass.text()) == "active")
        #expect(pass.book == before)
    }

    @Test func aStoreThatIsAwayIsSaidAndRepairedByTheNextPass() async throws {
        var pass = try TokenPass()
        let object = try Manifests.serviceToken(Self.plain)
        pass.store.goAway(true)
        #expect(await pass.run([object])?.shown("Ready") == "False StoreUnavailable")
        #expect(try pass.text() == nil)
        pass.store.goAway(false)
        #expect(await pass.run([object])?.shown("Ready") == "True InForce")
        let text = try pass.text()
        // A deletion too: the object stays in the book until its token is revoked.
        pass.store.goAway(true)
        await pass.run([])
        #expect(pass.book.count == 1)
        #expect(pass.presenting(text) == "active")
        pass.store.goAway(false)
        await pass.run([])
        #expect(pass.book.isEmpty)
        #expect(pass.presenting(text) == "revoked")
    }

    @Test func aTrailThatIsAwayStopsEveryChange() async throws {
        var pass = try TokenPass()
        let object = try Manifests.serviceToken(Self.plain)
        pass.audit.become(.away)
        #expect(await pass.run([object])?.shown("Ready") == "False AuditUnavailable")
        #expect(pass.store.writes == 0)
        pass.audit.become(.sound)
        await pass.run([object])
        pass.audit.become(.away)
        await pass.run([])
        #expect(pass.presenting(try pass.text()) == "active")
        #expect(pass.book.count == 1)
    }

    @Test func aSecretThatCannotBeReachedMintsNothing() async throws {
        var pass = try TokenPass()
        try pass.folder.write("no folder", to: "secrets")
        let object = try Manifests.serviceToken(Self.plain)
        for _ in 0..<3 { #expect(await pass.run([object])?.shown("Ready") == "False SecretUnreadable") }
        #expect(pass.store.writes == 0)
        try FileManager.default.removeItem(atPath: pass.folder.path("secrets"))
        #expect(await pass.run([object])?.shown("Ready") == "True InForce")
    }

    @Test func endsAreKeptAndNothingIsMintedForThePast() async throws {
        var pass = try TokenPass()
        let hour = try Manifests.serviceToken("{secretName: ci-token, expiresIn: 1h}")
        await pass.run([hour])
        pass.clock.advance(seconds: 3600)
        let over = await pass.run([hour])
        #expect(over?.shown("Ready") == "False Expired")
        #expect(over?.shown("Expired") == "True Expired")
        #expect(over?.members["identifier"] != nil)
        let longer = try #require(await pass.run([try Manifests.serviceToken("{secretName: ci-token, expiresIn: 3h}")]))
        #expect(longer.shown("Ready") == "True InForce")
        #expect(pass.presenting(try pass.text()) == "active")
        let writes = pass.store.writes
        let past = try Manifests.serviceToken(
            "{secretName: ci-token, expiresAt: '2026-03-01T12:30:00Z', rotation: {every: 1h}}")
        for _ in 0..<4 { #expect(await pass.run([past])?.shown("Ready") == "False Expired") }
        #expect(pass.store.writes == writes + 1)
        #expect(pass.presenting(try pass.text()) == "expired")
    }

    @Test func namespacesThatMayNotHaveATokenLoseIt() async throws {
        var pass = try TokenPass()
        let fine = "{secretName: ci-token, scopes: ['tasks:read']}"
        let minted = await pass.run([try Manifests.serviceToken(fine, namespace: "acme")], namespace: "acme")
        #expect(minted?.shown("Ready") == "True InForce")
        #expect(pass.registry.table.newestFirst.first?.record.tenantID == "acme-corp")
        let text = try pass.text(namespace: "acme")
        for spec in [
            "{secretName: ci-token, platform: true}", "{secretName: ci-token, roles: [admin]}",
            "{secretName: ci-token, scopes: ['admin:access']}", "{secretName: ci-token, tenant: other}",
        ] {
            let status = await pass.run([try Manifests.serviceToken(spec, namespace: "acme")], namespace: "acme")
            #expect(status?.shown("Ready") == "False NotAllowedInNamespace")
        }
        #expect(pass.presenting(text) == "revoked")
        let nowhere = await pass.run([try Manifests.serviceToken(fine, namespace: "nowhere")], namespace: "nowhere")
        #expect(nowhere?.shown("Ready") == "False NotAllowedInNamespace")
        #expect(pass.store.writes == 2)
    }

    @Test func oneSecretBelongsToOneObject() async throws {
        var pass = try TokenPass()
        let objects = [
            try Manifests.serviceToken("{secretName: ci-token}", name: "younger", created: 2),
            try Manifests.serviceToken("{secretName: ci-token}", name: "older", created: 1),
        ]
        for _ in 0..<3 {
            #expect(await pass.run(objects, name: "younger")?.shown("Ready") == "False SecretConflict")
        }
        #expect(pass.store.writes == 1)
        #expect(await pass.run(Array(objects.prefix(1)), name: "younger")?.shown("Ready") == "True InForce")
    }

    @Test func aSecretOfAnotherNameReplacesTheFormerOne() async throws {
        var pass = try TokenPass()
        await pass.run([try Manifests.serviceToken("{secretName: ci-token}")])
        await pass.run([try Manifests.serviceToken("{secretName: other, secretKey: key.txt}")])
        #expect(try pass.text() == nil)
        #expect(pass.presenting(try pass.text("other", key: "key.txt")) == "active")
    }

    @Test func aLostRecordIsMadeAgainFromItsSecret() async throws {
        var pass = try TokenPass()
        let object = try Manifests.serviceToken(Self.plain)
        await pass.run([object])
        let (text, book) = (try pass.text(), pass.book)
        pass.loseStore()
        #expect(pass.presenting(text) == "unknown")
        let status = await pass.run([object])
        #expect(status?.shown("Ready") == "True InForce")
        #expect(try pass.text() == text)
        #expect(pass.presenting(text) == "active")
        #expect(pass.book == book)
        // Not from a text of another identifier, and not what was revoked.
        try pass.folder.write("stringData:\n  \"token\": tgs_other_x\n", to: "secrets/default/ci-token.yaml")
        pass.loseStore()
        await pass.run([object])
        #expect(try pass.text() != text)
        await pass.run([try Manifests.serviceToken("{secretName: ci-token, revoked: true}")])
        pass.loseStore()
        await pass.run([object])
        #expect(pass.registry.table.count == 0)
    }

    /// The process ended after the Secret was written and before the status was: what is left is revoked and minted again.
    @Test func aTextThatNoStatusKnowsIsRevokedAndMintedAgain() async throws {
        var pass = try TokenPass()
        let object = try Manifests.serviceToken(Self.plain)
        await pass.run([object])
        let text = try pass.text()
        pass.book = [:]
        await pass.run([object])
        #expect(pass.presenting(text) == "revoked")
        #expect(pass.presenting(try pass.text()) == "active")
    }
}
