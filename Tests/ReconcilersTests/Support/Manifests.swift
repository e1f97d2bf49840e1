// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import TestSupport

/// Objects of tests from their YAML, and a compiler with the settings of most tests.
enum Manifests {
    struct Unreadable: Error {
        let text: String
    }

    static let start = Timestamp(seconds: 1_772_366_400)

    /// One AuthConfig.
    static func authConfig(
        _ name: String, namespace: String = "default", created: Int64 = 0, _ spec: String
    ) throws -> CompilerInput {
        try input("AuthConfig", name, namespace: namespace, created: created, spec)
    }

    /// One ServiceToken.
    static func serviceToken(
        _ spec: String, name: String = "ci", namespace: String = "default", created: Int64 = 0, rotate: String? = nil
    ) throws -> CompilerInput {
        let annotations = rotate.map { ", annotations: {tollgate.dev/rotate: \"\($0)\"}" } ?? ""
        return try input("ServiceToken", name, namespace: namespace, created: created, more: annotations, spec)
    }

    /// One Subscription.
    static func subscription(
        _ name: String, namespace: String = "default", created: Int64 = 0, _ spec: String
    ) throws -> CompilerInput {
        try input("Subscription", name, namespace: namespace, created: created, spec)
    }

    /// One ToolManifest.
    static func toolManifest(
        _ name: String, namespace: String = "default", created: Int64 = 0, _ spec: String
    ) throws -> CompilerInput {
        try input("ToolManifest", name, namespace: namespace, created: created, spec)
    }

    /// A compiler of Subscriptions over the shipped plans.
    static func subscriptions(_ accounts: SubscriptionAccounts? = nil) throws -> SubscriptionCompiler {
        SubscriptionCompiler(
            plans: PlanBook(try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML))),
            namespaces: NamespaceRules(platform: ["default"], tenants: ["acme": "acme-corp"]), accounts: accounts)
    }

    private static func input(
        _ kind: String, _ name: String, namespace: String, created: Int64, more: String = "", _ spec: String
    ) throws -> CompilerInput {
        try decode(
            """
            apiVersion: tollgate.dev/v1alpha1
            kind: \(kind)
            metadata: {name: \(name), namespace: \(namespace)\(more)}
            spec: \(spec)
            """, created: created)
    }

    /// A Secret or ConfigMap of one key.
    static func data(
        _ kind: String, _ name: String, namespace: String = "default", key: String = "key", _ text: String
    ) throws -> CompilerInput {
        try decode(
            """
            apiVersion: v1
            kind: \(kind)
            metadata: {name: \(name), namespace: \(namespace)}
            \(kind == "Secret" ? "stringData" : "data"): {\(key): '\(text)'}
            """, created: 0)
    }

    private static func decode(_ text: String, created: Int64) throws -> CompilerInput {
        let decoded = ResourceDecoder.decode(try YAMLText.json(text))
        guard let key = decoded.key else { throw Unreadable(text: "\(decoded.problems)") }
        return CompilerInput(
            key: key, object: decoded.object, problems: decoded.problems.map(\.description),
            claimedHosts: decoded.claimedHosts, generation: 1, createdAt: start.adding(seconds: created))
    }

    /// `default` is the platform; `acme` and `limited` have tenants, `limited` may only have hosts below limited.example.
    static func compiler(
        apiAuthConfig: String? = nil, isPubliclyExposed: Bool = false, mode: AuthMode = .optional,
        egress: EgressRules? = nil, reviewsTokens: Bool = false, tokenReview: TokenReviewPolicy? = nil
    ) throws -> SnapshotCompiler {
        SnapshotCompiler(
            settings: try settings(
                apiAuthConfig: apiAuthConfig, isPubliclyExposed: isPubliclyExposed, mode: mode, egress: egress,
                reviewsTokens: reviewsTokens, tokenReview: tokenReview))
    }

    /// The settings of that compiler.
    static func settings(
        apiAuthConfig: String? = nil, isPubliclyExposed: Bool = false, mode: AuthMode = .optional,
        egress: EgressRules? = nil, needsLabel: Bool = false, reviewsTokens: Bool = false,
        tokenReview: TokenReviewPolicy? = nil
    ) throws -> SnapshotCompiler.Settings {
        var global = IssuerEntry(name: "global")
        global.issuer = "https://global.example"
        global.secret = Redacted(Array(String(repeating: "g", count: 32).utf8))
        return SnapshotCompiler.Settings(
            namespaces: NamespaceRules(
                platform: ["default"], tenants: ["acme": "acme-corp", "limited": "limited-corp"]),
            defaults: RealmDefaults(
                mode: mode, isPubliclyExposed: isPubliclyExposed, issuers: try IssuerTable(entries: [global]),
                tokenReview: tokenReview),
            hostPolicy: ["limited": ["*.limited.example"]], apiAuthConfig: apiAuthConfig,
            egress: try egress ?? EgressRules(allowing: ["10.1.0.0/16", "keys.internal"]), needsLabel: needsLabel,
            reviewsTokens: reviewsTokens)
    }
}

extension SnapshotCompiler.Output {
    /// How an AuthConfig fared, with `Ready` summed up.
    func status(_ name: String, namespace: String = "default") -> ObjectStatus? {
        var status = statuses[ObjectKey(kind: .authConfig, namespace: namespace, name: name)]
        status?.sumUp()
        return status
    }

    /// `namespace/name` that covers a host, with `!` when it is closed; `-` for nobody.
    func holder(_ host: String) -> String {
        guard let match = hosts.match(host) else { return "-" }
        return authConfigs[match.index].key + (match.broken ? "!" : "")
    }
}

extension ObjectStatus {
    /// `True Reason`; `-` where the condition is not there.
    func shown(_ type: String) -> String { conditions[type].map { "\($0.state.rawValue) \($0.reason)" } ?? "-" }
}
