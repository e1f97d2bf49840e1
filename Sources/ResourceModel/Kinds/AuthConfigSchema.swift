// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension AuthConfigSpec {
    static let authConfigSchema = Schema.object(
        "What a host demands of its callers.",
        [
            Property(
                "hosts",
                .set(
                    "Host names: exact, *.suffix, or * for every host.", of: .text(min: 1, max: 253), min: 1, max: 64),
                required: true),
            Property(
                "mode",
                .choice(
                    "Whether a caller must be known. Without it the process setting.", Mode.allCases.map(\.rawValue))),
            Property(
                "issuers",
                .list("Issuers of JSON Web Tokens that are good here.", of: issuer, max: 16, key: "name")
                    .defaulting(to: [])),
            Property("serviceTokens", .boolean("Whether service tokens are good here.").defaulting(to: true)),
            Property("apiKeys", .boolean("Whether API keys are good here.").defaulting(to: true)),
            Property("tokenReview", tokenReview.defaulting(to: [:])),
            Property("clientCertificates", clientCertificates.defaulting(to: [:])),
            Property(
                "mappings",
                .list("Rights of callers known by certificate, TokenReview or group.", of: mapping, max: 256)
                    .defaulting(to: [])),
            Property("require", require.defaulting(to: [:])),
            Property("policy", PolicySchema.policy.defaulting(to: [:])),
            Property("rate", PolicySchema.rate("Requests over all callers of this object. Without it no limit.")),
            Property("metering", PolicySchema.metering.defaulting(to: [:])),
            Property("login", login.defaulting(to: [:])),
            Property(
                "forwardCredential",
                .boolean("Whether the header that the credential came in is passed on.").defaulting(to: false)),
            Property("assertion", assertion.defaulting(to: [:])),
        ])

    static let names = Schema.text(min: 1, max: 256)

    private static func reference(_ description: String) -> Schema {
        .object(
            description,
            [
                Property("name", .text("Its name.", min: 1, max: 253, pattern: .dnsSubdomain), required: true),
                Property("key", .text("The key in its data.", max: 253, pattern: .dataKey), required: true),
            ])
    }

    private static let keySources = ["secretRef", "jwks", "jwksRef", "jwksURL"]

    private static let issuer = Schema.object(
        nil,
        [
            Property("name", .text("Name of this entry.", max: 63, pattern: .issuerName), required: true),
            Property("issuer", .text("The iss claim, compared exactly.", min: 1, max: 2048)),
            Property("secretRef", reference("Shared secret for HS256, HS384 and HS512: an entry of a Secret.")),
            Property("jwks", .anyObject("A JSON Web Key Set, written here.")),
            Property("jwksRef", reference("A JSON Web Key Set in an entry of a ConfigMap.")),
            Property("jwksURL", .text("Address of a JSON Web Key Set.", max: 2048, pattern: .webURL)),
            Property(
                "discovery",
                .boolean("Whether the keys are found by OpenID Connect discovery below the issuer.")
                    .defaulting(to: false)),
            Property(
                "audiences",
                .set("Accepted aud claims; one in common is enough.", of: names, max: 64)
                    .defaulting(to: [])),
            Property(
                "allowAnyAudience", .boolean("Whether tokens for any audience are good.").defaulting(to: false)),
            Property(
                "algorithms",
                .set(
                    "Accepted signature algorithms. Empty: RS256 and HS256.",
                    of: .choice(
                        nil,
                        [
                            "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
                            "ES384", "ES512", "EdDSA",
                        ]), max: 13
                ).defaulting(to: [])),
            Property(
                "leeway",
                .duration("Clock difference that is forgiven.", from: "0s", to: "120s").defaulting(to: "30s")),
            Property(
                "roleClients",
                .set("Clients whose resource_access roles count.", of: names, max: 64)
                    .defaulting(to: [])),
            Property("requiredClaims", .set("Claims that must be there.", of: names, max: 64).defaulting(to: [])),
            Property("tenant", .text("The one tenant of this issuer's tokens.", min: 1, max: 256)),
            Property(
                "platform",
                .boolean("Whether its callers may be platform administrators. Platform namespaces only.")
                    .defaulting(to: false)),
        ],
        rules: [
            Rule(
                "[has(self.secretRef), has(self.jwks), has(self.jwksRef), has(self.jwksURL), self.discovery]"
                    + ".exists_one(x, x)",
                "has none or several key sources; write exactly one of secretRef, jwks, jwksRef, jwksURL and discovery: true"
            ) { value in
                keySources.count { value[$0] != nil } + (value["discovery"] == true ? 1 : 0) == 1
            },
            Rule(
                "self.allowAnyAudience || self.audiences.size() > 0",
                "is empty; name the audiences, or set allowAnyAudience: true", at: "audiences"
            ) { $0["allowAnyAudience"] == true || $0["audiences"]?.arrayValue?.isEmpty == false },
            Rule(
                "!self.discovery || has(self.issuer)", "is missing; discovery needs the issuer's URL", at: "issuer"
            ) { $0["discovery"] != true || $0["issuer"] != nil },
        ])

    private static let tokenReview = Schema.object(
        "Service accounts of the cluster, asked of the API server.",
        [
            Property("enabled", .boolean().defaulting(to: false)),
            Property("audiences", .set(nil, of: names, max: 64).defaulting(to: [])),
        ])

    private static let clientCertificates = Schema.object(
        "Callers known by their certificate.",
        [
            Property("enabled", .boolean().defaulting(to: false)),
            Property(
                "trustDomains",
                .set("Trust domains of spiffe:// names.", of: .text(min: 1, max: 255), max: 64)
                    .defaulting(to: [])),
        ])

    private static let mapping = Schema.object(
        nil,
        [
            Property("subject", .text("The subject; a final * stands for any rest.", min: 1, max: 1024)),
            Property("group", .text("A group of the caller; a final * stands for any rest.", min: 1, max: 1024)),
            Property("roles", .set(nil, of: names, max: 64).defaulting(to: [])),
            Property("scopes", .set(nil, of: names, max: 64).defaulting(to: [])),
            Property("workspaces", .set(nil, of: names, max: 64).defaulting(to: [])),
            Property("tenant", .text(min: 1, max: 256)),
        ],
        rules: [
            Rule("has(self.subject) != has(self.group)", "needs exactly one of subject and group") {
                ($0["subject"] != nil) != ($0["group"] != nil)
            }
        ])

    private static let require = Schema.object(
        "What every caller must hold.",
        [
            Property("scopes", .set(nil, of: names, max: 64).defaulting(to: [])),
            Property("workspaces", .set(nil, of: names, max: 64).defaulting(to: [])),
        ])

    private static let login = Schema.object(
        "Signing in with a browser.",
        [
            Property(
                "redirect",
                .boolean("Whether browsers without credentials are sent to the login page.")
                    .defaulting(to: false))
        ])

    private static let assertion = Schema.object(
        "A signed token about the caller, for the upstream.",
        [
            Property("enabled", .boolean().defaulting(to: false)),
            Property("audience", .text("Its audience. Without it the host.", min: 1, max: 256)),
            Property("ttl", .duration("How long it is good.", from: "5s", to: "300s").defaulting(to: "30s")),
            Property(
                "header",
                .text("The request header that carries it.", max: 64, pattern: .headerName)
                    .defaulting(to: "X-Tollgate-Assertion")),
        ])
}
