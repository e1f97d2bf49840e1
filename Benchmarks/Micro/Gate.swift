// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import HTTPService
internal import Logging
internal import ManifestFiles
internal import Pipeline
internal import RuntimeState

/// A whole gate without its doors: the pipeline over a compiled snapshot, real metrics, and an audit trail on disk.
struct Gate {
    static let host = "api.acme.example"

    let pipeline: RequestPipeline
    let authenticator: Authenticator
    let policy: CompiledPolicy
    let realm: AuthenticationRealm
    let hostPolicy = HostPolicy()
    let audit: AuditLog

    /// - Parameters:
    ///   - cachesSigned: whether verified JWTs are remembered; otherwise each one is verified anew.
    ///   - refusalsPerSecond: refusals of one address that are recorded whole.
    ///   - engine: asked instead of the evaluator in the process.
    ///   - metering: what every request costs.
    init(
        credentials: Credentials, directory: String, cachesSigned: Bool = true, refusalsPerSecond: Int = 100,
        engine: (any PolicyEngine)? = nil, stages: [any AdmissionStage] = [], metering: CompiledMetering? = nil,
        accounts: AccountTable = .empty
    ) throws {
        let clock = SystemWallClock()
        let random = SystemRandomSource()
        let metrics = PrometheusRegistry()
        var logger = Logger(label: "benchmark")
        logger.logLevel = .error
        var settings = AuditSettings(directory: directory, writer: "benchmark")
        settings.refusalsPerSecond = refusalsPerSecond
        audit = AuditLog(
            settings: settings, index: nil, clock: clock, random: random, logger: logger, metricsFactory: metrics)
        try audit.open()
        let remote = RemoteKeySets(
            fetcher: NoKeySets(), clock: clock, random: random, logger: logger, metricsFactory: metrics)
        authenticator = Authenticator(
            admin: nil, bootstrap: nil, tokens: credentials.table, keys: credentials.keys,
            jwt: JWTVerifier(remoteKeys: remote, cacheCapacity: cachesSigned ? 100_000 : 1),
            limiter: FailureLimiter(FailureLimitSettings()), prefixes: TokenPrefixes(), anyGlobalCredential: true,
            metrics: AuthenticationMetrics(factory: metrics), logger: logger)
        let routes = try YAMLReader.parse(BuiltInPolicy.routesYAML).first?.value ?? .null
        let policy = try CompiledPolicy.builtIn(routesDocument: routes)
        let realm = AuthenticationRealm(
            mode: .required, issuers: try IssuerTable(entries: credentials.signed.map(\.entry)))
        self.policy = policy
        self.realm = realm
        let config = CompiledAuthConfig(
            key: "default/benchmark", brokenReason: nil, realm: realm, policy: hostPolicy, requiredScopes: [],
            requiredWorkspaces: [], forwardsCredential: false, metering: metering)
        let now = clock.now()
        let snapshots = SnapshotStore(metricsFactory: metrics)
        _ = snapshots.publish { generation in
            RuntimeSnapshot(
                generation: generation, builtAt: now,
                hosts: HostTable([
                    HostTable.Candidate(key: config.key, createdAt: now, hosts: [Self.host, "*.acme.example"])
                ]), authConfigs: [config], policy: policy, ownRealm: realm, accounts: accounts, resources: [])
        }
        pipeline = RequestPipeline(
            snapshots: snapshots, authenticator: authenticator, audit: audit,
            stages: stages, observers: [APIKeyUsageObserver(keys: credentials.keys)], engine: engine,
            settings: PipelineSettings(), clock: clock, logger: logger, metricsFactory: metrics)
    }

    /// A request as a door hands it on.
    static func request(
        bearer token: String, method: String = "GET", path: String = "/v1/agent/tasks/task-4711", address: UInt32 = 1
    ) -> DecisionInput {
        var input = DecisionInput(door: .nginx, requestID: "0197a000-0000-7000-8000-000000000000")
        input.method = method
        input.host = host
        input.target = path
        input.scheme = "https"
        input.headers = HeaderList(lowercasedFields: [
            .init(name: "host", value: host), .init(name: "accept", value: "application/json"),
            .init(name: "user-agent", value: "benchmark/1.0"),
            .init(name: "authorization", value: "Bearer \(token)"),
        ])
        input.clientAddress = IPAddress(ipv4: 0xCB00_7100 + address)
        return input
    }
}

/// Nothing is fetched: every key is given.
private struct NoKeySets: KeySetFetching {
    func fetch(_ source: RemoteKeySource, timeout: Duration) async throws(KeySetFetchError) -> FetchedDocument {
        FetchedDocument(body: [], cacheControl: nil)
    }
}
