// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct ServiceTokenRegistryTests {
    private static let root = TokenWorld.root

    /// A caller with the rights of a token: what it does not name it does not hold.
    private static func caller(
        scopes: [String] = [], workspaces: [String] = [], tenant: String? = nil, roles: [String] = []
    ) -> TokenCaller {
        TokenCaller(
            principal: Principal(
                subject: "ci", identityType: .service, authSource: .serviceToken, tenantID: tenant,
                workspaceIDs: workspaces, roles: roles),
            admin: false
        ) { scopes.contains($0) }
    }

    private static func refusal(_ body: () async throws -> Void) async -> Refusal? {
        do {
            try await body()
            return nil
        } catch {
            return error as? Refusal
        }
    }

    @Test func namesTheExcess() async throws {
        let world = TokenWorld()
        let caller = Self.caller(scopes: ["a:read"], workspaces: ["w1"], tenant: "acme", roles: ["editor"])
        let grant = ServiceTokenGrant(
            scopes: ["a:*", "a:read"], roles: ["admin", "editor"], workspaceIDs: ["w1", "w2"], tenantID: "other",
            platform: true)
        let refusal = await Self.refusal {
            _ = try await world.registry.create(CreateServiceToken(grant: grant), caller: caller)
        }
        #expect(refusal?.code == .tokenGrantExceedsCaller)
        #expect(
            refusal?.details == [
                "scopes": ["a:*"], "roles": ["admin"], "workspace_ids": ["w2"], "tenant_id": "other", "platform": true,
            ])
        #expect(world.table.count == 0)
    }

    @Test func givesTheCallersTenantUnlessToldOtherwise() async throws {
        let world = TokenWorld()
        let made = try await world.registry.create(CreateServiceToken(), caller: Self.caller(tenant: "acme"))
        #expect(made.record.tenantID == "acme")
        #expect(made.record.createdBy == "ci")
        #expect(made.record.family == made.record.identifier)
    }

    @Test func hidesTokensOfOtherTenants() async throws {
        let world = TokenWorld()
        let grant = ServiceTokenGrant(tenantID: "acme")
        _ = try await world.registry.create(CreateServiceToken(identifier: "a", grant: grant), caller: Self.root)
        let stranger = Self.caller(tenant: "other")
        let refusal = await Self.refusal { _ = try await world.registry.show("a", caller: stranger) }
        #expect(refusal?.code == .tokenNotFound)
        #expect(refusal?.message == "Service token 'a' not found")
        #expect(try await world.registry.list(ListServiceTokens(), caller: stranger).total == 0)
        #expect(try await world.registry.list(ListServiceTokens(), caller: Self.caller(tenant: "acme")).total == 1)
    }

    @Test func rotatesWithWhatIsLeftOfTheOldLife() async throws {
        let world = TokenWorld()
        _ = try await world.registry.create(
            CreateServiceToken(identifier: "a", grant: ServiceTokenGrant(scopes: ["x:read"]), expiresInSeconds: 100),
            caller: Self.root)
        world.clock.advance(seconds: 40)
        let rotated = try await world.registry.rotate(
            "a", RotateServiceToken(expiresInSeconds: 600, identifier: "b", addScopes: ["x:write"]), caller: Self.root)
        #expect(rotated.message == "New token created. Old token 'a' valid for 60s.")
        #expect(rotated.record.scopes == ["x:read", "x:write"])
        #expect(rotated.record.rotatedFrom == "a")
        #expect(rotated.record.expiresAt == world.clock.now().adding(seconds: 600))
        #expect(rotated.after?.expiresAt == rotated.before?.expiresAt)
        #expect(rotated.after?.rotatedTo == "b")
        let again = await Self.refusal {
            _ = try await world.registry.rotate("a", RotateServiceToken(), caller: Self.root)
        }
        #expect(again?.details?["state"] == "rotated")
        let taken = await Self.refusal {
            _ = try await world.registry.rotate("b", RotateServiceToken(identifier: "a"), caller: Self.root)
        }
        #expect(taken?.code == .tokenAlreadyExists)
    }

    @Test func rotatesATokenOnceWhenManyAsk() async throws {
        let world = TokenWorld()
        _ = try await world.registry.create(CreateServiceToken(identifier: "a"), caller: Self.root)
        let registry = world.registry
        let good = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    await Self.refusal { _ = try await registry.rotate("a", RotateServiceToken(), caller: Self.root) }
                        == nil
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(good == 1)
        #expect(world.table.count == 2)
    }

    @Test func revokesAFamilyAndKeepsTheFirstReason() async throws {
        let world = TokenWorld()
        _ = try await world.registry.create(CreateServiceToken(identifier: "a"), caller: Self.root)
        _ = try await world.registry.rotate("a", RotateServiceToken(identifier: "b"), caller: Self.root)
        _ = try await world.registry.rotate("b", RotateServiceToken(identifier: "c"), caller: Self.root)
        _ = try await world.registry.revoke("b", RevokeServiceToken(reason: "one"), caller: Self.root)
        #expect(world.table.entry("a")?.record.revokedAt == nil)
        world.clock.advance(seconds: 5)
        let answer = try await world.registry.revoke(
            "a", RevokeServiceToken(reason: "all", family: true), caller: Self.root)
        #expect(answer.record.revocationReason == "all")
        #expect(world.table.entry("b")?.record.revocationReason == "one")
        #expect(world.table.entry("c")?.record.revocationReason == "all")
        #expect(world.table.entry("c")?.record.revokedBy == "admin")
    }

    @Test func pagesThroughTheNewestFirst() async throws {
        let world = TokenWorld()
        for index in 0..<25 {
            if index % 3 == 0 { world.clock.advance(seconds: 1) }
            _ = try await world.registry.create(CreateServiceToken(identifier: "t\(index)"), caller: Self.root)
        }
        _ = try await world.registry.revoke("t7", RevokeServiceToken(reason: "x"), caller: Self.root)
        var seen: [String] = []
        var request = ListServiceTokens(statuses: [.active], limit: 10)
        var pages = 0
        while true {
            let page = try await world.registry.list(request, caller: Self.root)
            #expect(page.total == 24)
            seen += page.records.map(\.identifier)
            pages += 1
            guard let text = page.next?.text else { break }
            request.cursor = CredentialCursor(text: text)
        }
        #expect(pages == 3)
        #expect(Set(seen).count == 24)
        #expect(seen.first == "t24")
        let times = seen.compactMap { world.table.entry($0)?.record.issuedAt }
        #expect(times == times.sorted(by: >))
    }

    @Test func aStoreThatFailsChangesNothing() async throws {
        let world = TokenWorld(store: BrokenStore())
        let refusal = await Self.refusal {
            _ = try await world.registry.create(CreateServiceToken(identifier: "a"), caller: Self.root)
        }
        #expect(refusal?.code == .authStoreUnavailable)
        #expect(world.table.entry("a") == nil)
    }

    @Test func objectsChangeTheirTokenWithoutANewText() async throws {
        let world = TokenWorld()
        let first = try await world.registry.mintForObject(
            ServiceTokenGrant(scopes: ["a:read"]), family: nil, expiresAt: nil)
        let text = try #require(first.secret?.revealed)
        let id = first.record.identifier
        _ = try await world.registry.updateForObject(id, grant: ServiceTokenGrant(scopes: ["b:read"]), expiresAt: nil)
        #expect(world.authenticate(text).principal?.scopes == ["b:read"])
        let second = try await world.registry.mintForObject(ServiceTokenGrant(), family: id, expiresAt: nil)
        let third = try await world.registry.rotateForObject(
            second.record.identifier, grant: ServiceTokenGrant(), overlapSeconds: 300, expiresAt: nil)
        #expect(third.record.family == id)
        #expect(third.record.createdBy == "system")
        try await world.registry.revokeFamily(id, reason: "gone")
        #expect(world.table.family(id).count == 3)
        #expect(world.table.family(id).allSatisfy { $0.record.revokedAt != nil })
        #expect(world.outcome(text) == "401 auth.token_revoked")
    }
}

/// Takes nothing.
struct BrokenStore: ServiceTokenStore {
    func serviceTokens(
        _ selection: CredentialSelection
    ) async throws(ServiceTokenStoreError) -> [ServiceTokenRecord] { [] }
    func write(_ changes: [ServiceTokenChange]) async throws(ServiceTokenStoreError) { throw Self.fault }
    func addUses(_ uses: [CredentialUse]) async throws(ServiceTokenStoreError) { throw Self.fault }
    func ping() async throws(ServiceTokenStoreError) { throw Self.fault }
    private static let fault = ServiceTokenStoreError(.unavailable, "broken")
}
