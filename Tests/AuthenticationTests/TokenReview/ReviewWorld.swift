// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import Metrics
internal import MetricsTestKit
internal import TestSupport

@testable internal import Authentication

/// An authenticator that can ask a cluster, on clocks that stand still.
struct ReviewWorld {
    static let issuer = "https://kubernetes.default.svc.cluster.local"
    static let user = ReviewedUser(
        username: "system:serviceaccount:ci:builder", uid: "uid-1",
        groups: ["system:authenticated", "system:serviceaccounts", "system:serviceaccounts:ci"],
        extra: ["authentication.kubernetes.io/credential-id": ["JTI=4711"]])

    let clock = ManualClock()
    let time = ManualMonotonicClock()
    let metrics = TestMetrics()
    let reviewer: FakeTokenReviewer
    let reviews: TokenReviews
    let limiter = FailureLimiter(FailureLimitSettings())
    let authenticator: Authenticator
    var realm: AuthenticationRealm

    init(
        _ answer: FakeTokenReviewer.Answer = .success(.authenticated(ReviewWorld.user, audiences: ["tollgate"])),
        issuers: IssuerTable = .empty, mappings: [IdentityMapping] = [], knowsIssuer: Bool = true,
        settings: TokenReviewSettings = TokenReviewSettings()
    ) {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let counters = AuthenticationMetrics(factory: metrics)
        reviewer = FakeTokenReviewer(answer)
        reviews = TokenReviews(
            reviewer: reviewer, settings: settings, clock: clock, time: time, metrics: counters, logger: logger)
        if knowsIssuer { reviews.use(clusterIssuer: Self.issuer) }
        authenticator = Authenticator(
            admin: nil, bootstrap: nil, tokens: ServiceTokenTable(heardAt: clock.now()),
            jwt: JWTVerifier(
                remoteKeys: RemoteKeySets(
                    fetcher: NoKeys(), clock: clock, random: SeededRandom(seed: 5), logger: logger,
                    metricsFactory: metrics)),
            limiter: limiter, prefixes: TokenPrefixes(), reviews: reviews, anyGlobalCredential: false,
            metrics: counters, logger: logger)
        realm = AuthenticationRealm(
            mode: .required, issuers: issuers, tokenReview: TokenReviewPolicy(),
            mappings: IdentityMappings(mappings))
    }

    /// A token as the cluster makes them; its signature is nobody's business here.
    func token(_ claims: JSONObject = [:], without: [String] = [], number: Int = 0) throws -> String {
        var all: JSONObject = [
            "iss": .string(Self.issuer), "aud": ["tollgate"], "sub": "system:serviceaccount:ci:builder",
            "exp": .int(clock.now().seconds + 3600), "n": .int(Int64(number)),
        ]
        for member in claims.members { all[member.name] = member.value }
        let kept = JSONObject(all.members.filter { !without.contains($0.name) }.map { ($0.name, $0.value) })
        return try TokenForge.token(
            header: ["alg": "RS256", "kid": "k"], claims: .object(kept), key: nil) + "c2ln"
    }

    func request(_ text: String, review: ReviewedToken? = nil, isDryRun: Bool = false) -> AuthenticationRequest {
        AuthenticationRequest(
            headers: HeaderList([("authorization", "Bearer \(text)")]), query: nil, method: "GET",
            surface: .workload(publicRoute: false),
            client: ClientContext(address: IPAddress("192.0.2.10"), isDryRun: isDryRun), review: review)
    }

    func authenticate(_ text: String, review: ReviewedToken? = nil) -> AuthenticationResult {
        authenticator.authenticate(request(text, review: review), realm: realm, now: clock.now())
    }

    /// Authenticates as the pipeline does: asks where it has to.
    func asking(_ text: String, timeLeft: Duration? = nil) async -> AuthenticationResult {
        let first = authenticate(text)
        guard let pending = first.pendingReview else { return first }
        return authenticate(text, review: await authenticator.review(pending, timeLeft: timeLeft))
    }

    /// `200 <subject>`, `<status> <code>`, or `asks`.
    static func text(_ result: AuthenticationResult) -> String {
        if result.pendingReview != nil { return "asks" }
        if let refusal = result.refusal { return "\(refusal.status) \(refusal.code.rawValue)" }
        return "200 \(result.principal?.subject ?? "")"
    }

    /// Runs the reviews beside the body.
    func running(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.reviews.run() }
            do { try await body() } catch {
                reviewer.release()
                group.cancelAll()
                throw error
            }
            reviewer.release()
            group.cancelAll()
        }
    }

    func count(_ result: String) throws -> Int64 {
        try metrics.expectCounter("tollgate_auth_token_review_total", [("result", result)]).totalValue
    }
}

private struct NoKeys: KeySetFetching {
    func fetch(_ source: RemoteKeySource, timeout: Duration) async throws(KeySetFetchError) -> FetchedDocument {
        throw KeySetFetchError(.unreachable, "there is no network here")
    }
}
