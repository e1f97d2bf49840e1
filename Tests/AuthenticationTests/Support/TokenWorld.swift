// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Logging
internal import Metrics
internal import MetricsTestKit
internal import TestSupport

/// An authenticator with its table, registry and limiter, on a clock that stands still.
struct TokenWorld {
    static let adminText = "admin-secret-of-the-test-runs-000001"
    static let bootstrapText = "bootstrap-secret-of-the-test-runs-01"

    let clock = ManualClock()
    let random = SeededRandom(seed: 3)
    let metrics = TestMetrics()
    let table: ServiceTokenTable
    let registry: ServiceTokenRegistry
    let limiter: FailureLimiter
    let authenticator: Authenticator
    var realm = AuthenticationRealm(mode: .required)

    init(
        store: any ServiceTokenStore = InMemoryTokenStore(), limits: FailureLimitSettings = FailureLimitSettings(),
        bootstrap: BootstrapSettings? = nil
    ) {
        table = ServiceTokenTable(heardAt: clock.now())
        registry = ServiceTokenRegistry(
            table: table, store: store, clock: clock, random: random, logger: Logger(label: "test"))
        limiter = FailureLimiter(limits)
        let remote = RemoteKeySets(
            fetcher: Unreachable(), clock: clock, random: random, logger: Logger(label: "test"),
            metricsFactory: metrics)
        authenticator = Authenticator(
            admin: AdminCredential(token: Redacted(Self.adminText), isGenerated: false),
            bootstrap: bootstrap.map { BootstrapCredential($0, adminPermissions: ["tasks:delete"]) }, tokens: table,
            jwt: JWTVerifier(remoteKeys: remote), limiter: limiter, prefixes: TokenPrefixes(),
            anyGlobalCredential: false, metrics: AuthenticationMetrics(factory: metrics), logger: Logger(label: "test"))
    }

    /// The admin token's holder.
    static let root = TokenCaller(
        principal: AdminCredential(token: Redacted(adminText), isGenerated: false).principal, admin: true
    ) { _ in true }

    func request(
        _ text: String?, surface: AuthenticationRequest.Surface = .workload(publicRoute: false),
        address: String? = "192.0.2.10"
    ) -> AuthenticationRequest {
        AuthenticationRequest(
            headers: text.map { HeaderList([("authorization", "Bearer \($0)")]) } ?? HeaderList(), query: nil,
            method: "GET", surface: surface, client: ClientContext(address: address.flatMap { IPAddress($0) }))
    }

    func authenticate(
        _ text: String?, surface: AuthenticationRequest.Surface = .workload(publicRoute: false),
        address: String? = "192.0.2.10"
    ) -> AuthenticationResult {
        authenticator.authenticate(
            request(text, surface: surface, address: address), realm: realm, now: clock.now())
    }

    /// `200 <token id>` or `<status> <code>`.
    func outcome(
        _ text: String?, surface: AuthenticationRequest.Surface = .workload(publicRoute: false),
        address: String? = "192.0.2.10"
    ) -> String {
        let result = authenticate(text, surface: surface, address: address)
        if let refusal = result.refusal { return "\(refusal.status) \(refusal.code.rawValue)" }
        return "200 \(result.principal?.tokenID ?? "anonymous")"
    }

    func count(_ label: String, _ dimensions: [(String, String)] = []) throws -> Int64 {
        try metrics.expectCounter(label, dimensions).totalValue
    }
}

private struct Unreachable: KeySetFetching {
    func fetch(_ source: RemoteKeySource, timeout: Duration) async throws(KeySetFetchError) -> FetchedDocument {
        throw KeySetFetchError(.unreachable, "there is no network here")
    }
}
