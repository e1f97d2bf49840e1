// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Logging
internal import Metrics
internal import MetricsTestKit
internal import Synchronization
internal import TestSupport

/// A registry of API keys with an authenticator over its table, on a clock that stands still.
struct KeyWorld {
    static let secret = "a-shared-secret-of-more-than-32-bytes-000"
    static let catalogue = APIKeyCatalogue(
        defaultScopes: ["tasks:read", "tasks:write"],
        permissions: [
            "admin:access", "admin:tokens:read", "projects:read", "tasks:delete", "tasks:read", "tasks:write",
        ])

    let clock = ManualClock()
    let random: SeededRandom
    let metrics = TestMetrics()
    let table: APIKeyTable
    let tokens: ServiceTokenTable
    let registry: APIKeyRegistry
    let authenticator: Authenticator
    var realm: AuthenticationRealm

    init(
        store: any APIKeyStore = InMemoryAPIKeyStore(), limit: Int64? = nil,
        prefixes: TokenPrefixes = TokenPrefixes(oldAPIKeys: ["fs"]), seed: UInt64 = 5
    ) throws {
        random = SeededRandom(seed: seed)
        table = APIKeyTable(heardAt: clock.now())
        tokens = ServiceTokenTable(heardAt: clock.now())
        registry = APIKeyRegistry(
            table: table, store: store, prefixes: prefixes,
            rules: APIKeyRules(catalogue: { Self.catalogue }) { _, _ in
                APIKeyAllowance(plan: "free", limit: limit) { ["plan": "pro", "needed": .int($0)] }
            }, clock: clock, random: random, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let remote = RemoteKeySets(
            fetcher: Unreachable(), clock: clock, random: random, logger: Logger(label: "test"),
            metricsFactory: metrics)
        authenticator = Authenticator(
            admin: nil, bootstrap: nil, tokens: tokens, keys: table, jwt: JWTVerifier(remoteKeys: remote),
            limiter: FailureLimiter(FailureLimitSettings()), prefixes: prefixes, anyGlobalCredential: false,
            metrics: AuthenticationMetrics(factory: metrics), logger: Logger(label: "test"))
        realm = AuthenticationRealm(
            mode: .required,
            issuers: try IssuerTable(
                entries: ["https://id.example", "https://other.example"].map { issuer in
                    IssuerEntry(
                        name: issuer, issuer: issuer, secret: Redacted(Array(Self.secret.utf8)), algorithms: [.hs256])
                }))
    }

    /// A person with a JWT: holds what is named, without anything said everything but `admin:`.
    static func person(
        _ subject: String = "u1", tenant: String? = "acme", roles: [String] = ["editor"], holds: Set<String>? = nil,
        workspaces: [String] = [], project: String? = nil, issuer: String = "https://id.example"
    ) -> TokenCaller {
        TokenCaller(
            principal: Principal(
                subject: subject, identityType: .user, authSource: .jwt, accountID: tenant ?? subject,
                tenantID: tenant, projectID: project, workspaceIDs: workspaces, roles: roles, issuer: issuer),
            admin: false
        ) { holds?.contains($0) ?? !$0.hasPrefix("admin:") }
    }

    /// The admin token's holder.
    static let root = TokenCaller(
        principal: AdminCredential(token: Redacted("admin-secret-of-the-test-runs-000001"), isGenerated: false)
            .principal, admin: true
    ) { _ in true }

    func create(_ name: String = "key", caller: TokenCaller = person()) async throws -> APIKeyAnswer {
        try await registry.create(CreateAPIKey(name: name), caller: caller)
    }

    func authenticate(
        _ text: String?, inHeader: Bool = false, address: String? = "192.0.2.10", isDryRun: Bool = false,
        accounts: (any AccountStanding)? = nil
    ) -> AuthenticationResult {
        var headers = HeaderList()
        if let text {
            headers.append(
                name: inHeader ? "x-api-key" : "authorization", value: inHeader ? text : "Bearer \(text)")
        }
        let client = ClientContext(address: address.flatMap { IPAddress($0) }, isDryRun: isDryRun)
        return authenticator.authenticate(
            AuthenticationRequest(
                headers: headers, query: nil, method: "GET", surface: .workload(publicRoute: false), client: client,
                accounts: accounts),
            realm: realm, now: clock.now())
    }

    /// `200 <token id>` or `<status> <code>: <message>`.
    func outcome(_ text: String?, address: String? = "192.0.2.10", accounts: (any AccountStanding)? = nil) -> String {
        let result = authenticate(text, address: address, accounts: accounts)
        if let refusal = result.refusal { return "\(refusal.status) \(refusal.code.rawValue): \(refusal.message)" }
        return "200 \(result.principal?.tokenID ?? "anonymous")"
    }

    /// A JWT of somebody with these roles.
    func jwt(
        _ subject: String, roles: [String], tenant: String? = "acme", issuer: String = "https://id.example"
    ) throws -> String {
        var claims: JSONObject = [
            "iss": .string(issuer), "sub": .string(subject), "exp": .int(clock.now().seconds + 600),
            "roles": .strings(roles),
        ]
        if let tenant { claims["tenant_id"] = .string(tenant) }
        return try TokenForge.token(
            header: ["alg": "HS256", "typ": "JWT"], claims: .object(claims), key: .secret(Array(Self.secret.utf8)))
    }

    /// What is refused, as `<status> <code>: <message>`; `fine` where nothing is.
    static func refusal(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "fine"
        } catch {
            guard let refusal = error as? Refusal else { return "\(error)" }
            return "\(refusal.status) \(refusal.code.rawValue): \(refusal.message)"
        }
    }

    /// The details of what is refused.
    static func details(_ body: () async throws -> Void) async -> JSONObject? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? Refusal)?.details
        }
    }
}

/// Some accounts that are suspended.
final class Suspended: AccountStanding {
    let accounts: Set<String>

    init(_ accounts: Set<String>) { self.accounts = accounts }

    func isSuspended(_ account: String) -> Bool { accounts.contains(account) }
}

/// A store of keys in memory that can be taken away.
final class FlakyKeyStore: APIKeyStore {
    private let inner = InMemoryAPIKeyStore()
    private let isAway = Mutex(false)

    func goAway(_ away: Bool) { isAway.withLock { $0 = away } }

    private func check() throws(APIKeyStoreError) {
        if isAway.withLock({ $0 }) { throw APIKeyStoreError(.unavailable, "away") }
    }

    func load() async throws(APIKeyStoreError) -> (records: [APIKeyRecord], owners: [APIKeyOwner]) {
        try check()
        return try await inner.load()
    }

    func records(_ selection: CredentialSelection) async throws(APIKeyStoreError) -> [APIKeyRecord] {
        try check()
        return try await inner.records(selection)
    }

    func owners(_ identities: [APIKeyOwner.Identity]) async throws(APIKeyStoreError) -> [APIKeyOwner] {
        try check()
        return try await inner.owners(identities)
    }

    func write(_ changes: [APIKeyChange], limit: APIKeyLimit?) async throws(APIKeyStoreError) {
        try check()
        try await inner.write(changes, limit: limit)
    }

    func addUses(_ uses: [CredentialUse]) async throws(APIKeyStoreError) {
        try check()
        try await inner.addUses(uses)
    }

    func addUsage(_ rows: [APIKeyUsageRow]) async throws(APIKeyStoreError) {
        try check()
        try await inner.addUsage(rows)
    }

    func usage(of id: String, hours: Range<Int64>) async throws(APIKeyStoreError) -> [APIKeyUsageRow] {
        try check()
        return try await inner.usage(of: id, hours: hours)
    }

    func forgetUsage(before hour: Int64) async throws(APIKeyStoreError) -> Bool {
        try check()
        return try await inner.forgetUsage(before: hour)
    }

    func ping() async throws(APIKeyStoreError) { try check() }
}

private struct Unreachable: KeySetFetching {
    func fetch(_ source: RemoteKeySource, timeout: Duration) async throws(KeySetFetchError) -> FetchedDocument {
        throw KeySetFetchError(.unreachable, "there is no network here")
    }
}
