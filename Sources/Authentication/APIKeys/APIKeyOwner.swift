// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Somebody who owns keys, with the roles that a verified credential of this identity had last.
package struct APIKeyOwner: Sendable {
    /// Who it is. Two issuers may name the same subject, and one issuer may give a subject other roles in another tenant: neither says
    /// anything about the other. Texts are compared by their bytes.
    package struct Identity: Sendable, Hashable {
        package let issuer: String
        package let subject: String
        package let tenantID: String?

        package init(issuer: String, subject: String, tenantID: String?) {
            self.issuer = issuer
            self.subject = subject
            self.tenantID = tenantID
        }

        /// Whoever presented a credential. Credentials without an issuer are told apart by their kind.
        package init(of principal: Principal) {
            issuer = principal.issuer ?? Self.issuer(of: principal.authSource)
            subject = principal.subject
            tenantID = principal.tenantID
        }

        /// Literals, because every verified credential may ask and nothing is to be allocated then.
        private static func issuer(of source: Principal.AuthSource) -> String {
            switch source {
            case .anonymous: "tollgate:anonymous"
            case .bootstrap: "tollgate:bootstrap"
            case .jwt, .keycloak: "tollgate:jwt"
            case .kubernetes: "tollgate:kubernetes"
            case .spiffe: "tollgate:spiffe"
            case .mtls: "tollgate:mtls"
            case .staticToken: "tollgate:static_token"
            case .serviceToken: Self.serviceTokens
            case .apiKey: "tollgate:api_key"
            }
        }

        /// The identity in one text, for whoever announces that its roles changed: a JSON array of issuer, subject and tenant or null.
        package var changeKey: String {
            JSONValue.array([.string(issuer), .string(subject), .optional(tenantID)]).jsonText
        }

        /// Reads what `changeKey` wrote.
        package init?(changeKey: String) {
            // What is no such text names nobody.
            guard let parts = (try? JSONParser.parse(text: changeKey))?.arrayValue, parts.count == 3,
                let issuer = parts[0].stringValue, let subject = parts[1].stringValue,
                parts[2].isNull || parts[2].stringValue != nil
            else { return nil }
            self.init(issuer: issuer, subject: subject, tenantID: parts[2].stringValue)
        }

        static let serviceTokens = "tollgate:service_token"

        package static func == (left: Identity, right: Identity) -> Bool {
            guard left.subject.isExactly(right.subject), left.issuer.isExactly(right.issuer) else { return false }
            guard let tenant = left.tenantID, let other = right.tenantID else {
                return left.tenantID == nil && right.tenantID == nil
            }
            return tenant.isExactly(other)
        }

        package func hash(into hasher: inout Hasher) {
            // The subject tells owners apart nearly always; the rest is compared.
            var subject = subject
            subject.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }

    package let identity: Identity
    /// As the credential had them.
    package let roles: [String]

    package init(identity: Identity, roles: [String]) {
        self.identity = identity
        self.roles = roles
    }
}
