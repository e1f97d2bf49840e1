// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// `spec` of an AuthConfig: what a host demands.
package struct AuthConfigSpec: ResourceSpec {
    package static let kind = ResourceKind.authConfig
    package static let schema = authConfigSchema

    /// Whether a caller must be known.
    package enum Mode: String, Sendable, Hashable, Codable, CaseIterable { case disabled, optional, required }
    /// Whether scopes narrow what roles give.
    package enum Scopes: String, Sendable, Hashable, Codable, CaseIterable { case ignore, enforce }
    /// Whether the owner check applies everywhere.
    package enum Ownership: String, Sendable, Hashable, Codable, CaseIterable { case `default`, required }

    /// One entry of a Secret or ConfigMap in the object's namespace.
    package struct KeyReference: Sendable, Hashable, Codable {
        package var name: String
        package var key: String
    }

    /// Who may issue JWTs for these hosts. Exactly one key source is set.
    package struct Issuer: Sendable, Hashable, Codable {
        package var name: String
        package var issuer: String?
        package var secretRef: KeyReference?
        package var jwks: JSONValue?
        package var jwksRef: KeyReference?
        package var jwksURL: String?
        package var discovery: Bool
        package var audiences: [String]
        package var allowAnyAudience: Bool
        /// Empty = the default algorithms.
        package var algorithms: [String]
        package var leeway: TextDuration
        package var roleClients: [String]
        package var requiredClaims: [String]
        package var tenant: String?
        package var platform: Bool
    }

    /// Kubernetes TokenReview.
    package struct TokenReview: Sendable, Hashable, Codable {
        package var enabled: Bool
        package var audiences: [String]
    }

    /// Client certificates.
    package struct ClientCertificates: Sendable, Hashable, Codable {
        package var enabled: Bool
        package var trustDomains: [String]
    }

    /// Rights of callers that bring none themselves. Exactly one of `subject` and `group` is set.
    package struct Mapping: Sendable, Hashable, Codable {
        package var subject: String?
        package var group: String?
        package var roles: [String]
        package var scopes: [String]
        package var workspaces: [String]
        package var tenant: String?
    }

    /// What every caller must hold.
    package struct Require: Sendable, Hashable, Codable {
        package var scopes: [String]
        package var workspaces: [String]
    }

    /// Own routes and rules.
    package struct Policy: Sendable, Hashable, Codable {
        /// The routes as documents, for the route table; checked.
        package var routes: [JSONValue]
        package var builtinRoutes: Bool
        package var scopes: Scopes
        package var ownership: Ownership
        /// The rules as documents, for the policy engine; checked.
        package var rules: [JSONValue]
    }

    /// Requests per window over all callers; absent = no limit.
    package struct Rate: Sendable, Hashable, Codable {
        package var minute: Int64?
        package var hour: Int64?
        package var day: Int64?
    }

    /// Whether browsers are sent to the login page.
    package struct Login: Sendable, Hashable, Codable {
        package var redirect: Bool
    }

    /// The internal token for the upstream.
    package struct Assertion: Sendable, Hashable, Codable {
        package var enabled: Bool
        package var audience: String?
        package var ttl: TextDuration
        package var header: String
    }

    package var hosts: [String]
    /// Absent = the process setting.
    package var mode: Mode?
    package var issuers: [Issuer]
    package var serviceTokens: Bool
    package var apiKeys: Bool
    package var tokenReview: TokenReview
    package var clientCertificates: ClientCertificates
    package var mappings: [Mapping]
    package var require: Require
    package var policy: Policy
    package var rate: Rate?
    package var metering: Metering
    package var login: Login
    package var forwardCredential: Bool
    package var assertion: Assertion
}

/// What a request costs.
package struct Metering: Sendable, Hashable, Codable {
    /// What is asked and reserved.
    package enum Action: String, Sendable, Hashable, Codable, CaseIterable {
        case none, task, tokens
        case agentHire = "agent.hire"
        case slot
    }

    /// What the account's plan must have.
    package struct Requires: Sendable, Hashable, Codable {
        package var plan: String?
        package var modelTier: String?
        package var premiumAgents: Bool?
    }

    /// What is reserved for a model call.
    package struct Estimate: Sendable, Hashable, Codable {
        package var input: Int64?
        package var maxOutput: Int64?
    }

    package var action: Action
    package var model: String?
    package var slot: String?
    package var requires: Requires?
    package var estimate: Estimate?
    package var microCreditsPerRequest: Int64
}
