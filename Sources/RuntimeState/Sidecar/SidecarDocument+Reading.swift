// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials

extension SidecarDocument {
    /// Reads and compiles a document as a whole.
    ///
    /// - Throws: `SidecarDocumentError` for the first thing that is wrong; then nothing of it may be put in force.
    package init(bytes: [UInt8]) throws(SidecarDocumentError) {
        guard bytes.count <= Self.maximumBytes else {
            throw SidecarDocumentError(.malformed, at: "", "has more than \(Self.maximumBytes) bytes")
        }
        let value: JSONValue
        do throws(JSONParser.Failure) {
            value = try JSONParser.parse(bytes, limits: .init(depth: 64, values: 20_000_000))
        } catch {
            throw SidecarDocumentError(.malformed, at: "", "is not JSON: \(error)")
        }
        guard let object = value.objectValue else {
            throw SidecarDocumentError(.malformed, at: "", "is a \(value.kindName), not an object")
        }
        let root = WireObject(object)
        let format = try root.text("format")
        guard format == Self.format else {
            throw SidecarDocumentError(
                .unsupportedFormat, at: "format",
                "\(format.prefix(64)) is not \(Self.format): run the same version beside the workload as upstream")
        }
        self.init(
            entries: try root.each("auth_configs", SidecarReader.entry),
            hostsElsewhere: try root.texts("hosts_elsewhere"),
            shared: try SidecarReader.shared(try root.member("shared")))
        let own = Set(entries.flatMap(\.hosts))
        if let both = hostsElsewhere.first(where: own.contains) {
            throw SidecarDocumentError(
                .invalid, at: "hosts_elsewhere", "has \(both.prefix(253)), which an AuthConfig of the document holds")
        }
    }
}

/// Reads the parts of a document. What is not certain is an error, never a default.
enum SidecarReader {
    typealias Failure = SidecarDocumentError

    static func entry(_ wire: WireObject) throws(Failure) -> SidecarDocument.Entry {
        let hosts = try wire.texts("hosts")
        if let reason = try wire.optionalText("broken") {
            return SidecarDocument.Entry(
                config: CompiledAuthConfig(
                    key: try wire.text("key"), tenant: try wire.optionalText("tenant"), brokenReason: reason,
                    realm: AuthenticationRealm(mode: .required), policy: HostPolicy(), requiredScopes: [],
                    requiredWorkspaces: [], forwardsCredential: false), hosts: hosts, isEnforcing: true)
        }
        let require = try wire.member("require")
        let rules = try wire.member("policy").list("rules")
        let isEnforcing = try wire.flag("enforcing")
        let config = CompiledAuthConfig(
            key: try wire.text("key"), tenant: try wire.optionalText("tenant"), brokenReason: nil,
            realm: try realm(wire, isEnforcing: isEnforcing), policy: try policy(try wire.member("policy")),
            ruleDocuments: rules, requiredScopes: try require.texts("scopes"),
            requiredWorkspaces: try require.texts("workspaces"),
            forwardsCredential: try wire.flag("forward_credential"), rate: try optionalRate(wire, "rate"),
            metering: try metering(wire), routeMetering: try routeMetering(wire))
        return SidecarDocument.Entry(config: config, hosts: hosts, isEnforcing: isEnforcing)
    }

    private static func metering(_ wire: WireObject) throws(Failure) -> CompiledMetering? {
        guard let document = wire.value("metering") else { return nil }
        do throws(MeteringDocument.Fault) {
            return try MeteringDocument.read(document)
        } catch {
            throw Failure(.invalid, at: wire.path("metering"), error.text(at: "metering"))
        }
    }

    private static func routeMetering(_ wire: WireObject) throws(Failure) -> [Int: CompiledMetering] {
        let policy = try wire.member("policy")
        let routes = try policy.list("routes")
        do throws(RouteMeteringFault) {
            return try CompiledAuthConfig.routeMetering(routes)
        } catch {
            throw Failure(.invalid, at: policy.path("routes"), error.text(below: "routes"))
        }
    }

    private static func realm(_ wire: WireObject, isEnforcing: Bool) throws(Failure) -> AuthenticationRealm {
        let mappings = IdentityMappings(try wire.each("mappings", mapping))
        let table: IssuerTable
        do {
            table = try IssuerTable(entries: try wire.each("issuers", issuer), mappings: mappings)
        } catch let error as SidecarDocumentError {
            throw error
        } catch {
            throw Failure(.invalid, at: wire.path("issuers"), "\(error)")
        }
        let certificates = try wire.optionalMember("client_certificates")
        let review = try wire.optionalMember("token_review")
        return AuthenticationRealm(
            mode: try wire.choice("mode", AuthMode.self), issuers: table,
            serviceTokens: try wire.flag("service_tokens"), apiKeys: try wire.flag("api_keys"),
            clientCertificates: try certificates.map { wire throws(Failure) in
                ClientCertificatePolicy(trustDomains: try wire.texts("trust_domains"))
            },
            tokenReview: try review.map { wire throws(Failure) in
                TokenReviewPolicy(audiences: try wire.texts("audiences"))
            }, mappings: mappings, hasCredentials: isEnforcing)
    }

    private static func issuer(_ wire: WireObject) throws(Failure) -> IssuerEntry {
        var algorithms: Set<SignatureAlgorithm> = []
        for name in try wire.texts("algorithms") {
            guard let algorithm = SignatureAlgorithm(rawValue: name) else {
                throw Failure(.invalid, at: wire.path("algorithms"), "\(name.prefix(16)) is not known here")
            }
            algorithms.insert(algorithm)
        }
        var entry = IssuerEntry(
            name: try wire.text("name"), issuer: try wire.optionalText("issuer"),
            audiences: try wire.texts("audiences"),
            algorithms: algorithms, leewaySeconds: try wire.integer("leeway_seconds"),
            roleClients: try wire.texts("role_clients"), requiredClaims: try wire.texts("required_claims"),
            tenant: try wire.optionalText("tenant"), platform: try wire.flag("platform"),
            acceptsIDTokens: try wire.flag("accepts_id_tokens"),
            authorizedParty: try wire.optionalText("authorized_party"),
            authSource: try wire.choice("auth_source", Principal.AuthSource.self))
        if let text = try wire.optionalText("secret") {
            guard let bytes = PaddedBase64.decode(text), bytes.count >= 32 else {
                throw wire.fault("secret", "is not base64 of at least 32 bytes")
            }
            entry.secret = Redacted(bytes)
        }
        entry.isSecretWithheld = try wire.flag("secret_withheld")
        if let keys = wire.value("keys") {
            do {
                entry.staticKeys = try KeySet(json: keys)
            } catch {
                throw Failure(.invalid, at: wire.path("keys"), "\(error)")
            }
        }
        if let remote = try wire.optionalMember("remote") { entry.remote = try source(remote) }
        return entry
    }

    private enum RemoteKind: String { case jwks, discovery }
    private enum RemoteTrust: String { case settings, object }

    private static func source(_ wire: WireObject) throws(Failure) -> RemoteKeySource {
        let trust: EgressTrust = try wire.choice("trust", RemoteTrust.self) == .settings ? .settings : .object
        let url = try wire.text("url")
        switch try wire.choice("kind", RemoteKind.self) {
        case .jwks: return .jwks(url: url, trust: trust)
        case .discovery: return .discovery(issuer: url, trust: trust)
        }
    }

    private static func mapping(_ wire: WireObject) throws(Failure) -> IdentityMapping {
        let match: IdentityMapping.Match
        switch (try wire.optionalText("subject"), try wire.optionalText("group")) {
        case (let subject?, nil): match = .subject(subject)
        case (nil, let group?): match = .group(group)
        default: throw wire.fault("subject", "is there with a group, or neither is")
        }
        return IdentityMapping(
            match: match, roles: try wire.texts("roles"), scopes: try wire.texts("scopes"),
            workspaces: try wire.texts("workspaces"), tenant: try wire.optionalText("tenant"))
    }

    private static func policy(_ wire: WireObject) throws(Failure) -> HostPolicy {
        let routes = try wire.list("routes")
        let rules = try wire.list("rules")
        do {
            return HostPolicy(
                routes: routes.isEmpty ? nil : try RouteTable(document: .array(routes), source: .authConfig),
                builtinRoutes: try wire.flag("builtin_routes"),
                scopes: try wire.choice("scopes", HostPolicy.ScopeEnforcement.self),
                ownership: try wire.choice("ownership", HostPolicy.OwnershipRule.self),
                rules: rules.isEmpty ? nil : try RuleSet(document: rules))
        } catch let error as SidecarDocumentError {
            throw error
        } catch {
            throw Failure(.invalid, at: wire.place, "\(error)")
        }
    }

    static func optionalRate(_ wire: WireObject, _ name: String) throws(Failure) -> RequestRate? {
        guard let rate = try wire.optionalMember(name) else { return nil }
        return RequestRate(
            minute: try rate.optionalInteger("minute"), hour: try rate.optionalInteger("hour"),
            day: try rate.optionalInteger("day"))
    }
}

// MARK: - What AuthConfigs share

extension SidecarReader {
    static func shared(_ wire: WireObject) throws(Failure) -> SidecarDocument.Shared {
        let prefixes = try wire.texts("api_key_prefixes")
        guard !prefixes.isEmpty, prefixes.allSatisfy(TokenPrefixes.isValid) else {
            throw wire.fault("api_key_prefixes", "is not a list of prefixes")
        }
        return SidecarDocument.Shared(
            policy: try compiledPolicy(try wire.member("policy")), apiKeyPrefixes: prefixes,
            tokens: try wire.each("service_tokens") { wire throws(Failure) in
                guard let record = ServiceTokenRecord(storedJSON: wire.object, lastUsedAt: nil, useCount: 0) else {
                    throw Failure(.invalid, at: wire.place, "is not a record of a service token")
                }
                return record
            },
            keys: try wire.each("api_keys") { wire throws(Failure) in
                guard let record = APIKeyRecord(storedJSON: wire.object, lastUsedAt: nil, useCount: 0) else {
                    throw Failure(.invalid, at: wire.place, "is not a record of an API key")
                }
                return record
            },
            owners: try wire.each("api_key_owners") { wire throws(Failure) in
                APIKeyOwner(
                    identity: APIKeyOwner.Identity(
                        issuer: try wire.text("issuer"), subject: try wire.text("subject"),
                        tenantID: try wire.optionalText("tenant")), roles: try wire.texts("roles"))
            }, accounts: try accounts(try wire.member("accounts")), shares: try shares(wire))
    }

    private static func compiledPolicy(_ wire: WireObject) throws(Failure) -> CompiledPolicy {
        let settings = PolicySettings(
            defaultUserRole: try wire.text("default_user_role"),
            defaultKeycloakTenantRole: try wire.text("default_keycloak_tenant_role"),
            roleCheckEnabled: try wire.flag("role_check"))
        do throws(PolicyDataError) {
            return try PolicyDocuments(roles: wire.value("roles") ?? .null, routes: wire.value("routes") ?? .null)
                .compile(settings)
        } catch {
            throw Failure(.invalid, at: wire.place, error.message)
        }
    }

    private static func accounts(_ wire: WireObject) throws(Failure) -> AccountTable {
        let members = try wire.member("states")
        var states: [String: AccountState] = [:]
        for name in members.object.names { states[name] = try account(try members.member(name)) }
        return AccountTable(
            states: states, fallback: try account(try wire.member("fallback")),
            offers: try wire.each("plans") { wire throws(Failure) in
                PlanOffer(
                    name: try wire.text("name"), rank: try wire.integer("rank"),
                    priceMicroUSD: try wire.optionalInteger("price_micro_usd"), features: try features(wire))
            })
    }

    private static func account(_ wire: WireObject) throws(Failure) -> AccountState {
        var state = AccountState(
            plan: try wire.text("plan"), isSubscribed: try wire.flag("subscribed"),
            rate: try optionalRate(wire, "rate") ?? RequestRate(minute: 0, hour: 0, day: 0),
            accountRate: try optionalRate(wire, "account_rate"), apiKeys: try wire.optionalInteger("api_keys"),
            isSuspended: try wire.flag("suspended"),
            validUntil: try wire.optionalInteger("valid_until").map { Timestamp(microseconds: $0) },
            features: try features(wire), boughtPlan: try wire.optionalText("bought_plan"))
        // An operator of an earlier release says nothing of it.
        if wire.value("following") != nil {
            state.following = try wire.each("following") { wire throws(Failure) in try account(wire) }
        }
        state.throttledUntil = try wire.optionalInteger("throttled_until").map { Timestamp(microseconds: $0) }
        return state
    }

    private static func features(_ wire: WireObject) throws(Failure) -> PlanFeatures {
        let features = try wire.member("features")
        return PlanFeatures(
            modelTiers: try features.texts("model_tiers"), premiumAgents: try features.flag("premium_agents"))
    }

    private static func shares(_ wire: WireObject) throws(Failure) -> ShareTable {
        var shares: [ShareTable.Key: [AcceptedShare]] = [:]
        _ = try wire.each("shares") { wire throws(Failure) in
            let key = ShareTable.Key(
                tenant: try wire.text("tenant"), type: try wire.text("type"), id: try wire.text("id"),
                project: try wire.text("project"))
            guard let permissions = SharePermissions(names: try wire.texts("permissions")) else {
                throw wire.fault("permissions", "is not a list of read, use, manage")
            }
            shares[key, default: []].append(
                AcceptedShare(
                    ownerProject: try wire.text("owner_project"), permissions: permissions,
                    expiresAt: try wire.optionalInteger("expires_at").map { Timestamp(microseconds: $0) }))
        }
        return ShareTable(shares)
    }
}
