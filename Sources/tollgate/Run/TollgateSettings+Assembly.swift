// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import HTTPService
internal import Reconcilers

extension TollgateSettings {
    /// The own namespace outside of a cluster: that of objects that name none.
    static let standaloneNamespace = "default"

    /// - Parameter own: the own namespace, which is a platform namespace unless others are named.
    func namespaceRules(own: String) -> NamespaceRules {
        let named = policy.platformNamespaces
        return NamespaceRules(platform: Set(named.isEmpty ? [own] : named), tenants: policy.namespaceTenants)
    }

    /// How ToolManifests are judged.
    ///
    /// - Parameter own: the namespace whose Secrets may hold keys.
    func toolManifests(own: String, needsLabel: Bool = false) -> ToolManifestCompiler.Settings {
        ToolManifestCompiler.Settings(
            keys: tools.keys, rules: tools.rules, ownNamespace: own, needsLabel: needsLabel,
            namespaces: namespaceRules(own: own))
    }

    var httpSettings: HTTPSettings {
        HTTPSettings(
            api: listeners.api.http, decisions: listeners.decisions?.http, probes: listeners.probes.http,
            tls: listeners.tls.map { .init(certificate: $0.certificate, privateKey: $0.privateKey) },
            decisionTimeout: decisions.timeout, maxDecisionsInFlight: decisions.maxInFlight,
            batchMax: decisions.batchMax, corsOrigins: listeners.corsOrigins)
    }

    /// The origins that decide whether the installation is publicly reachable.
    private var exposedOrigins: [String] { listeners.corsOrigins + (listeners.publicURL.map { ["\($0)"] } ?? []) }

    /// The mode after the rule for public exposure.
    func effectiveMode(_ authentication: AuthenticationSettings) -> AuthMode {
        authentication.mode.effective(origins: exposedOrigins)
    }

    func realmDefaults(_ authentication: AuthenticationSettings) throws -> RealmDefaults {
        do {
            return RealmDefaults(
                mode: effectiveMode(authentication),
                isPubliclyExposed: exposedOrigins.contains(where: PublicHost.isPublic),
                issuers: try IssuerTable(entries: authentication.issuers), tokenReview: authentication.tokenReview,
                tokenReviewAudiences: authentication.tokenReviewAudiences)
        } catch {
            throw StartupProblem("TOLLGATE_AUTH_ISSUER, OIDC_ISSUER: \(error)")
        }
    }

    /// The authentication settings in the form in which that target reads them.
    func authenticationSettings() throws -> AuthenticationSettings {
        try AuthenticationSettings.parse(authenticationTexts).get()
    }

    /// The texts that the authentication target reads, with those that have a type of their own here written out again.
    var authenticationTexts: [String: String] {
        var texts = authentication.all
        if !apiKeyPrefix.isEmpty { texts["TOLLGATE_API_KEY_PREFIX"] = apiKeyPrefix }
        texts["TOLLGATE_API_KEY_OLD_PREFIXES"] = apiKeyOldPrefixes.joined(separator: ",")
        texts["TOLLGATE_EGRESS_ALLOW"] = egressAllow.map { "\($0)" }.joined(separator: ",")
        return texts
    }
}

extension ListenAddress {
    fileprivate var http: HTTPService.ListenAddress { .init(host: host, port: port) }
}
