// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import Pipeline
internal import RuntimeState
internal import TestSupport

/// A pipeline with objects and stores, and one that has only what a document of the first says.
struct SidecarWorld {
    static let secret = "another-shared-secret-of-32-bytes-0001"
    static let key = TokenForge.curve("P-256")

    static let manifests = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: shop, namespace: acme}
        spec:
          hosts: [shop.example, "*.shop.example"]
          mode: required
          issuers:
            - {name: shared, issuer: "https://hs.example", secretRef: {name: key, key: key}, audiences: [shop], algorithms: [HS256]}
            - name: keys
              issuer: "https://es.example"
              audiences: [shop]
              algorithms: [ES256]
              jwks: {"keys": [JWK]}
          mappings:
            - {group: staff, roles: [editor], scopes: ["tasks:*"]}
          policy:
            scopes: enforce
            routes:
              - {methods: [GET], path: "/public/**", public: true}
              - {methods: [GET], path: "/tasks/{id}", permission: "tasks:read"}
              - {methods: [DELETE], path: "/tasks/{id}", permission: "tasks:delete"}
              - {methods: [GET], path: "/tenants/{tenant}/tasks", permission: "tasks:read"}
              - {methods: [GET], path: "/me", authenticated: true}
            rules:
              - {name: no-night, effect: deny, when: [{attribute: request.path, operator: prefix, value: "/tasks/night"}]}
          rate: {minute: 100000}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: key, namespace: acme}
        stringData: {key: "\(secret)"}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: elsewhere}
        spec: {hosts: [held.shop.example, other.example], mode: disabled}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: maybe, namespace: acme}
        spec: {hosts: [maybe.example], mode: optional, apiKeys: false}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: broken, namespace: acme}
        spec:
          hosts: [broken.example]
          issuers:
            - {name: main, issuer: "https://other.example", secretRef: {name: gone, key: key}, audiences: [api]}
        """

    let upstream: PipelineWorld
    let sidecar: PipelineWorld
    let documents: SidecarDocuments

    init(_ manifests: String? = nil) throws {
        let jwk = try TokenForge.jwk(Self.key, kid: "k1", alg: "ES256")
        let text = (manifests ?? Self.manifests).replacing("JWK", with: String(decoding: jwk.encoded(), as: UTF8.self))
        // Blocks are each one's own, and the table has more bad credentials than one address may show.
        let limits = FailureLimitSettings(perAddress: 0, perIdentity: 0)
        upstream = try PipelineWorld(manifests: nil, limits: limits)
        try upstream.publish(
            text,
            accounts: AccountTable(
                states: [
                    "acme": AccountState(
                        plan: "pro", isSubscribed: true, rate: RequestRate(minute: 50_000), apiKeys: 5,
                        features: PlanFeatures(modelTiers: ["basic"]), boughtPlan: "enterprise"),
                    "globex": AccountState(
                        plan: "pro", isSubscribed: true, rate: RequestRate(), apiKeys: 5, isSuspended: true),
                ], fallback: AccountState(plan: "free", isSubscribed: false, rate: RequestRate(), apiKeys: 2)))
        sidecar = try PipelineWorld(manifests: nil, limits: limits)
        documents = SidecarDocuments(
            SidecarDocuments.Sources(
                snapshots: upstream.snapshots, tokens: upstream.registry.table, keys: upstream.keys.table,
                prefixes: TokenPrefixes(), clock: upstream.clock
            ) { $0.mode != .disabled })
    }

    static let names = ["acme/broken", "acme/maybe", "acme/shop"]

    /// The document as it goes out.
    func written(
        _ names: [String] = Self.names, scope: SnapshotScope = .installation, version: UInt64 = 1
    ) async throws -> WrittenSidecarDocument {
        try await documents.document(for: names, scope: scope, version: version)
    }

    /// Puts what is upstream in force beside it.
    func feed(_ names: [String] = Self.names, scope: SnapshotScope = .installation, version: UInt64 = 1) async throws {
        let document = try SidecarDocument(bytes: try await written(names, scope: scope, version: version).bytes)
        sidecar.registry.table.replace(with: document.shared.tokens)
        sidecar.keys.table.replace(with: document.shared.keys, owners: document.shared.owners)
        let now = sidecar.clock.now()
        let hosts = HostTable(
            document.entries.map {
                HostTable.Candidate(
                    key: $0.config.key, createdAt: now, hosts: $0.hosts, broken: $0.config.brokenReason != nil)
            }, elsewhere: document.hostsElsewhere)
        _ = sidecar.snapshots.publish { generation in
            RuntimeSnapshot(
                generation: generation, builtAt: now, hosts: hosts, authConfigs: document.entries.map(\.config),
                policy: document.shared.policy, ownRealm: AuthenticationRealm(mode: .required),
                shares: document.shared.shares, accounts: document.shared.accounts, resources: [])
        }
    }

    /// A JWT that shop.example believes.
    func jwt(_ claims: JSONObject, issuer: String = "https://es.example", secret: String = Self.secret) throws -> String
    {
        var all: JSONObject = [
            "iss": .string(issuer), "aud": "shop", "sub": "u1", "exp": .int(upstream.clock.now().seconds + 600),
        ]
        for member in claims.members { all[member.name] = member.value }
        let isShared = issuer == "https://hs.example"
        return try TokenForge.token(
            header: isShared ? ["alg": "HS256", "typ": "JWT"] : ["alg": "ES256", "typ": "JWT", "kid": "k1"],
            claims: .object(all), key: isShared ? .secret(Array(secret.utf8)) : Self.key)
    }

    /// What both say, with the identity that they found.
    func answers(
        _ method: String = "GET", _ host: String = "shop.example", _ target: String = "/tasks/t1", token: String? = nil,
        address: String? = "192.0.2.10"
    ) async -> (upstream: String, sidecar: String) {
        let input = PipelineWorld.input(method, host, target, token: token, address: address)
        return (Self.text(await upstream.pipeline.decide(input)), Self.text(await sidecar.pipeline.decide(input)))
    }

    private static func text(_ decision: Decision) -> String {
        let principal = decision.principal
        return [
            PipelineWorld.text(decision), principal.tenantID ?? "-", principal.accountID ?? "-",
            principal.roles.joined(separator: ","), principal.scopes.joined(separator: ","),
            principal.authSource.rawValue,
            decision.authConfig ?? "-", decision.hostRule ?? "-", decision.route ?? "-",
            decision.policy?.permission ?? "-",
        ].joined(separator: " | ")
    }
}
