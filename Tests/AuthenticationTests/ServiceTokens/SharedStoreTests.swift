// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Logging
internal import MetricsTestKit
internal import Synchronization
internal import TestSupport
internal import Testing

/// Registries over stores that others write to as well.
@Suite struct SharedStoreTests {
    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private static func tokens(_ store: any ServiceTokenStore, _ clock: ManualClock) -> ServiceTokenRegistry {
        ServiceTokenRegistry(
            table: ServiceTokenTable(heardAt: clock.now()), store: store, clock: clock, random: SeededRandom(seed: 1),
            logger: logger, isShared: true)
    }

    private static func keys(_ store: any APIKeyStore, _ clock: ManualClock) -> APIKeyRegistry {
        APIKeyRegistry(
            table: APIKeyTable(heardAt: clock.now()), store: store, prefixes: TokenPrefixes(),
            rules: APIKeyRules(catalogue: { APIKeyCatalogue() }) { _, _ in
                APIKeyAllowance(plan: "pro", limit: nil) { _ in .null }
            }, clock: clock, random: SeededRandom(seed: 2), logger: logger, isShared: true)
    }

    /// That the database answers says nothing of what others wrote into it.
    @Test func onlyAFollowerSaysThatATableIsFresh() async throws {
        let clock = ManualClock()
        let tokens = Self.tokens(InMemoryTokenStore(), clock)
        let keys = Self.keys(InMemoryAPIKeyStore(), clock)
        clock.advance(seconds: 61)
        _ = try await tokens.create(CreateServiceToken(identifier: "a"), caller: TokenWorld.root)
        _ = try await keys.create(CreateAPIKey(name: "n", accountID: "acme"), caller: TokenWorld.root)
        await ServiceTokenKeeper(registry: tokens, metricsFactory: TestMetrics()).ping()
        await APIKeyKeeper(registry: keys, metricsFactory: TestMetrics()).ping()
        #expect(!tokens.table.isFresh(at: clock.now()))
        #expect(!keys.table.isFresh(at: clock.now()))
        tokens.table.heard(at: clock.now())
        #expect(tokens.table.isFresh(at: clock.now()))
    }

    @Test func anOlderRecordChangesNothing() async throws {
        let clock = ManualClock()
        let tokens = Self.tokens(InMemoryTokenStore(), clock)
        let first = try await tokens.create(CreateServiceToken(identifier: "a"), caller: TokenWorld.root).record
        try await tokens.revoke("a", RevokeServiceToken(reason: "r"), caller: TokenWorld.root)
        tokens.table.put([first])
        #expect(tokens.table.entry("a")?.record.revokedAt != nil)
        let keys = Self.keys(InMemoryAPIKeyStore(), clock)
        let key = try await keys.create(CreateAPIKey(name: "n", accountID: "acme"), caller: TokenWorld.root).record
        try await keys.revoke(key.id, RevokeAPIKey(reason: nil), caller: TokenWorld.root)
        keys.table.put([key])
        #expect(keys.table.entry(key.id)?.record.revokedAt != nil)
    }

    @Test func takesUpWhatOthersChangedAndDropsWhatIsGone() async throws {
        let (clock, store) = (ManualClock(), InMemoryTokenStore())
        let (one, two) = (Self.tokens(store, clock), Self.tokens(store, clock))
        _ = try await one.create(CreateServiceToken(identifier: "a"), caller: TokenWorld.root)
        try await two.refresh(.serviceToken, ["a", "nobody"])
        #expect(two.table.newestFirst.map(\.record.identifier) == ["a"])
        try await store.addUses([CredentialUse(identifier: "a", count: 3, lastUsedAt: clock.now())])
        try await one.revoke("a", RevokeServiceToken(reason: "r"), caller: TokenWorld.root)
        try await two.reload()
        #expect(two.table.entry("a")?.record.revocationReason == "r")
        #expect(two.table.entry("a")?.current.useCount == 3)
        // A database of before the token.
        let empty = Self.tokens(InMemoryTokenStore(), clock)
        empty.table.put([try #require(two.table.entry("a")).record])
        try await empty.reload()
        #expect(empty.table.count == 0 && empty.table.newestFirst.isEmpty && empty.table.family("a").isEmpty)
        two.withdraw(.serviceToken, "a")
        #expect(two.table.entry("a") == nil)
    }

    @Test func aKeyNeverStandsWithoutItsOwnersRoles() async throws {
        let (clock, store) = (ManualClock(), InMemoryAPIKeyStore())
        let (one, two) = (Self.keys(store, clock), Self.keys(store, clock))
        let owner = Principal(subject: "u1", identityType: .user, authSource: .jwt, roles: ["viewer"])
        let caller = TokenCaller(principal: owner, admin: true) { _ in true }
        let key = try await one.create(CreateAPIKey(name: "n", accountID: "acme"), caller: caller).record
        // Only the key is told of.
        try await two.refresh(.apiKey, [key.id])
        #expect(two.table.entry(key.id)?.principal.roles == ["viewer"])
        // What was seen here and is not written yet is newer than what the store has.
        two.table.note(Principal(subject: "u1", identityType: .user, authSource: .jwt, roles: ["editor"]))
        let identity = APIKeyOwner.Identity(of: owner).changeKey
        try await two.refresh(.apiKeyOwner, [identity])
        #expect(two.table.entry(key.id)?.principal.roles == ["editor"])
        await APIKeyKeeper(registry: two, metricsFactory: TestMetrics()).flush()
        try await one.refresh(.apiKeyOwner, [identity])
        #expect(one.table.entry(key.id)?.principal.roles == ["editor"])
        one.withdraw(.apiKeyOwner, identity)
        #expect(one.table.entry(key.id) == nil)
    }

    /// Whoever hands records on must hear of those that other replicas brought too.
    @Test func tellsOfEveryChangeOfWhatIsInForce() async throws {
        let (clock, store) = (ManualClock(), InMemoryAPIKeyStore())
        let (one, two) = (Self.keys(store, clock), Self.keys(store, clock))
        let heard = Mutex<[String]>([])
        two.table.changes.listen { heard.withLock { $0.append("keys") } }
        let owner = Principal(subject: "u1", identityType: .user, authSource: .jwt, roles: ["viewer"])
        let caller = TokenCaller(principal: owner, admin: true) { _ in true }
        let key = try await one.create(CreateAPIKey(name: "n", accountID: "acme"), caller: caller).record
        try await two.refresh(.apiKey, [key.id])
        two.table.note(owner)
        #expect(heard.withLock(\.self) == ["keys"])
        two.table.note(Principal(subject: "u1", identityType: .user, authSource: .jwt, roles: ["editor"]))
        #expect(heard.withLock(\.self) == ["keys", "keys"])
        let tokenStore = InMemoryTokenStore()
        let (first, second) = (Self.tokens(tokenStore, clock), Self.tokens(tokenStore, clock))
        second.table.changes.listen { heard.withLock { $0.append("tokens") } }
        _ = try await first.create(CreateServiceToken(identifier: "a"), caller: TokenWorld.root)
        try await second.refresh(.serviceToken, ["a"])
        second.withdraw(.serviceToken, "a")
        #expect(heard.withLock(\.self) == ["keys", "keys", "tokens", "tokens"])
    }

    /// Two replicas may be asked one after the other, and the second may not have heard of everything yet.
    @Test func aWholeSetBringsNothingBackThatWasRevoked() async throws {
        let clock = ManualClock()
        let tokens = Self.tokens(InMemoryTokenStore(), clock)
        let first = try await tokens.create(CreateServiceToken(identifier: "a"), caller: TokenWorld.root).record
        let other = try await tokens.create(CreateServiceToken(identifier: "b"), caller: TokenWorld.root).record
        try await tokens.revoke("a", RevokeServiceToken(reason: "r"), caller: TokenWorld.root)
        tokens.table.replace(with: [first, first])
        #expect(tokens.table.entry("a")?.record.revokedAt != nil)
        #expect(tokens.table.newestFirst.map(\.record.identifier) == ["a"] && tokens.table.count == 1)
        #expect(tokens.table.family("a").count == 1 && tokens.table.family("b").isEmpty)
        tokens.table.replace(with: [other])
        #expect(tokens.table.newestFirst.map(\.record.identifier) == ["b"])
        let keys = Self.keys(InMemoryAPIKeyStore(), clock)
        let key = try await keys.create(CreateAPIKey(name: "n", accountID: "acme"), caller: TokenWorld.root).record
        try await keys.revoke(key.id, RevokeAPIKey(reason: nil), caller: TokenWorld.root)
        keys.table.replace(with: [key, key], owners: [APIKeyOwner(identity: key.owner, roles: ["editor"])])
        #expect(keys.table.entry(key.id)?.record.revokedAt != nil)
        #expect(keys.table.entry(key.id)?.principal.roles == ["editor"])
        #expect(keys.table.newestFirst.count == 1 && keys.table.family(key.id).count == 1)
        // An owner's later roles reach the key that stayed.
        keys.table.note(APIKeyOwner(identity: key.owner, roles: ["viewer"]))
        #expect(keys.table.entry(key.id)?.principal.roles == ["viewer"])
    }

    @Test(
        arguments: [
            ("https://id.example", "u1", "acme"), ("", "", nil), ("a\"]", "\n,[", ""), ("\u{0}", "ä", nil),
        ] as [(String, String, String?)])
    func anOwnersKeyNamesOnlyHim(_ issuer: String, _ subject: String, _ tenant: String?) {
        let identity = APIKeyOwner.Identity(issuer: issuer, subject: subject, tenantID: tenant)
        #expect(APIKeyOwner.Identity(changeKey: identity.changeKey) == identity)
    }

    @Test(arguments: ["", "[]", "[1,2,3]", #"["a","b"]"#, #"["a","b",1]"#, #"["a","b",null,null]"#, "{}", "["])
    func whatIsNoOwnersKeyNamesNobody(_ text: String) { #expect(APIKeyOwner.Identity(changeKey: text) == nil) }
}
