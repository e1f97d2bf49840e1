// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import ResourceModel

/// Turns the issuers of an AuthConfig into entries of its issuer table.
struct IssuerCompiler {
    let references: ReferenceTable
    let namespaces: NamespaceRules
    let reserved: Set<String>
    let egress: EgressRules

    /// The tenant that each issuer is pinned to in its namespace. Asked before anything else can be wrong.
    func tenants(_ issuers: [AuthConfigSpec.Issuer], namespace: String) throws(CompileFault) -> [String?] {
        var tenants: [String?] = []
        for issuer in issuers {
            do throws(NamespaceRules.Violation) {
                try namespaces.checkPlatform(issuer.platform, namespace: namespace)
                tenants.append(try namespaces.tenant(stated: issuer.tenant, namespace: namespace))
            } catch {
                throw .notAllowed("\(Self.place(issuer)): \(error.message)")
            }
        }
        return tenants
    }

    func compile(
        _ issuers: [AuthConfigSpec.Issuer], tenants: [String?], namespace: String
    ) throws(CompileFault) -> [IssuerEntry] {
        var entries: [IssuerEntry] = []
        for (issuer, tenant) in zip(issuers, tenants) {
            entries.append(try compile(issuer, tenant: tenant, namespace: namespace))
        }
        return entries
    }

    private static func place(_ issuer: AuthConfigSpec.Issuer) -> String { "spec.issuers[\(issuer.name)]" }

    private func compile(
        _ issuer: AuthConfigSpec.Issuer, tenant: String?, namespace: String
    ) throws(CompileFault) -> IssuerEntry {
        let place = Self.place(issuer)
        if let name = issuer.issuer, reserved.contains(name) {
            throw .invalid("\(place).issuer: this issuer is configured for the whole installation already")
        }
        var algorithms = SignatureAlgorithm.allowedByDefault
        if !issuer.algorithms.isEmpty {
            algorithms = []
            for name in issuer.algorithms {
                guard let algorithm = SignatureAlgorithm(rawValue: name) else {
                    throw .invalid("\(place).algorithms: \(name) is not supported; use names such as RS256 or ES256")
                }
                algorithms.insert(algorithm)
            }
        }
        var entry = IssuerEntry(
            name: issuer.name, issuer: issuer.issuer, audiences: issuer.audiences, algorithms: algorithms,
            leewaySeconds: issuer.leeway.seconds, roleClients: issuer.roleClients,
            requiredClaims: issuer.requiredClaims, tenant: tenant, platform: issuer.platform)
        try resolveKeys(of: issuer, into: &entry, namespace: namespace, place: place)
        return entry
    }

    private func resolveKeys(
        of issuer: AuthConfigSpec.Issuer, into entry: inout IssuerEntry, namespace: String, place: String
    ) throws(CompileFault) {
        if let reference = issuer.secretRef {
            let bytes = try references.secret(reference.name, key: reference.key, namespace: namespace, place: place)
            guard bytes.count >= 32 else {
                throw .invalid("\(place).secretRef: the secret has \(bytes.count) bytes; HS256 needs at least 32")
            }
            entry.secret = Redacted(bytes)
        } else if let keys = issuer.jwks {
            entry.staticKeys = try keySet(keys, place: "\(place).jwks")
        } else if let reference = issuer.jwksRef {
            let text = try references.configMapText(
                reference.name, key: reference.key, namespace: namespace, place: place)
            do {
                entry.staticKeys = try KeySet(bytes: Array(text.utf8), allowsBareList: true)
            } catch {
                throw .invalid("\(place).jwksRef: \(error)")
            }
        } else if let url = issuer.jwksURL {
            entry.remote = try checked(.jwks(url: url, trust: .object), field: "\(place).jwksURL")
        } else if issuer.discovery {
            guard let name = issuer.issuer else {
                throw .invalid("\(place).issuer: discovery needs the issuer's URL, such as https://id.example")
            }
            entry.remote = try checked(.discovery(issuer: name, trust: .object), field: "\(place).issuer")
        }
    }

    /// A source that the outgoing guard has nothing against. What the host name resolves to is looked at with every fetch.
    private func checked(_ source: RemoteKeySource, field: String) throws(CompileFault) -> RemoteKeySource {
        do throws(EgressFault) {
            _ = try egress.check(source.url, trust: source.trust)
            return source
        } catch {
            throw .invalid("\(field): \(error.message); TOLLGATE_EGRESS_ALLOW names what is allowed besides")
        }
    }

    private func keySet(_ document: JSONValue, place: String) throws(CompileFault) -> KeySet {
        do {
            return try KeySet(json: document, allowsBareList: true)
        } catch {
            throw .invalid("\(place): \(error)")
        }
    }
}
