// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct APIKeyRegistryTests {
    @Test func makesAKeyOfTheCallersAccount() async throws {
        let world = try KeyWorld()
        let made = try await world.registry.create(
            CreateAPIKey(
                name: "first", environment: .test, workspaceIDs: ["w1"],
                expiresAt: world.clock.now().adding(seconds: 60)),
            caller: KeyWorld.person(workspaces: ["w1"]))
        #expect(made.record.accountID == "acme" && made.record.tenantID == "acme")
        #expect(made.record.owner.subject == "u1" && made.record.owner.issuer == "https://id.example")
        #expect(made.record.scopes == ["tasks:read", "tasks:write"])
        #expect(made.key?.revealed.hasPrefix("tgk_test_\(made.record.id)_") == true)
        #expect(made.record.family == made.record.id && made.record.createdBy == "u1")
        #expect(made.json["status"] == "active" && made.json["roles"] == ["editor"])
        #expect(made.json["message"] == "Store this key securely. It will not be shown again.")
        let shown = try await world.registry.show(made.record.id, caller: KeyWorld.person("u2"))
        #expect(shown.json["key"] == .null && shown.json["message"] == .null && shown.json["secret_hash"] == nil)
    }

    @Test(arguments: [
        (CreateAPIKey.Shorthand.readOnly, ["projects:read", "tasks:read"]),
        (.readWrite, ["projects:read", "tasks:delete", "tasks:read", "tasks:write"]),
        (.admin, ["projects:read", "tasks:delete", "tasks:read", "tasks:write"]),
    ])
    func cutsShorthandsDown(_ shorthand: CreateAPIKey.Shorthand, _ scopes: [String]) async throws {
        let world = try KeyWorld()
        let request = CreateAPIKey(name: "a", permissions: shorthand)
        #expect(try await world.registry.create(request, caller: KeyWorld.person()).record.scopes == scopes)
    }

    @Test func givesAnAdminEveryPermission() async throws {
        let world = try KeyWorld()
        let request = CreateAPIKey(name: "a", permissions: .admin, accountID: "acme")
        let record = try await world.registry.create(request, caller: KeyWorld.root).record
        #expect(record.scopes == KeyWorld.catalogue.permissions)
        #expect(record.accountID == "acme" && record.tenantID == "acme")
    }

    @Test func namesTheExcess() async throws {
        let world = try KeyWorld()
        let caller = KeyWorld.person(holds: ["tasks:read"], workspaces: ["w1"], project: "p1")
        let request = CreateAPIKey(
            name: "a", scopes: ["tasks:*", "tasks:read"], workspaceIDs: ["w1", "w2"], projectID: "p2")
        let body: () async throws -> Void = { _ = try await world.registry.create(request, caller: caller) }
        #expect(await KeyWorld.refusal(body) == "403 token.grant_exceeds_caller: Cannot grant more than you hold")
        #expect(
            await KeyWorld.details(body) == ["scopes": ["tasks:*"], "workspace_ids": ["w2"], "project_id": "p2"])
        #expect(world.table.count == 0)
        let own = CreateAPIKey(name: "a", scopes: ["tasks:read"], projectID: "p1")
        #expect(try await world.registry.create(own, caller: caller).record.projectID == "p1")
    }

    @Test func knowsWhoseAccountItIs() async throws {
        let world = try KeyWorld()
        let nobody = TokenCaller(
            principal: Principal(subject: "x", identityType: .service, authSource: .serviceToken), admin: false
        ) { _ in true }
        let request = CreateAPIKey(name: "a", scopes: [])
        let without: () async throws -> Void = { _ = try await world.registry.create(request, caller: nobody) }
        #expect(
            await KeyWorld.refusal(without) == "422 request.invalid: account_id: required, the caller has no account")
        #expect(
            await KeyWorld.details(without)?["fields"] == [
                ["field": "account_id", "reason": "required, the caller has no account"]
            ])
        #expect(
            await KeyWorld.refusal { _ = try await world.registry.create(request, caller: KeyWorld.root) }
                == "422 request.invalid: account_id: required, the caller has no account")
        let other = CreateAPIKey(name: "a", scopes: [], accountID: "other")
        let foreign: () async throws -> Void = { _ = try await world.registry.create(other, caller: KeyWorld.person()) }
        #expect(await KeyWorld.refusal(foreign) == "403 token.grant_exceeds_caller: Cannot grant more than you hold")
        #expect(await KeyWorld.details(foreign) == ["account_id": "other"])
        let own = CreateAPIKey(name: "a", scopes: [], accountID: "acme")
        #expect(try await world.registry.create(own, caller: KeyWorld.person()).record.accountID == "acme")
    }

    @Test func hidesKeysOfOtherAccounts() async throws {
        let world = try KeyWorld()
        let id = try await world.create().record.id
        // The account of somebody without a tenant is not the tenant of the same name.
        for stranger in [KeyWorld.person("u1", tenant: "other"), KeyWorld.person("acme", tenant: nil)] {
            let expected = "404 key.not_found: API key '\(id)' not found"
            let registry = world.registry
            #expect(await KeyWorld.refusal { _ = try await registry.show(id, caller: stranger) } == expected)
            #expect(
                await KeyWorld.refusal { _ = try await registry.patch(id, PatchAPIKey(), caller: stranger) } == expected
            )
            #expect(
                await KeyWorld.refusal { _ = try await registry.rotate(id, RotateAPIKey(), caller: stranger) }
                    == expected)
            #expect(
                await KeyWorld.refusal { _ = try await registry.revoke(id, RevokeAPIKey(), caller: stranger) }
                    == expected)
            let query = try APIKeyUsageQuery(query: [:], now: world.clock.now())
            #expect(await KeyWorld.refusal { _ = try await registry.usage(id, query, caller: stranger) } == expected)
            #expect(try await registry.list(ListAPIKeys(), caller: stranger).total == 0)
        }
        #expect(try await world.registry.list(ListAPIKeys(), caller: KeyWorld.root).total == 1)
        #expect(try await world.registry.list(ListAPIKeys(accountID: "x"), caller: KeyWorld.root).total == 0)
        #expect(
            await KeyWorld.refusal { _ = try await world.registry.show("gone", caller: KeyWorld.root) }
                == "404 key.not_found: API key 'gone' not found")
    }

    @Test func limitsActiveKeys() async throws {
        let world = try KeyWorld(limit: 2)
        let first = try await world.create("a")
        _ = try await world.create("b")
        let third: () async throws -> Void = { _ = try await world.create("c") }
        #expect(await KeyWorld.refusal(third) == "403 key.limit_reached: API key limit reached (2/2)")
        #expect(
            await KeyWorld.details(third) == [
                "limit": 2, "current": 2, "plan": "free", "upgrade": ["plan": "pro", "needed": 3],
            ])
        _ = try await world.registry.rotate(first.record.id, RotateAPIKey(), caller: KeyWorld.person())
        #expect(await KeyWorld.refusal(third) == "403 key.limit_reached: API key limit reached (2/2)")
        // Another account is not in its way.
        _ = try await world.create("d", caller: KeyWorld.person("u9", tenant: "other"))
        let newest = try await world.registry.list(ListAPIKeys(statuses: [.active]), caller: KeyWorld.person())
        try await world.registry.revoke(newest.keys[0].record.id, RevokeAPIKey(), caller: KeyWorld.person())
        #expect(await KeyWorld.refusal(third) == "fine")
    }

    @Test func countsNoExpiredKeys() async throws {
        let world = try KeyWorld(limit: 1)
        let request = CreateAPIKey(name: "a", expiresAt: world.clock.now().adding(seconds: 60))
        _ = try await world.registry.create(request, caller: KeyWorld.person())
        world.clock.advance(seconds: 59)
        #expect(
            await KeyWorld.refusal { _ = try await world.create() }
                == "403 key.limit_reached: API key limit reached (1/1)")
        world.clock.advance(seconds: 1)
        #expect(await KeyWorld.refusal { _ = try await world.create() } == "fine")
    }

    @Test func rotatesAndKeepsTheLimitOfTheOldLife() async throws {
        let world = try KeyWorld()
        let request = CreateAPIKey(name: "a", expiresAt: world.clock.now().adding(seconds: 7200))
        let old = try await world.registry.create(request, caller: KeyWorld.person())
        let next = try await world.registry.rotate(
            old.record.id, RotateAPIKey(overlapSeconds: 60), caller: KeyWorld.person())
        #expect(next.message == "New key created. Old key '\(old.record.id)' valid for 60s.")
        #expect(next.record.expiresAt == old.record.expiresAt && next.record.family == old.record.family)
        #expect(next.record.rotatedFrom == old.record.id && next.record.owner == old.record.owner)
        let (first, second) = (try #require(old.key?.revealed), try #require(next.key?.revealed))
        #expect(world.outcome(first) == "200 \(old.record.id)")
        #expect(world.outcome(second) == "200 \(next.record.id)")
        world.clock.advance(seconds: 60)
        #expect(world.outcome(first) == "401 auth.token_expired: API key has expired")
        #expect(world.outcome(second) == "200 \(next.record.id)")
        let again: () async throws -> Void = {
            _ = try await world.registry.rotate(old.record.id, RotateAPIKey(), caller: KeyWorld.person())
        }
        #expect(await KeyWorld.refusal(again) == "409 key.not_active: API key is not active")
        #expect(await KeyWorld.details(again) == ["state": "expired"])
    }

    @Test func changesActiveKeysOnly() async throws {
        let world = try KeyWorld()
        let id = try await world.create().record.id
        let changed = try await world.registry.patch(
            id,
            PatchAPIKey(
                name: "b", description: "d", scopes: ["tasks:read"], allowedCIDRs: ["10.0.0.0/8"],
                expiresAt: world.clock.now().adding(seconds: 60)),
            caller: KeyWorld.person())
        #expect(
            changed.record.name == "b" && changed.record.description == "d" && changed.record.scopes == ["tasks:read"])
        #expect(changed.before?.name == "key" && changed.after?.name == "b")
        let kept = try await world.registry.patch(id, PatchAPIKey(expiresAt: .some(nil)), caller: KeyWorld.person())
        #expect(kept.record.expiresAt == nil && kept.record.name == "b")
        let wide = PatchAPIKey(scopes: ["admin:access"])
        let body: () async throws -> Void = { _ = try await world.registry.patch(id, wide, caller: KeyWorld.person()) }
        #expect(await KeyWorld.refusal(body) == "403 token.grant_exceeds_caller: Cannot grant more than you hold")
        try await world.registry.revoke(id, RevokeAPIKey(reason: "lost"), caller: KeyWorld.person())
        #expect(await KeyWorld.refusal(body) == "409 key.not_active: API key is not active")
        #expect(await KeyWorld.details(body) == ["state": "revoked"])
        world.clock.advance(seconds: 5)
        let again = try await world.registry.revoke(id, RevokeAPIKey(reason: "other"), caller: KeyWorld.person())
        #expect(again.record.revocationReason == "lost" && again.record.revokedBy == "u1" && again.before == nil)
        #expect(again.record.revokedAt == world.clock.now().adding(seconds: -5))
    }

    @Test func letsNobodyTakeTheRolesOfAnother() async throws {
        let world = try KeyWorld()
        let boss = try await world.create("boss", caller: KeyWorld.person("boss", roles: ["admin"]))
        let body: () async throws -> Void = {
            _ = try await world.registry.rotate(boss.record.id, RotateAPIKey(), caller: KeyWorld.person())
        }
        #expect(await KeyWorld.refusal(body) == "403 token.grant_exceeds_caller: Cannot grant more than you hold")
        #expect(await KeyWorld.details(body) == ["roles": ["admin"]])
        // Whoever may make keys may still take one out of use.
        #expect(
            await KeyWorld.refusal {
                try await world.registry.revoke(boss.record.id, RevokeAPIKey(), caller: KeyWorld.person())
            } == "fine")
    }

    @Test func listsTheNewestFirstInPages() async throws {
        let world = try KeyWorld()
        for index in 0..<5 {
            _ = try await world.create("k\(index)")
            world.clock.advance(seconds: 1)
        }
        var names: [String] = []
        var cursor: CredentialCursor?
        repeat {
            let page = try await world.registry.list(ListAPIKeys(limit: 2, cursor: cursor), caller: KeyWorld.person())
            #expect(page.total == 5)
            names += page.keys.map(\.record.name)
            cursor = page.next
        } while cursor != nil
        #expect(names == ["k4", "k3", "k2", "k1", "k0"])
    }

    @Test func putsNothingInForceThatTheStoreDidNotTake() async throws {
        let store = FlakyKeyStore()
        let world = try KeyWorld(store: store)
        let id = try await world.create().record.id
        store.goAway(true)
        let registry = world.registry
        let expected = "503 auth.store_unavailable: Token store unavailable"
        #expect(await KeyWorld.refusal { _ = try await world.create() } == expected)
        #expect(
            await KeyWorld.refusal { try await registry.revoke(id, RevokeAPIKey(), caller: KeyWorld.person()) }
                == expected)
        let query = try APIKeyUsageQuery(query: [:], now: world.clock.now())
        #expect(
            await KeyWorld.refusal { _ = try await registry.usage(id, query, caller: KeyWorld.person()) } == expected)
        #expect(world.table.count == 1)
        #expect(world.table.entry(id)?.record.revokedAt == nil)
    }

    @Test func oneOfManyRotationsWins() async throws {
        let world = try KeyWorld()
        let id = try await world.create().record.id
        let results = await withTaskGroup(of: String.self) { group in
            for index in 0..<20 {
                group.addTask {
                    await KeyWorld.refusal {
                        if index == 10 {
                            try await world.registry.revoke(id, RevokeAPIKey(), caller: KeyWorld.person())
                        } else {
                            _ = try await world.registry.rotate(id, RotateAPIKey(), caller: KeyWorld.person())
                        }
                    }
                }
            }
            return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        }
        let rotated = world.table.family(id).count - 1
        #expect(rotated <= 1)
        #expect(results["fine"] == rotated + 1)
        #expect(results["409 key.not_active: API key is not active"] == 19 - rotated)
        #expect(world.table.entry(id)?.record.revokedAt != nil)
    }
}
