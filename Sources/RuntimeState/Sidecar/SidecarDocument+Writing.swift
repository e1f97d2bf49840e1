// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials

/// Writes documents. Lists that have no order of their own are sorted, so that the same state is the same bytes.
enum SidecarWriter {
    /// The whole document: a head of its own, and the part that all documents of a scope share, which is written once.
    static func document(_ head: JSONObject, shared: [UInt8]) -> [UInt8] {
        var bytes = JSONValue.object(head).encoded(sortedNames: true)
        // Everything but the closing brace.
        bytes.removeLast()
        bytes += Array(",\"shared\":".utf8)
        bytes += shared
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// - Parameter mayLeave: whether the shared secret of an issuer entry may be given.
    static func head(
        _ entries: [SidecarDocument.Entry], elsewhere: [String], mayLeave: (CompiledAuthConfig, IssuerEntry) -> Bool
    ) -> JSONObject {
        [
            "format": .string(SidecarDocument.format),
            "auth_configs": .array(entries.map { .object(authConfig($0, mayLeave: mayLeave)) }),
            "hosts_elsewhere": .strings(elsewhere.sorted()),
        ]
    }

    private static func authConfig(
        _ entry: SidecarDocument.Entry, mayLeave: (CompiledAuthConfig, IssuerEntry) -> Bool
    ) -> JSONObject {
        let config = entry.config
        var object: JSONObject = [
            "key": .string(config.key), "tenant": .optional(config.tenant), "broken": .optional(config.brokenReason),
            "hosts": .strings(entry.hosts.sorted()),
        ]
        // Its hosts are closed, whatever the rest says.
        guard config.brokenReason == nil else { return object }
        let realm = config.realm
        object["mode"] = .string(realm.mode.rawValue)
        object["enforcing"] = .bool(entry.isEnforcing)
        object["issuers"] = .array(realm.issuers.entries.map { issuer($0, withSecret: mayLeave(config, $0)) })
        object["mappings"] = .array(realm.mappings.mappings.map(mapping))
        object["service_tokens"] = .bool(realm.serviceTokens)
        object["api_keys"] = .bool(realm.apiKeys)
        object["client_certificates"] =
            realm.clientCertificates.map { ["trust_domains": .strings($0.trustDomains.sorted())] } ?? .null
        object["token_review"] = realm.tokenReview.map { ["audiences": .strings($0.audiences)] } ?? .null
        object["policy"] = [
            "routes": config.policy.routes?.document ?? .array([]),
            "builtin_routes": .bool(config.policy.builtinRoutes), "scopes": .string(config.policy.scopes.rawValue),
            "ownership": .string(config.policy.ownership.rawValue), "rules": .array(config.ruleDocuments),
        ]
        object["require"] = [
            "scopes": .strings(config.requiredScopes), "workspaces": .strings(config.requiredWorkspaces),
        ]
        object["rate"] = config.rate.map(rate) ?? .null
        object["metering"] = config.metering.map(MeteringDocument.write) ?? .null
        object["forward_credential"] = .bool(config.forwardsCredential)
        return object
    }

    private static func issuer(_ entry: IssuerEntry, withSecret: Bool) -> JSONValue {
        var object: JSONObject = [
            "name": .string(entry.name), "issuer": .optional(entry.issuer), "audiences": .strings(entry.audiences),
            "algorithms": .strings(entry.algorithms.map(\.rawValue).sorted()),
            "leeway_seconds": .int(entry.leewaySeconds), "role_clients": .strings(entry.roleClients),
            "required_claims": .strings(entry.requiredClaims), "tenant": .optional(entry.tenant),
            "platform": .bool(entry.platform), "accepts_id_tokens": .bool(entry.acceptsIDTokens),
            "authorized_party": .optional(entry.authorizedParty), "auth_source": .string(entry.authSource.rawValue),
        ]
        if let secret = entry.secret {
            object["secret"] = withSecret ? .string(PaddedBase64.encode(secret.revealed)) : .null
        }
        object["secret_withheld"] = .bool(entry.isSecretWithheld || (entry.secret != nil && !withSecret))
        if let keys = entry.staticKeys { object["keys"] = keys.publicDocument }
        switch entry.remote {
        case .jwks(let url, let trust): object["remote"] = remote("jwks", url, trust)
        case .discovery(let issuer, let trust): object["remote"] = remote("discovery", issuer, trust)
        case nil: break
        }
        return .object(object)
    }

    private static func remote(_ kind: String, _ url: String, _ trust: EgressTrust) -> JSONValue {
        ["kind": .string(kind), "url": .string(url), "trust": trust == .settings ? "settings" : "object"]
    }

    private static func mapping(_ mapping: IdentityMapping) -> JSONValue {
        var object: JSONObject = [
            "roles": .strings(mapping.roles), "scopes": .strings(mapping.scopes),
            "workspaces": .strings(mapping.workspaces), "tenant": .optional(mapping.tenant),
        ]
        switch mapping.match {
        case .subject(let text): object["subject"] = .string(text)
        case .group(let text): object["group"] = .string(text)
        }
        return .object(object)
    }

    static func rate(_ rate: RequestRate) -> JSONValue {
        func number(_ value: Int64?) -> JSONValue { value.map { .int($0) } ?? .null }
        return ["minute": number(rate.minute), "hour": number(rate.hour), "day": number(rate.day)]
    }
}

// MARK: - What AuthConfigs share

extension SidecarWriter {
    static func shared(_ shared: SidecarDocument.Shared) -> [UInt8] {
        let settings = shared.policy.settings
        let object: JSONObject = [
            "policy": [
                "roles": shared.policy.roles.document, "routes": shared.policy.routes.document,
                "default_user_role": .string(settings.defaultUserRole),
                "default_keycloak_tenant_role": .string(settings.defaultKeycloakTenantRole),
                "role_check": .bool(settings.roleCheckEnabled),
            ],
            "api_key_prefixes": .strings(shared.apiKeyPrefixes),
            "service_tokens": .array(
                shared.tokens.sorted { $0.identifier < $1.identifier }.map { .object($0.sharedJSON) }),
            "api_keys": .array(shared.keys.sorted { $0.id < $1.id }.map { .object($0.sharedJSON) }),
            "api_key_owners": .array(shared.owners.map(owner).sorted { $0.sortText < $1.sortText }.map(\.value)),
            "accounts": [
                "fallback": account(shared.accounts.fallback),
                "states": .object(
                    JSONObject(shared.accounts.all.sorted { $0.key < $1.key }.map { ($0.key, account($0.value)) })),
                "plans": .array(shared.accounts.offers.map(offer)),
            ],
            "shares": .array(
                shared.shares.all.flatMap { key, shares in shares.map { share(key, $0) } }
                    .sorted { $0.sortText < $1.sortText }.map(\.value)),
        ]
        return JSONValue.object(object).encoded(sortedNames: true)
    }

    private struct Sortable {
        let value: JSONValue
        let sortText: String

        init(_ value: JSONValue) {
            self.value = value
            sortText = String(decoding: value.encoded(sortedNames: true), as: UTF8.self)
        }
    }

    private static func owner(_ owner: APIKeyOwner) -> Sortable {
        Sortable([
            "issuer": .string(owner.identity.issuer), "subject": .string(owner.identity.subject),
            "tenant": .optional(owner.identity.tenantID), "roles": .strings(owner.roles),
        ])
    }

    private static func account(_ state: AccountState) -> JSONValue {
        [
            "plan": .string(state.plan), "subscribed": .bool(state.isSubscribed), "rate": rate(state.rate),
            "account_rate": state.accountRate.map(rate) ?? .null,
            "api_keys": state.apiKeys.map { .int($0) } ?? .null, "suspended": .bool(state.isSuspended),
            "valid_until": state.validUntil.map { .int($0.microseconds) } ?? .null,
            "features": features(state.features), "bought_plan": .optional(state.boughtPlan),
            "following": .array(state.following.map(account)),
            "throttled_until": state.throttledUntil.map { .int($0.microseconds) } ?? .null,
        ]
    }

    private static func offer(_ offer: PlanOffer) -> JSONValue {
        [
            "name": .string(offer.name), "rank": .int(offer.rank),
            "price_micro_usd": offer.priceMicroUSD.map { .int($0) } ?? .null, "features": features(offer.features),
        ]
    }

    private static func features(_ features: PlanFeatures) -> JSONValue {
        ["model_tiers": .strings(features.modelTiers), "premium_agents": .bool(features.premiumAgents)]
    }

    private static func share(_ key: ShareTable.Key, _ share: AcceptedShare) -> Sortable {
        Sortable([
            "tenant": .string(key.tenant), "type": .string(key.type), "id": .string(key.id),
            "project": .string(key.project), "owner_project": .string(share.ownerProject),
            "permissions": .strings(share.permissions.names),
            "expires_at": share.expiresAt.map { .int($0.microseconds) } ?? .null,
        ])
    }
}
