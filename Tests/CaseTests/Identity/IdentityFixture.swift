// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Logging
internal import Metrics
internal import TestSupport
internal import Testing

/// What several kinds of identity cases need.
enum Identity {
    /// `[[name, value]…]`.
    static func headers(_ value: JSONValue?) -> HeaderList {
        HeaderList(
            (value?.arrayValue ?? []).map { pair in
                (pair.arrayValue?.first?.stringValue ?? "", pair.arrayValue?.last?.stringValue ?? "")
            })
    }

    static func settings(_ value: JSONValue?) -> Result<AuthenticationSettings, AuthenticationSettingsProblems> {
        var texts: [String: String] = [:]
        for member in value?.objectValue?.members ?? [] { texts[member.name] = member.value.stringValue }
        return AuthenticationSettings.parse(texts)
    }

    static func expectNoStart(
        _ parsed: Result<AuthenticationSettings, AuthenticationSettingsProblems>, _ expect: JSONValue
    ) {
        guard case .failure(let problems) = parsed else {
            Issue.record("it starts")
            return
        }
        let names = expect["names"]?.arrayValue?.compactMap(\.stringValue) ?? []
        #expect(Set(problems.problems.map(\.setting)) == Set(names))
    }

    static func expect(_ refusal: Refusal, _ expect: JSONValue) {
        #expect(Int64(refusal.status) == expect["status"]?.intValue)
        #expect(refusal.code.rawValue == expect["code"]?.stringValue)
        if let challenge = expect["www_authenticate"]?.stringValue { #expect(refusal.challenge == challenge) }
        if let wait = expect["retry_after"]?.intValue { #expect(refusal.retryAfterSeconds == wait) }
    }

    /// An authenticator as settings make it, with some service tokens.
    struct Fixture {
        static let adminText = "admin-secret-of-the-test-runs-000001"
        let now = Timestamp(seconds: 1_772_366_400)
        let table: ServiceTokenTable
        let keys = APIKeyTable()
        let authenticator: Authenticator
        let realm: AuthenticationRealm
        private let secrets: [String: String]

        init(_ settings: AuthenticationSettings, givenTokens: [String]) throws {
            let random = SeededRandom(seed: 1)
            table = ServiceTokenTable(heardAt: now)
            var secrets: [String: String] = [:]
            for id in givenTokens {
                let text = TokenText.generate(prefix: "tgs_", id: id, random: random).revealed
                secrets[id] = text
                table.put([
                    ServiceTokenRecord(
                        identifier: id, secretDigest: SecretDigest(of: text), grant: ServiceTokenGrant(),
                        issuedAt: now, createdBy: "test")
                ])
            }
            self.secrets = secrets
            let remote = RemoteKeySets(
                fetcher: NoKeySets(), clock: ManualClock(now), random: random, logger: Logger(label: "test"),
                metricsFactory: NOOPMetricsHandler.instance)
            let admin = settings.adminToken ?? (settings.bootstrap == nil ? Redacted(Self.adminText) : nil)
            authenticator = Authenticator(
                admin: admin.map { AdminCredential(token: $0, isGenerated: settings.adminToken == nil) },
                bootstrap: settings.bootstrap.map {
                    BootstrapCredential($0, adminPermissions: ["admin:access", "tasks:delete"])
                },
                tokens: table, keys: keys, jwt: JWTVerifier(remoteKeys: remote),
                limiter: FailureLimiter(settings.limits),
                prefixes: settings.prefixes, anyGlobalCredential: settings.configuresIssuers,
                metrics: AuthenticationMetrics(factory: NOOPMetricsHandler.instance), logger: Logger(label: "test"))
            realm = AuthenticationRealm(
                mode: settings.mode.effective(origins: []), issuers: try IssuerTable(entries: settings.issuers))
        }

        /// `none`, `bad`, `good`, `bad:<id>` or `good:<id>`.
        func headers(presenting credential: String) -> HeaderList {
            let parts = credential.split(separator: ":").map(String.init)
            let text: String
            switch (parts[0], parts.dropFirst().first) {
            case ("good", let id?): text = secrets[id] ?? ""
            case ("good", nil): text = Self.adminText
            case ("bad", let id?):
                text = TokenText.make(prefix: "tgs_", id: id, secret: String(repeating: "B", count: 43)).revealed
            case ("bad", nil): text = "nothing-that-matches"
            default: return HeaderList()
            }
            return HeaderList([("Authorization", "Bearer \(text)")])
        }

        /// Steps 3 and 4 of the pipeline.
        func authenticate(
            headers: HeaderList, surface: AuthenticationRequest.Surface, address: IPAddress? = IPAddress("192.0.2.10"),
            at seconds: Int64 = 0
        ) -> AuthenticationResult {
            let request = AuthenticationRequest(
                headers: headers, query: nil, method: "GET", surface: surface, client: ClientContext(address: address))
            let instant = now.adding(seconds: seconds)
            if let refusal = authenticator.addressRefusal(request, realm: realm, now: instant) {
                return AuthenticationResult(
                    verdict: .refusal(refusal), source: nil, enforcing: true, detail: refusal.code.rawValue)
            }
            return authenticator.authenticate(request, realm: realm, now: instant)
        }
    }
}

/// Nothing is fetched in these cases.
struct NoKeySets: KeySetFetching {
    func fetch(_ source: RemoteKeySource, timeout: Duration) async throws(KeySetFetchError) -> FetchedDocument {
        throw KeySetFetchError(.unreachable, "there is no network here")
    }
}
