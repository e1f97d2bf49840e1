// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What one AuthConfig says about authorisation.
package struct HostPolicy: Sendable {
    /// Whether scope claims of JWTs limit.
    package enum ScopeEnforcement: String, Sendable {
        case ignore, enforce
    }

    /// Whether an id that only the path says is enough for the owner check.
    package enum OwnershipRule: String, Sendable {
        case standard = "default"
        case required
    }

    /// Its own rules, searched first.
    package var routes: RouteTable?
    /// Whether the shipped table follows.
    package var builtinRoutes: Bool
    package var scopes: ScopeEnforcement
    package var ownership: OwnershipRule
    /// `spec.policy.rules`; nil = none.
    package var rules: RuleSet?

    package init(
        routes: RouteTable? = nil, builtinRoutes: Bool = true, scopes: ScopeEnforcement = .ignore,
        ownership: OwnershipRule = .standard, rules: RuleSet? = nil
    ) {
        self.routes = routes
        self.builtinRoutes = builtinRoutes
        self.scopes = scopes
        self.ownership = ownership
        self.rules = rules
    }
}

/// What is asked of the policy, beside who asks.
package struct PolicyQuery: Sendable {
    /// Whom the request is for.
    package enum Surface: Sendable {
        /// A workload behind a gateway.
        case workload
        /// Tollgate's own API.
        case own
    }

    /// A permission asked for by name instead of a request; nil when the route's rule says it.
    package var action: String?
    /// Replaces the permission of the matched rule, unless that is public.
    package var permissionOverride: String?
    /// The gateway's word about the resource; on the own surface, what the own store knows, which wins over the path.
    package var resource: ResourceAttributes
    package var surface: Surface
    /// Whether the authentication mode in force is `disabled`.
    package var authenticationDisabled: Bool
    /// The AuthConfig that covers the host; nil on the own surface.
    package var host: HostPolicy?
    /// The accepted shares between projects.
    package var shares: ShareTable
    /// The instant of the decision: shares that have ended do not count.
    package var now: Timestamp
    /// What the rules of the host read; needed only where it has any.
    package var facts: RuleFacts?

    package init(
        action: String? = nil, permissionOverride: String? = nil, resource: ResourceAttributes = ResourceAttributes(),
        surface: Surface = .workload, authenticationDisabled: Bool = false, host: HostPolicy? = nil,
        shares: ShareTable = .empty, now: Timestamp = .latest, facts: RuleFacts? = nil
    ) {
        self.action = action
        self.permissionOverride = permissionOverride
        self.resource = resource
        self.surface = surface
        self.authenticationDisabled = authenticationDisabled
        self.host = host
        self.shares = shares
        self.now = now
        self.facts = facts
    }

    /// Whether somebody but the path said which resource it is.
    var isDescribed: Bool { resource.id != nil || resource.owner != nil }
}
