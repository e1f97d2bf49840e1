// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import Metrics
internal import TestSupport
internal import Testing

@testable internal import Authentication

extension IdentityKinds {
    @Sendable static func jwksCache(_ record: CaseRecord) async throws {
        for row in record.rows {
            let given = try #require(row["given"])
            let timeToLive = CacheControl.timeToLive(
                settingSeconds: given["setting"]?.intValue ?? 300, header: given["cache_control"]?.stringValue)
            #expect(.int(timeToLive) == row["expect"]?["ttl"], "\(record.id): \(given.jsonText)")
        }
        guard !record.steps.isEmpty else { return }
        var run = try JWKSCacheRun(settingSeconds: record.given["setting"]?.intValue ?? 300)
        for step in record.steps { try run.take(step, record.id) }
    }
}

/// One issuer with a fetched key set, of which the steps of a case play the runner and the network.
private struct JWKSCacheRun {
    private static let source = RemoteKeySource.jwks(url: "https://idp.example/keys", trust: .settings)
    private let clock = ManualClock()
    private let start: Timestamp
    private let sets: RemoteKeySets
    private let slot: RemoteKeySlot
    private let verifier: JWTVerifier
    private let issuers: IssuerTable
    private var keys: [String: TokenForge.Key] = [:]
    /// nil = the URL answers with an error.
    private var served: [String]?
    private var fetches: Int64 = 0

    init(settingSeconds: Int64) throws {
        start = clock.now()
        sets = .forCases(settings: KeySetSettings(timeToLiveSeconds: settingSeconds), clock: clock)
        sets.use([Self.source])
        slot = try #require(sets.slot(for: Self.source))
        verifier = JWTVerifier(remoteKeys: sets)
        issuers = try IssuerTable(entries: [IssuerEntry(name: "idp", remote: Self.source, algorithms: [.es256])])
    }

    mutating func take(_ step: JSONValue, _ id: String) throws {
        clock.set(start.adding(seconds: try #require(step["at"]?.intValue)))
        if let serve = step["serve"] { served = serve.arrayValue?.compactMap(\.stringValue) }
        startFetches()
        if step["fetch"] == "done" { try endFetch() }
        let expect = try #require(step["expect"]?.objectValue)
        if let kid = step["token_kid"]?.stringValue { try present(kid: kid, expect, id) }
        startFetches()
        #expect(expect["fetches"] == .int(fetches), "\(id) at \(step["at"]?.jsonText ?? "")")
    }

    private mutating func startFetches() {
        while slot.nextAction(now: clock.now()) == .fetch { fetches += 1 }
    }

    private mutating func endFetch() throws {
        guard let served else {
            _ = slot.failed(KeySetFetchError(.badStatus, "status 500"), now: clock.now())
            return
        }
        let jwks = try served.map { try TokenForge.jwk(key($0), kid: $0) }
        slot.succeeded(
            try KeySet(json: ["keys": .array(jwks)]), cacheControl: nil, jitter: 0.5, now: clock.now())
    }

    private mutating func present(kid: String, _ expect: JSONObject, _ id: String) throws {
        let now = clock.now()
        let text = try TokenForge.token(
            header: ["alg": "ES256", "kid": .string(kid)], claims: ["sub": "u", "exp": .int(now.seconds + 3600)],
            key: key(kid))
        switch verifier.verify(text, issuers: issuers, certificateThumbprint: nil, now: now) {
        case .verified: #expect(expect["status"] == 200, "\(id): \(kid)")
        case .needsReview: Issue.record("\(id): no cluster judges tokens here")
        case .refused(let refusal, _):
            #expect(expect["status"] == .int(Int64(refusal.status)), "\(id): \(kid)")
            #expect(expect["code"] == .string(refusal.code.rawValue), "\(id): \(kid)")
            if let wait = expect["retry_after"] { #expect(refusal.retryAfterSeconds == wait.intValue, "\(id)") }
        }
    }

    private mutating func key(_ kid: String) -> TokenForge.Key {
        if let key = keys[kid] { return key }
        let key = TokenForge.curve("P-256")
        keys[kid] = key
        return key
    }
}

extension RemoteKeySets {
    /// Holds sets whose fetches the case itself plays.
    static func forCases(
        settings: KeySetSettings = KeySetSettings(), clock: ManualClock = ManualClock()
    ) -> RemoteKeySets {
        struct Unused: KeySetFetching {
            func fetch(
                _ source: RemoteKeySource, timeout: Duration
            ) async throws(KeySetFetchError) -> FetchedDocument {
                throw KeySetFetchError(.unreachable, "nothing is fetched here")
            }
        }
        return RemoteKeySets(
            fetcher: Unused(), settings: settings, clock: clock, random: SeededRandom(seed: 1),
            logger: Logger(label: "cases", factory: { _ in SwiftLogNoOpLogHandler() }),
            metricsFactory: NOOPMetricsHandler.instance)
    }
}
