// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import Logging
internal import Metrics
internal import MetricsTestKit
internal import Pipeline
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import TestSupport

/// The real pipeline over a snapshot that was compiled from manifests, with tokens in memory and a clock that stands still.
struct PipelineWorld {
    static let adminText = "admin-secret-of-the-test-runs-000001"
    static let policy = Result { try CompiledPolicy.builtIn(routesDocument: YAMLText.json(BuiltInPolicy.routesYAML)) }

    let clock = ManualClock()
    let random = SeededRandom(seed: 11)
    let metrics = TestMetrics()
    let audit = FakeAuditRecorder()
    let snapshots: SnapshotStore
    let registry: ServiceTokenRegistry
    let keys: APIKeyRegistry
    let limiter: FailureLimiter
    /// What asks the cluster; nil where there is none.
    let reviews: TokenReviews?
    /// The clock of its questions.
    let reviewTime = ManualMonotonicClock()
    let sessions: SessionKeeper
    let pipeline: RequestPipeline

    init(
        manifests: String? = StandardManifests.text, limits: FailureLimitSettings = FailureLimitSettings(),
        isAdminGenerated: Bool = false, stages: [any AdmissionStage] = [], engine: (any PolicyEngine)? = nil,
        settings: PipelineSettings = PipelineSettings(timeout: .seconds(3600)), bootstrap: BootstrapSettings? = nil,
        reviewer: (any TokenReviewing)? = nil
    ) throws {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        snapshots = SnapshotStore(metricsFactory: metrics)
        let table = ServiceTokenTable(heardAt: clock.now())
        registry = ServiceTokenRegistry(
            table: table, store: InMemoryTokenStore(), clock: clock, random: random, logger: logger)
        keys = APIKeyRegistry(
            table: APIKeyTable(heardAt: clock.now()), store: InMemoryAPIKeyStore(), prefixes: TokenPrefixes(),
            rules: APIKeyRules(
                catalogue: { APIKeyCatalogue(defaultScopes: ["tasks:read"]) },
                allowance: { _, _ in APIKeyAllowance(plan: "free", limit: nil) }),
            clock: clock, random: random, logger: logger)
        limiter = FailureLimiter(limits)
        let remote = RemoteKeySets(
            fetcher: NoKeySets(), clock: clock, random: random, logger: logger, metricsFactory: metrics)
        let counters = AuthenticationMetrics(factory: metrics)
        reviews = reviewer.map { [clock, reviewTime] in
            TokenReviews(reviewer: $0, clock: clock, time: reviewTime, metrics: counters, logger: logger)
        }
        reviews?.use(clusterIssuer: "https://cluster.example")
        let authenticator = Authenticator(
            admin: AdminCredential(token: Redacted(Self.adminText), isGenerated: isAdminGenerated),
            bootstrap: bootstrap.map { BootstrapCredential($0, adminPermissions: ["tasks:delete"]) }, tokens: table,
            keys: keys.table, jwt: JWTVerifier(remoteKeys: remote), limiter: limiter, prefixes: TokenPrefixes(),
            reviews: reviews, anyGlobalCredential: false, metrics: counters, logger: logger)
        guard let seal = SessionSeal(keys: [random.bytes(32)]) else { throw BadManifest(text: "no seal") }
        sessions = SessionKeeper(
            store: SessionStore(
                backend: MemorySessionBackend(), seal: seal, clock: clock, time: ManualMonotonicClock(), random: random),
            clock: clock, random: random)
        pipeline = RequestPipeline(
            snapshots: snapshots, authenticator: authenticator, sessions: sessions, audit: audit, stages: stages,
            observers: [APIKeyUsageObserver(keys: keys.table)], engine: engine,
            settings: settings, clock: clock, logger: logger, metricsFactory: metrics)
        if let manifests { try publish(manifests) }
    }

    /// Compiles manifests and puts them in force.
    @discardableResult
    func publish(
        _ manifests: String, apiAuthConfig: String? = nil, accounts: AccountTable = .empty
    ) throws -> RuntimeSnapshot {
        let output = try Self.compile(manifests, at: clock.now(), apiAuthConfig: apiAuthConfig)
        let policy = try Self.policy.get()
        let now = clock.now()
        return snapshots.publish { generation in
            RuntimeSnapshot(
                generation: generation, builtAt: now, hosts: output.hosts, authConfigs: output.authConfigs,
                policy: policy, ownRealm: output.ownRealm, accounts: accounts, resources: [])
        }
    }

    static func compile(
        _ manifests: String, at now: Timestamp, apiAuthConfig: String? = nil
    ) throws -> SnapshotCompiler.Output {
        let compiler = SnapshotCompiler(
            settings: .init(
                namespaces: NamespaceRules(platform: ["default"], tenants: ["acme": "acme"]),
                defaults: RealmDefaults(mode: .optional, isPubliclyExposed: false, issuers: .empty),
                hostPolicy: [:], apiAuthConfig: apiAuthConfig))
        let inputs = try manifests.split(separator: "\n---\n").map { text in
            let decoded = ResourceDecoder.decode(try YAMLText.json(String(text)))
            guard let key = decoded.key else { throw BadManifest(text: "\(decoded.problems)") }
            return CompilerInput(
                key: key, object: decoded.object, problems: decoded.problems.map(\.description),
                claimedHosts: decoded.claimedHosts, generation: 1, createdAt: now)
        }
        return compiler.compile(inputs)
    }

    struct BadManifest: Error {
        let text: String
    }

    /// A service token with that grant.
    func token(_ identifier: String, _ grant: ServiceTokenGrant, expiresIn: Int64? = nil) async throws -> String {
        let caller = TokenCaller(
            principal: AdminCredential(token: Redacted(Self.adminText), isGenerated: false).principal, admin: true
        ) { _ in true }
        let request = CreateServiceToken(identifier: identifier, grant: grant, expiresInSeconds: expiresIn)
        return try await registry.create(request, caller: caller).secret?.revealed ?? ""
    }

    /// A JWT that jwt.example.com believes.
    func jwt(_ claims: JSONObject) throws -> String {
        var all: JSONObject = [
            "iss": "https://id.example", "aud": "api", "sub": "u1", "exp": .int(clock.now().seconds + 600),
        ]
        for member in claims.members { all[member.name] = member.value }
        return try TokenForge.token(
            header: ["alg": "HS256", "typ": "JWT"], claims: .object(all),
            key: .secret(Array(StandardManifests.secret.utf8)))
    }

    /// A request as a proxy describes it.
    static func input(
        _ method: String? = "GET", _ host: String? = "api.example.com", _ target: String? = "/tasks/t1",
        token: String? = nil, door: Door = .traefik, address: String? = "192.0.2.10"
    ) -> DecisionInput {
        var input = DecisionInput(door: door, requestID: "request-1")
        input.method = method
        input.host = host
        input.target = target
        input.clientAddress = address.flatMap { IPAddress($0) }
        if let token { input.headers.append(name: "authorization", value: "Bearer \(token)") }
        return input
    }

    /// `200 <subject>` or `<status> <code>`.
    func outcome(
        _ method: String? = "GET", _ host: String? = "api.example.com", _ target: String? = "/tasks/t1",
        token: String? = nil, address: String? = "192.0.2.10"
    ) async -> String {
        Self.text(await pipeline.decide(Self.input(method, host, target, token: token, address: address)))
    }

    static func text(_ decision: Decision) -> String {
        decision.refusal.map { "\($0.status) \($0.code.rawValue)" } ?? "200 \(decision.principal.subject)"
    }

    func count(_ label: String, _ dimensions: [(String, String)] = []) throws -> Int64 {
        try metrics.expectCounter(label, dimensions).totalValue
    }
}

/// No key set can be fetched.
private struct NoKeySets: KeySetFetching {
    func fetch(_ source: RemoteKeySource, timeout: Duration) async throws(KeySetFetchError) -> FetchedDocument {
        throw KeySetFetchError(.unreachable, "no network in tests")
    }
}
