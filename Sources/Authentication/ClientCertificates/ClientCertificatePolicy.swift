// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Which client certificates count as credentials, and what their owners get.
package struct ClientCertificatePolicy: Sendable, Hashable {
    /// The trust domains whose `spiffe://` names are believed, lower case.
    package let trustDomains: Set<String>

    /// Takes trust domains as `example.org` or `spiffe://example.org`.
    package init(trustDomains: some Sequence<String>) {
        self.trustDomains = Set(
            trustDomains.map { text in
                let name = ASCII.lowercased(ASCII.trimmed(text))
                return name.hasPrefix("spiffe://") ? String(name.dropFirst("spiffe://".count)) : name
            })
    }

    /// The caller that a certificate names.
    ///
    /// - Returns: a principal with what the mappings give it, which may be nothing, or `auth.invalid_certificate` for a `spiffe://` name that is
    ///   malformed or of another trust domain.
    package func principal(
        of certificate: ClientCertificate, mappings: IdentityMappings
    ) -> AuthenticationOutcome {
        let name = certificate.name
        var tenant: String?
        var source = Principal.AuthSource.mtls
        if ASCII.lowercased(name).hasPrefix("spiffe:") {
            guard let identifier = SPIFFEIdentifier(name), trustDomains.contains(identifier.trustDomain) else {
                return .refused(Refusal(.authInvalidCertificate), identity: nil)
            }
            tenant = identifier.tenant
            source = .spiffe
        }
        let subject = ClaimsMapper.reservedSubjects.contains(name) ? "mtls:\(name)" : name
        let grant = mappings.grant(subject: name, groups: [])
        tenant = tenant ?? grant.tenant
        let tokenID = "sha256:\(certificate.fingerprint)"
        let claims: JSONObject = [
            "uri": .strings(certificate.uris), "dns": .strings(certificate.dnsNames),
            "subject": .optional(certificate.distinguishedName), "fingerprint": .string(tokenID),
        ]
        return .verified(
            Principal(
                subject: subject, identityType: .service, authSource: source, tokenID: tokenID,
                accountID: tenant ?? subject, tenantID: tenant, workspaceIDs: grant.workspaces.filter { $0 != "*" },
                roles: grant.roles, scopes: grant.scopes, claims: claims))
    }
}
