// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
package import Billing
package import Essentials

/// One AuthConfig in the form in which requests use it. Immutable, one reference to pass on.
package final class CompiledAuthConfig: Sendable {
    /// `namespace/name`.
    package let key: String
    /// The tenant of its namespace; nil where that belongs to the platform.
    package let tenant: String?
    /// Why its hosts are closed (503 `config.invalid`); nil when it is sound.
    package let brokenReason: String?
    /// Which credentials are good here.
    package let realm: AuthenticationRealm
    /// Its own routes and switches.
    package let policy: HostPolicy
    /// `spec.policy.rules` as they were written.
    package let ruleDocuments: [JSONValue]
    /// `spec.require.scopes`.
    package let requiredScopes: [String]
    /// `spec.require.workspaces`.
    package let requiredWorkspaces: [String]
    /// Whether the workload gets the credential too.
    package let forwardsCredential: Bool
    /// `spec.rate`: over all callers of the object; nil = none.
    package let rate: RequestRate?
    /// What every request costs whose route does not say otherwise; nil = nothing.
    package let metering: CompiledMetering?
    /// What the requests of a route cost, by its place in the list, for the routes that say so themselves.
    private let routeMetering: [Int: CompiledMetering]
    /// Whether any request can cost something.
    package let isMetered: Bool

    package init(
        key: String, tenant: String? = nil, brokenReason: String?, realm: AuthenticationRealm, policy: HostPolicy,
        ruleDocuments: [JSONValue] = [], requiredScopes: [String],
        requiredWorkspaces: [String], forwardsCredential: Bool, rate: RequestRate? = nil,
        metering: CompiledMetering? = nil, routeMetering: [Int: CompiledMetering] = [:]
    ) {
        self.key = key
        self.tenant = tenant
        self.brokenReason = brokenReason
        self.realm = realm
        self.policy = policy
        self.ruleDocuments = ruleDocuments
        self.requiredScopes = requiredScopes
        self.requiredWorkspaces = requiredWorkspaces
        self.forwardsCredential = forwardsCredential
        self.rate = rate
        self.metering = metering
        self.routeMetering = routeMetering
        isMetered = metering != nil || !routeMetering.isEmpty
    }

    /// What a request costs that the rule covers; nil = nothing. What a route says replaces what the object says.
    package func metering(for rule: RouteRule?) -> CompiledMetering? {
        guard isMetered else { return nil }
        guard let rule, rule.isMetered else { return metering }
        return routeMetering[rule.index]
    }

    /// Names of the plans that any request must have.
    package var requiredPlans: Set<String> {
        guard isMetered else { return [] }
        return Set(([metering].compactMap(\.self) + routeMetering.values).compactMap(\.requirements.plan))
    }
}

extension CompiledAuthConfig {
    /// Reads what routes say themselves about what their requests cost.
    ///
    /// - Parameter routes: the list as it was written.
    package static func routeMetering(
        _ routes: [JSONValue]
    ) throws(RouteMeteringFault) -> [Int: CompiledMetering] {
        var result: [Int: CompiledMetering] = [:]
        for (index, route) in routes.enumerated() {
            guard let document = route["metering"], !document.isNull else { continue }
            do throws(MeteringDocument.Fault) {
                result[index] = try MeteringDocument.read(document)
            } catch {
                throw RouteMeteringFault(index: index, fault: error)
            }
        }
        return result
    }
}

/// What a route of a list says wrongly about what its requests cost.
package struct RouteMeteringFault: Error, Sendable, Hashable {
    /// Place of the route, from 0.
    package let index: Int
    package let fault: MeteringDocument.Fault

    /// - Parameter list: where the list stands.
    package func text(below list: String) -> String { fault.text(at: "\(list)[\(index)].metering") }
}
