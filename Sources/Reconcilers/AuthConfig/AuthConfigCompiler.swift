// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import ResourceModel
internal import RuntimeState

/// Turns one AuthConfig into the form in which requests use it. Pure: what it refers to is handed in.
struct AuthConfigCompiler {
    let references: ReferenceTable
    let namespaces: NamespaceRules
    let defaults: RealmDefaults
    /// Issuers that no object may claim: those of the settings.
    let reservedIssuers: Set<String>
    /// Where the key sets of objects may be fetched from.
    let egress: EgressRules
    /// Whether there is a cluster that can be asked about tokens.
    let reviewsTokens: Bool

    /// What became of an AuthConfig.
    struct Outcome {
        var config: CompiledAuthConfig
        var conditions: Conditions
        /// Whether it takes part in host selection at all: an object that says what its namespace may not does not.
        var isInForce = true
        /// The hosts that it covers or, when it is broken, keeps closed.
        var hosts: [String]
    }

    func compile(_ input: CompilerInput) -> Outcome {
        let key = "\(input.key.namespace)/\(input.key.name)"
        var conditions = Conditions()
        if !input.problems.isEmpty {
            conditions.set("Invalid", .true, "InvalidSpec", input.problems.joined(separator: "; "))
        }
        let tenant: String?
        do throws(NamespaceRules.Violation) {
            // Looked at first: an object that may not be there does not even keep hosts closed.
            tenant = try namespaces.tenant(stated: nil, namespace: input.key.namespace)
        } catch {
            return outside(input, key: key, conditions: conditions, message: error.message)
        }
        guard case .authConfig(let object)? = input.object else {
            let reason = input.problems.first ?? "it was never valid"
            return Outcome(
                config: closed(key, reason, tenant: tenant), conditions: conditions, hosts: input.claimedHosts)
        }
        do throws(CompileFault) {
            let config = try compileSound(object, key: key, tenant: tenant, conditions: &conditions)
            if input.problems.isEmpty {
                conditions.set("Invalid", .false, "Valid")
            } else {
                conditions.set(
                    "Invalid", .true, "InvalidSpec",
                    "the last good state is in force: \(input.problems.joined(separator: "; "))")
            }
            return Outcome(config: config, conditions: conditions, hosts: object.spec.hosts)
        } catch {
            switch error {
            case .invalid(let message): conditions.set("Invalid", .true, "InvalidSpec", message)
            case .unresolved(let message): conditions.set("SecretsResolved", .false, "NotFound", message)
            case .unlabelled(let message):
                conditions.set("SecretsResolved", .false, "SecretNotLabelled", message)
            case .notAllowed(let message):
                return outside(input, key: key, conditions: conditions, message: message)
            }
            return Outcome(
                config: closed(key, error.message, tenant: tenant), conditions: conditions, hosts: object.spec.hosts)
        }
    }

    /// What became of an object that says what its namespace may not.
    private func outside(_ input: CompilerInput, key: String, conditions: Conditions, message: String) -> Outcome {
        var conditions = conditions
        conditions.set("Ready", .false, "NotAllowedInNamespace", message)
        var hosts = input.claimedHosts
        if case .authConfig(let object)? = input.object { hosts = object.spec.hosts }
        return Outcome(
            config: closed(key, message, tenant: nil), conditions: conditions, isInForce: false, hosts: hosts)
    }

    /// A configuration that answers 503 on its hosts.
    private func closed(_ key: String, _ reason: String, tenant: String?) -> CompiledAuthConfig {
        CompiledAuthConfig(
            key: key, tenant: tenant, brokenReason: reason, realm: defaults.ownRealm(beside: nil), policy: HostPolicy(),
            requiredScopes: [], requiredWorkspaces: [], forwardsCredential: false)
    }

    private func compileSound(
        _ object: AuthConfig, key: String, tenant: String?, conditions: inout Conditions
    ) throws(CompileFault) -> CompiledAuthConfig {
        let spec = object.spec
        let issuerCompiler = IssuerCompiler(
            references: references, namespaces: namespaces, reserved: reservedIssuers, egress: egress)
        let tenants = try issuerCompiler.tenants(spec.issuers, namespace: object.metadata.namespace)
        let mappings = try mappings(spec, namespace: object.metadata.namespace)
        try refuseWhatIsNotBuilt(spec)
        for host in spec.hosts {
            if case .failure(let fault) = HostPattern.parse(host) {
                throw .invalid("spec.hosts: \(host) \(fault.rawValue)")
            }
        }
        let issuers = try issuerCompiler.compile(
            spec.issuers, tenants: tenants, namespace: object.metadata.namespace)
        if spec.issuers.contains(where: { $0.secretRef != nil || $0.jwksRef != nil }) {
            conditions.set("SecretsResolved", .true, "Resolved")
        }
        let policy = try hostPolicy(spec, conditions: &conditions)
        let table: IssuerTable
        do {
            table = try IssuerTable(entries: issuers, mappings: mappings)
        } catch {
            throw .invalid("spec.issuers: \(error)")
        }
        noteWhatIsNotEnforced(spec, conditions: &conditions)
        let realm = defaults.realm(
            mode: spec.mode.flatMap { AuthMode(rawValue: $0.rawValue) }, issuers: table,
            usesOwnIssuers: !issuers.isEmpty, serviceTokens: spec.serviceTokens, apiKeys: spec.apiKeys,
            clientCertificates: spec.clientCertificates.enabled
                ? ClientCertificatePolicy(trustDomains: spec.clientCertificates.trustDomains) : nil,
            tokenReview: spec.tokenReview.enabled
                ? TokenReviewPolicy(
                    audiences: spec.tokenReview.audiences.isEmpty
                        ? defaults.tokenReviewAudiences : spec.tokenReview.audiences) : nil,
            mappings: mappings)
        return CompiledAuthConfig(
            key: key, tenant: tenant, brokenReason: nil, realm: realm, policy: policy, ruleDocuments: spec.policy.rules,
            requiredScopes: spec.require.scopes,
            requiredWorkspaces: spec.require.workspaces, forwardsCredential: spec.forwardCredential,
            rate: Self.rate(spec.rate), metering: Self.metering(spec.metering),
            routeMetering: try Self.routeMetering(spec.policy.routes))
    }

    /// Nil where nothing is asked and nothing is charged. Validation has made sure of everything else.
    private static func metering(_ metering: Metering) -> CompiledMetering? {
        CompiledMetering(
            action: CompiledMetering.Action(rawValue: metering.action.rawValue) ?? .none, model: metering.model,
            slot: metering.slot.flatMap(CompiledMetering.Slot.init),
            requirements: CompiledMetering.Requirements(
                plan: metering.requires?.plan, modelTier: metering.requires?.modelTier,
                premiumAgents: metering.requires?.premiumAgents ?? false),
            estimate: TokenEstimate(
                input: metering.estimate?.input ?? 0, maxOutput: metering.estimate?.maxOutput ?? 0),
            microCreditsPerRequest: metering.microCreditsPerRequest)
    }

    private static func routeMetering(_ routes: [JSONValue]) throws(CompileFault) -> [Int: CompiledMetering] {
        do throws(RouteMeteringFault) {
            return try CompiledAuthConfig.routeMetering(routes)
        } catch {
            throw .invalid(error.text(below: "spec.policy.routes"))
        }
    }

    /// What would let more pass if it were left out closes the object.
    private func refuseWhatIsNotBuilt(_ spec: AuthConfigSpec) throws(CompileFault) {
        guard !spec.assertion.enabled else {
            throw .invalid("spec.assertion.enabled: internal tokens are not supported by this release; set it to false")
        }
    }

    /// Nil where no window is limited.
    private static func rate(_ rate: AuthConfigSpec.Rate?) -> RequestRate? {
        let rate = rate.map { RequestRate(minute: $0.minute, hour: $0.hour, day: $0.day) }
        return rate?.isUnlimited == true ? nil : rate
    }

    /// What takes nothing away from safety is named, so that nobody believes it to be in force.
    private func noteWhatIsNotEnforced(_ spec: AuthConfigSpec, conditions: inout Conditions) {
        var fields: [String] = []
        if spec.tokenReview.enabled, !reviewsTokens { fields.append("spec.tokenReview") }
        if spec.login.redirect { fields.append("spec.login.redirect") }
        guard !fields.isEmpty else { return }
        conditions.set(
            "Unenforced", .true, "NotSupported",
            "not supported by this release and without effect: \(fields.joined(separator: ", "))")
    }

    private func mappings(_ spec: AuthConfigSpec, namespace: String) throws(CompileFault) -> IdentityMappings {
        var result: [IdentityMapping] = []
        for mapping in spec.mappings {
            let tenant: String?
            do throws(NamespaceRules.Violation) {
                try namespaces.checkGrant(roles: mapping.roles, scopes: mapping.scopes, namespace: namespace)
                tenant = try namespaces.tenant(stated: mapping.tenant, namespace: namespace)
            } catch {
                throw .notAllowed("spec.mappings: \(error.message)")
            }
            // Validation has made sure that exactly one of both is there.
            let match: IdentityMapping.Match = mapping.subject.map { .subject($0) } ?? .group(mapping.group ?? "")
            result.append(
                IdentityMapping(
                    match: match, roles: mapping.roles, scopes: mapping.scopes, workspaces: mapping.workspaces,
                    tenant: tenant))
        }
        return IdentityMappings(result)
    }

    /// Routes that are sound, but perhaps not meant as they stand.
    private func noteRoutes(_ table: RouteTable?, conditions: inout Conditions) {
        let unreachable = table?.unreachable.map(\.message) ?? []
        let overlaps = table?.overlaps.map(\.message) ?? []
        guard !unreachable.isEmpty || !overlaps.isEmpty else {
            return conditions.set("PolicyLoaded", .true, "Loaded")
        }
        conditions.set(
            "PolicyLoaded", .true, unreachable.isEmpty ? "OverlappingRoutes" : "UnreachableRoutes",
            (unreachable + overlaps).prefix(20).joined(separator: "; "))
    }

    private func hostPolicy(_ spec: AuthConfigSpec, conditions: inout Conditions) throws(CompileFault) -> HostPolicy {
        var table: RouteTable?
        if !spec.policy.routes.isEmpty {
            do throws(RouteTableError) {
                table = try RouteTable(document: .array(spec.policy.routes), source: .authConfig)
            } catch {
                throw .invalid(
                    error.problems.prefix(10).map { $0.text(below: "spec.policy.routes") }.joined(separator: "; "))
            }
        }
        let rules: RuleSet?
        do throws(RuleSetError) {
            rules = spec.policy.rules.isEmpty ? nil : try RuleSet(document: spec.policy.rules)
        } catch {
            throw .invalid(error.problems.map { $0.text(below: "spec.policy.rules") }.joined(separator: "; "))
        }
        noteRoutes(table, conditions: &conditions)
        return HostPolicy(
            routes: table, builtinRoutes: spec.policy.builtinRoutes,
            scopes: spec.policy.scopes == .enforce ? .enforce : .ignore,
            ownership: spec.policy.ownership == .required ? .required : .standard, rules: rules)
    }
}

/// Why an AuthConfig is not compiled.
enum CompileFault: Error {
    /// Closes its hosts.
    case invalid(String)
    /// Closes its hosts until what it refers to is there.
    case unresolved(String)
    /// The same, where only labelled objects are seen.
    case unlabelled(String)
    /// Takes it out of force.
    case notAllowed(String)

    /// For people.
    var message: String {
        switch self {
        case .invalid(let text), .unresolved(let text), .unlabelled(let text), .notAllowed(let text): text
        }
    }
}
