// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import MetricsTestKit
internal import TestSupport
internal import Testing

@Suite struct APIKeyAuthenticationTests {
    @Test func acceptsAKeyInEitherHeader() async throws {
        let world = try KeyWorld()
        let made = try await world.registry.create(
            CreateAPIKey(name: "a", workspaceIDs: ["w1"], projectID: "p1"),
            caller: KeyWorld.person(workspaces: ["w1"], project: "p1"))
        let text = try #require(made.key?.revealed)
        for inHeader in [false, true] {
            let principal = try #require(world.authenticate(text, inHeader: inHeader).principal)
            #expect(principal.subject == "u1" && principal.tokenID == made.record.id)
            #expect(principal.identityType == .apiKey && principal.authSource == .apiKey)
            #expect(principal.accountID == "acme" && principal.tenantID == "acme" && principal.projectID == "p1")
            #expect(principal.roles == ["editor"] && principal.workspaceIDs == ["w1"])
            #expect(principal.scoped && !principal.platform && !principal.admin)
            #expect(principal.claims["token_type"] == "api_key")
        }
        #expect(try await world.registry.show(made.record.id, caller: KeyWorld.person()).record.useCount == 2)
        _ = world.authenticate(text, isDryRun: true)
        #expect(try await world.registry.show(made.record.id, caller: KeyWorld.person()).record.useCount == 2)
    }

    @Test func refusesInTheOrderOfTheChecks() async throws {
        let world = try KeyWorld()
        let made = try await world.registry.create(
            CreateAPIKey(
                name: "a", allowedCIDRs: ["10.0.0.0/8"], expiresAt: world.clock.now().adding(seconds: 60)),
            caller: KeyWorld.person())
        let text = try #require(made.key?.revealed)
        let acme = Suspended(["acme"])
        #expect(world.outcome(text, address: "10.0.0.1") == "200 \(made.record.id)")
        #expect(world.outcome(text, address: "10.0.0.1", accounts: Suspended(["other"])) == "200 \(made.record.id)")
        let elsewhere = "403 auth.ip_forbidden: Address not allowed for this credential"
        #expect(world.outcome(text) == elsewhere)
        #expect(world.outcome(text, address: nil) == elsewhere)
        #expect(world.outcome(text, accounts: acme) == "403 auth.account_suspended: Account is suspended")
        world.clock.advance(seconds: 60)
        #expect(world.outcome(text, accounts: acme) == "401 auth.token_expired: API key has expired")
        try await world.registry.revoke(made.record.id, RevokeAPIKey(), caller: KeyWorld.person())
        #expect(world.outcome(text, accounts: acme) == "401 auth.token_revoked: API key has been revoked")
    }

    @Test func refusesServiceTokensOfSuspendedAccounts() throws {
        let world = try KeyWorld()
        let text = TokenText.generate(prefix: "tgs_", id: "ci", random: world.random).revealed
        world.tokens.put([
            ServiceTokenRecord(
                identifier: "ci", secretDigest: SecretDigest(of: text), grant: ServiceTokenGrant(tenantID: "acme"),
                issuedAt: world.clock.now(), createdBy: "test")
        ])
        #expect(world.outcome(text, accounts: Suspended(["other"])) == "200 ci")
        #expect(
            world.outcome(text, accounts: Suspended(["acme"])) == "403 auth.account_suspended: Account is suspended")
    }

    @Test func believesOnlyTheWholeText() async throws {
        let world = try KeyWorld()
        let made = try await world.create()
        let text = try #require(made.key?.revealed)
        let invalid = "401 auth.invalid_token: Invalid bearer token"
        // Another environment, another secret and an unknown id, each with its right checksum.
        let secret = String(repeating: "A", count: 43)
        for (prefix, id) in [("tgk_test_", made.record.id), ("tgk_live_", made.record.id), ("tgk_live_", "nobody")] {
            #expect(world.outcome(TokenText.make(prefix: prefix, id: id, secret: secret).revealed) == invalid)
        }
        #expect(world.outcome(String(text.dropLast()) + (text.hasSuffix("0") ? "1" : "0")) == invalid)
        #expect(world.outcome(text.replacing("tgk_live_", with: "tgk_test_")) == invalid)
        #expect(world.outcome("tgk_live_") == invalid)
        var closed = world
        closed.realm.apiKeys = false
        #expect(closed.outcome(text) == invalid)
        #expect(world.outcome(text) == "200 \(made.record.id)")
    }

    @Test func keepsKeysWithOldPrefixes() async throws {
        let store = InMemoryAPIKeyStore()
        let old = try KeyWorld(store: store, prefixes: TokenPrefixes(apiKey: "fs"), seed: 6)
        let made = try await old.create()
        let text = try #require(made.key?.revealed)
        #expect(text.hasPrefix("fs_live_"))
        let world = try KeyWorld(store: store)
        try await world.registry.load()
        #expect(world.outcome(text) == "200 \(made.record.id)")
        let next = try await world.registry.rotate(made.record.id, RotateAPIKey(), caller: KeyWorld.person())
        #expect(next.key?.revealed.hasPrefix("tgk_live_") == true)
    }

    @Test func cannotDecideWithoutTheStore() async throws {
        let store = FlakyKeyStore()
        let world = try KeyWorld(store: store)
        let text = try #require(try await world.create().key?.revealed)
        let keeper = APIKeyKeeper(registry: world.registry, metricsFactory: world.metrics)
        world.clock.advance(seconds: 61)
        #expect(world.outcome(text) == "503 auth.store_unavailable: Token store unavailable")
        store.goAway(true)
        await keeper.ping()
        #expect(world.authenticate(text).refusal?.retryAfterSeconds == 1)
        store.goAway(false)
        await keeper.ping()
        #expect(world.authenticate(text).principal != nil)
    }

    @Test func aRecordIsEnoughToEnforce() async throws {
        let world = try KeyWorld()
        let realm = AuthenticationRealm(mode: .optional)
        #expect(!world.authenticator.isEnforcing(realm))
        let made = try await world.create()
        try await world.registry.revoke(made.record.id, RevokeAPIKey(), caller: KeyWorld.person())
        #expect(world.authenticator.isEnforcing(realm))
    }

    // MARK: Owners

    @Test func givesKeysThePresentRolesOfTheirOwner() async throws {
        let world = try KeyWorld()
        let text = try #require(try await world.create().key?.revealed)
        let other = try #require(try await world.create(caller: KeyWorld.person("u2")).key?.revealed)
        func roles(_ text: String) -> [String]? { world.authenticate(text).principal?.roles }
        #expect(roles(text) == ["editor"])
        #expect(world.authenticate(try world.jwt("u1", roles: ["viewer"])).principal != nil)
        #expect(roles(text) == ["viewer"])
        #expect(roles(other) == ["editor"])
        // Somebody of the same name elsewhere is somebody else, and a dry run changes nothing.
        _ = world.authenticate(try world.jwt("u1", roles: ["admin"], issuer: "https://other.example"))
        _ = world.authenticate(try world.jwt("u1", roles: ["admin"], tenant: "other"))
        _ = world.authenticate(try world.jwt("u1", roles: ["admin"], tenant: nil))
        _ = world.authenticate(try world.jwt("u1", roles: ["admin"]), isDryRun: true)
        _ = world.authenticate(try world.jwt("u1", roles: ["admin"]) + "x")
        #expect(roles(text) == ["viewer"])
        _ = world.authenticate(try world.jwt("u1", roles: []))
        #expect(roles(text) == [])
        let next = try await world.create(caller: KeyWorld.person(roles: ["operator"]))
        #expect(roles(text) == ["operator"])
        #expect(roles(try #require(next.key?.revealed)) == ["operator"])
    }

    @Test func tellsOwnersApartByBytes() {
        let composed = APIKeyOwner.Identity(issuer: "i", subject: "\u{E9}", tenantID: nil)
        let decomposed = APIKeyOwner.Identity(issuer: "i", subject: "e\u{301}", tenantID: nil)
        #expect(composed != decomposed)
        #expect(composed == APIKeyOwner.Identity(issuer: "i", subject: "\u{E9}", tenantID: nil))
        #expect(composed != APIKeyOwner.Identity(issuer: "i", subject: "\u{E9}", tenantID: ""))
    }

    @Test func followsOwnersThatAreServiceTokens() async throws {
        let world = try KeyWorld()
        let text = TokenText.generate(prefix: "tgs_", id: "ci", random: world.random).revealed
        func token(_ roles: [String], revision: Int64) -> ServiceTokenRecord {
            var record = ServiceTokenRecord(
                identifier: "ci", secretDigest: SecretDigest(of: text),
                grant: ServiceTokenGrant(roles: roles, tenantID: "acme"), issuedAt: world.clock.now(),
                createdBy: "test")
            record.revision = revision
            return record
        }
        world.tokens.put([token(["editor"], revision: 1)])
        let principal = try #require(world.authenticate(text).principal)
        let key = try await world.create(caller: TokenCaller(principal: principal, admin: false) { _ in true })
        let keyText = try #require(key.key?.revealed)
        #expect(key.record.owner.subject == "ci")
        #expect(world.authenticate(keyText).principal?.roles == ["editor"])
        world.tokens.put([token(["viewer"], revision: 2)])
        _ = world.authenticate(text)
        #expect(world.authenticate(keyText).principal?.roles == ["viewer"])
    }

    @Test func keysMakeKeysOfTheSameOwner() async throws {
        let world = try KeyWorld()
        let first = try await world.create()
        let principal = try #require(world.authenticate(try #require(first.key?.revealed)).principal)
        let caller = TokenCaller(principal: principal, admin: false) { _ in true }
        let second = try await world.create("second", caller: caller)
        #expect(second.record.owner == first.record.owner && second.record.accountID == "acme")
        #expect(second.roles == ["editor"])
    }
}
