// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdTesting
internal import Logging
internal import Metrics
internal import NIOCore
internal import Persistence
internal import Pipeline
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import TestSupport
internal import Testing

/// The HTTP doors over the real pipeline, the real registry and a real database, on a clock that stands still.
struct LifecycleWorld {
    /// An answer as the steps of a case look at it.
    struct Reply {
        let status: Int
        let text: String

        /// The body as JSON; null when it is none.
        var json: JSONValue { (try? JSONParser.parse(text: text)) ?? .null }
    }

    static let adminText = Identity.Fixture.adminText
    private static let manifest = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: api}
        spec:
          hosts: [api.example.com]
          policy: {builtinRoutes: false, routes: [{methods: [GET], path: /me, authenticated: true}]}
        """

    let clock = ManualClock()
    private let folder: TemporaryDirectory
    private let store: SQLiteStore
    private let registry: ServiceTokenRegistry
    private let keys: APIKeyTable
    private let pipeline: RequestPipeline
    private let dependencies: HTTPDependencies
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private static let secret = "a-shared-secret-of-more-than-32-bytes-000"
    private static let issuer = "https://id.example"
    /// How many keys may be active on each plan that a case names.
    private static let apiKeys: [String: Int64] = ["free": 2, "pro": 10, "enterprise": 50]

    /// - Parameter plan: the plan of every account.
    init(plan: String? = nil) throws {
        let random = SeededRandom(seed: 17)
        folder = try TemporaryDirectory()
        store = try SQLiteStore(path: folder.path("tollgate.sqlite"), clock: clock)
        let table = ServiceTokenTable(heardAt: clock.now())
        registry = ServiceTokenRegistry(table: table, store: store, clock: clock, random: random, logger: logger)
        keys = APIKeyTable(heardAt: clock.now())
        let limiter = FailureLimiter(FailureLimitSettings())
        let metrics = PrometheusRegistry()
        let remote = RemoteKeySets(
            fetcher: NoKeySets(), clock: clock, random: random, logger: logger, metricsFactory: metrics)
        let authenticator = Authenticator(
            admin: AdminCredential(token: Redacted(Self.adminText), isGenerated: false), bootstrap: nil, tokens: table,
            keys: keys, jwt: JWTVerifier(remoteKeys: remote), limiter: limiter, prefixes: TokenPrefixes(),
            anyGlobalCredential: false, metrics: AuthenticationMetrics(factory: metrics), logger: logger)
        let state = AccountState(
            plan: plan ?? "free", isSubscribed: false, rate: RequestRate(), apiKeys: plan.flatMap { Self.apiKeys[$0] })
        let snapshots = try Self.snapshots(at: clock.now(), accounts: AccountTable(fallback: state))
        let policy = try #require(snapshots.current()).policy
        let keyRegistry = APIKeyRegistry(
            table: keys, store: SQLiteAPIKeyStore(store), prefixes: TokenPrefixes(),
            rules: APIKeyRules(
                catalogue: {
                    APIKeyCatalogue(
                        defaultScopes: policy.roles.apiKeyDefaultScopes, permissions: policy.roles.permissions)
                },
                allowance: { account, _ in
                    let state = snapshots.current()?.accounts.state(of: account)
                    return APIKeyAllowance(plan: state?.plan ?? "", limit: state?.apiKeys)
                }), clock: clock, random: random, logger: logger)
        let audit = FakeAuditRecorder()
        pipeline = RequestPipeline(
            snapshots: snapshots, authenticator: authenticator, audit: audit,
            settings: PipelineSettings(timeout: .seconds(60)), clock: clock, logger: logger, metricsFactory: metrics)
        dependencies = HTTPDependencies(
            decider: pipeline, audit: audit, tokens: registry, auditTrail: NoTrail(), resources: snapshots,
            idempotency: store, addresses: ClientAddressResolver(trusted: []),
            authBlocks: FailureLimiterBlocks(limiter: limiter, clock: clock), readiness: AlwaysReady(),
            metrics: metrics, modules: [APIKeyRoutes(keys: keyRegistry, auditTrail: NoTrail())], clock: clock,
            logger: logger, unknownPeer: IPAddress(ipv4: 0xC000_020A))
    }

    private static func snapshots(at now: Timestamp, accounts: AccountTable) throws -> SnapshotStore {
        let decoded = ResourceDecoder.decode(try YAMLText.json(manifest))
        let input = CompilerInput(
            key: try #require(decoded.key), object: decoded.object, problems: [], claimedHosts: [], generation: 1,
            createdAt: now)
        let output = SnapshotCompiler(
            settings: .init(
                namespaces: NamespaceRules(platform: ["default"], tenants: [:]),
                defaults: RealmDefaults(
                    mode: .optional, isPubliclyExposed: false,
                    issuers: try IssuerTable(
                        entries: [
                            IssuerEntry(
                                name: "cases", issuer: issuer, secret: Redacted(Array(secret.utf8)),
                                algorithms: [.hs256])
                        ])), hostPolicy: [:],
                apiAuthConfig: nil)
        ).compile([input])
        let policy = try CompiledPolicy.builtIn(routesDocument: YAMLText.json(BuiltInPolicy.routesYAML))
        let snapshots = SnapshotStore(metricsFactory: NOOPMetricsHandler.instance)
        _ = snapshots.publish { generation in
            RuntimeSnapshot(
                generation: generation, builtAt: now, hosts: output.hosts, authConfigs: output.authConfigs,
                policy: policy, ownRealm: output.ownRealm, accounts: accounts, resources: [])
        }
        return snapshots
    }

    /// Makes a token with the record's members, and gives its text.
    func token(_ record: JSONValue) async throws -> String {
        func list(_ name: String) -> [String] { record[name]?.arrayValue?.compactMap(\.stringValue) ?? [] }
        let grant = ServiceTokenGrant(
            scopes: list("scopes").sorted(), roles: list("roles"), workspaceIDs: list("workspace_ids"),
            tenantID: record["tenant_id"]?.stringValue)
        let admin = AdminCredential(token: Redacted(Self.adminText), isGenerated: false).principal
        let answer = try await registry.create(
            CreateServiceToken(identifier: record["identifier"]?.stringValue, grant: grant),
            caller: TokenCaller(principal: admin, admin: true) { _ in true })
        return try #require(answer.secret?.revealed)
    }

    /// A JWT with these claims.
    func jwt(_ claims: JSONValue) throws -> String {
        var all: JSONObject = ["iss": .string(Self.issuer), "exp": .int(clock.now().seconds + 86_400)]
        for member in claims.objectValue?.members ?? [] { all[member.name] = member.value }
        return try TokenForge.token(
            header: ["alg": "HS256", "typ": "JWT"], claims: .object(all), key: .secret(Array(Self.secret.utf8)))
    }

    /// A call of the own API.
    func send(_ method: String, _ path: String, body: JSONValue?, token: String) async throws -> Reply {
        let method = try #require(HTTPRequest.Method(method))
        let responder = GateResponder(
            settings: HTTPSettings(api: ListenAddress(host: "127.0.0.1", port: 0)), dependencies: dependencies,
            duties: [.ownAPI, .forwardAuth])
        let response = try await Application(responder: responder, logger: logger).test(.router) { client in
            try await client.executeRequest(
                uri: path, method: method, headers: [.authorization: "Bearer \(token)"],
                body: body.map { ByteBuffer(bytes: $0.encoded()) })
        }
        return Reply(status: response.status.code, text: String(buffer: response.body))
    }

    /// A workload request with a token; its decision.
    func present(_ token: String, asKey: Bool) async -> Decision {
        var input = DecisionInput(door: .traefik, requestID: "request-1")
        (input.method, input.host, input.target) = ("GET", "api.example.com", "/me")
        input.clientAddress = IPAddress(ipv4: 0xC000_020A)
        if asKey {
            input.headers.append(name: "x-api-key", value: token)
        } else {
            input.headers.append(name: "authorization", value: "Bearer \(token)")
        }
        return await pipeline.decide(input)
    }

    /// Moves the clock; the store is heard of all the while.
    func move(to seconds: Int64) {
        clock.set(Timestamp(seconds: 1_772_366_400 + seconds))
        registry.table.heard(at: clock.now())
        keys.heard(at: clock.now())
    }
}

/// A trail of which these cases ask nothing.
private struct NoTrail: AuditQuerying {
    func query(_ query: AuditQuery, as reader: AuditReader) async throws(Refusal) -> AuditPage {
        throw Refusal(.auditUnavailable)
    }

    func healingEvents(_ query: HealingQuery, as reader: AuditReader) async throws(Refusal) -> [JSONObject] {
        throw Refusal(.auditUnavailable)
    }
}

/// Nothing is ever wrong.
private struct AlwaysReady: ReadinessReporting {
    let isDraining = false
    let isLive = true

    func checks() -> [ReadinessCheck] { [] }
}
