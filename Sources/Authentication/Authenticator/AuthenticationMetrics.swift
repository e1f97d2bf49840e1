// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import Metrics

/// The instruments of authentication, at zero from the start.
package struct AuthenticationMetrics: Sendable {
    private static let codes: [ErrorCode] = [
        .authMissingToken, .authInvalidScheme, .authInvalidToken, .authUnsupportedAlgorithm, .authTokenExpired,
        .authTokenRevoked, .authSessionExpired, .authInvalidAudience, .authInvalidIssuer, .authInvalidCertificate,
        .authTenantMismatch,
        .authAccountSuspended, .authIPForbidden, .authRateLimitedIP, .authRateLimitedIdentity, .authKeyUnavailable,
        .authStoreUnavailable, .authReviewUnavailable,
        .requestDuplicateHeader,
    ]

    private let successes: [Counter]
    private let failures: [ErrorCode: [Counter]]
    private let blockedAddresses: Counter
    private let blockedIdentities: Counter
    private let trustedProxies: Counter
    private let bootstrapUses: Counter
    private let reviews: [ReviewResult: Counter]
    private let factory: any MetricsFactory

    /// Makes them.
    package init(factory: any MetricsFactory) {
        self.factory = factory
        func counter(_ label: String, _ dimensions: [(String, String)] = []) -> Counter {
            let counter = Counter(label: label, dimensions: dimensions, factory: factory)
            counter.increment(by: 0)
            return counter
        }
        func attempts(_ result: String, _ code: String) -> [Counter] {
            Self.sources.map { source in
                counter(
                    "tollgate_auth_attempts_total",
                    [("source", source?.rawValue ?? "none"), ("result", result), ("code", code)])
            }
        }
        successes = attempts("success", "")
        failures = Dictionary(uniqueKeysWithValues: Self.codes.map { ($0, attempts("failure", $0.rawValue)) })
        blockedAddresses = counter("tollgate_auth_blocked_total", [("kind", "ip")])
        blockedIdentities = counter("tollgate_auth_blocked_total", [("kind", "identity")])
        trustedProxies = counter("tollgate_auth_blocked_total", [("kind", "trusted_proxy")])
        bootstrapUses = counter("tollgate_auth_bootstrap_used_total")
        reviews = Dictionary(
            uniqueKeysWithValues: ReviewResult.allCases.map {
                ($0, counter("tollgate_auth_token_review_total", [("result", $0.rawValue)]))
            })
    }

    private static let sources: [Credential.Source?] = [
        nil, .authorization, .query, .apiKeyHeader, .webSocketProtocol, .certificate, .described,
        .session,
    ]

    private static func index(_ source: Credential.Source?) -> Int {
        switch source {
        case nil: 0
        case .authorization: 1
        case .query: 2
        case .apiKeyHeader: 3
        case .webSocketProtocol: 4
        case .certificate: 5
        case .described: 6
        case .session: 7
        }
    }

    func succeeded(_ source: Credential.Source?) { successes[Self.index(source)].increment() }

    func failed(_ source: Credential.Source?, _ code: ErrorCode) {
        failures[code]?[Self.index(source)].increment()
        if code == .authRateLimitedIdentity { blockedIdentities.increment() }
    }

    func blockedAddress() { blockedAddresses.increment() }

    /// A trusted proxy would have been counted.
    func sparedTrustedProxy() { trustedProxies.increment() }

    /// What became of a question to the cluster; `limited` was never asked.
    enum ReviewResult: String, CaseIterable {
        case authenticated, refused, error, timeout, limited
    }

    func reviewed(_ result: ReviewResult) { reviews[result]?.increment() }

    func usedBootstrap() { bootstrapUses.increment() }

    /// Shows which mode was configured and which is in force.
    package func record(configured: AuthMode, effective: AuthMode) {
        for mode in AuthMode.allCases {
            for inForce in AuthMode.allCases where mode == configured || mode == inForce {
                Gauge(
                    label: "tollgate_auth_mode",
                    dimensions: [("configured", mode.rawValue), ("effective", inForce.rawValue)], factory: factory
                ).record(mode == configured && inForce == effective ? 1 : 0)
            }
        }
    }
}
