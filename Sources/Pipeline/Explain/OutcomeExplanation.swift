// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import RuntimeState

/// Explains what is decided without the checks of the policy: the path, the host, the route, and what is asked for besides.
enum OutcomeExplanation {
    /// A path that is not canonical.
    static func path(_ fault: PathFault) -> Explanation {
        var text = Explanation(.asker, "the path is not canonical: \(fault.rawValue)")
        text.mend(.asker, CodeRemedy.text(fault))
        return text
    }

    /// A host that no AuthConfig names.
    static func noConfig(_ host: String) -> Explanation {
        var text = Explanation(.asker, "no AuthConfig names \(host) or a wildcard over it")
        text.mend(.asker, "Name \(host) in spec.hosts of an AuthConfig.")
        return text
    }

    /// An AuthConfig that is closed.
    static func broken(_ config: CompiledAuthConfig, rule: String, reason: String) -> Explanation {
        var text = Explanation(.host, "host rule \(rule) of AuthConfig \(config.key)")
        text.say(.host, "it is not usable: \(reason)")
        text.mend(.host, "Mend AuthConfig \(config.key): `tollgate get authconfigs` shows its conditions.")
        return text
    }

    /// The AuthConfig and the rule of the route, or what rules there are for other methods.
    static func selected(
        _ config: CompiledAuthConfig, rule: String, match: RouteMatch?, path: CanonicalPath?, policy: CompiledPolicy
    ) -> Explanation {
        var text = Explanation(.host, "host rule \(rule) of AuthConfig \(config.key)")
        guard let path else {
            text.say(.asker, "there is no path to look for a route with")
            return text
        }
        guard let match else {
            text.say(.host, "no route matches")
            let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"].filter {
                policy.match(method: $0, path: path, host: config.policy) != nil
            }
            if !methods.isEmpty { text.say(.host, "rules cover this path for: \(methods.joined(separator: ", "))") }
            return text
        }
        text.say(.host, "route \(match.display)")
        let captures = [
            ("type", match.captures.type), ("id", match.captures.id), ("owner", match.captures.owner),
            ("tenant", match.captures.tenant), ("project", match.captures.project),
        ].compactMap { name, value in value.map { "\(name) \(PolicyExplanation.shown($0))" } }
        if !captures.isEmpty { text.say(.host, "the path says: \(captures.joined(separator: ", "))") }
        return text
    }

    /// What the policy decided without looking at rights.
    static func decided(
        _ decision: PolicyDecision, query: PolicyQuery, request: String, match: RouteMatch?,
        config: CompiledAuthConfig
    ) -> Explanation {
        guard let refusal = decision.refusal else {
            return Explanation(.host, match?.rule.isPublic == true ? "the route is public" : "the action is public")
        }
        var text = Explanation()
        switch refusal.code {
        case .policyActionInvalid:
            text.say(.asker, "the permission that was named is none: two or three parts with : between, no wildcard")
        case .authAuthenticationRequired, .authMissingToken:
            let permission = decision.permission.map { "permission \($0)" } ?? "a known caller"
            text.say(.host, "the route needs \(permission), nobody is known")
            let isAdministrative = decision.permission?.hasPrefix("admin:") ?? false
            if query.authenticationDisabled, isAdministrative {
                text.say(.host, "mode disabled does not let anonymous callers use admin permissions")
            }
        case .policyRouteUnmapped:
            text.say(.host, unmapped(config))
            text.mend(.host, "Add a rule for \(request) to spec.policy.routes of AuthConfig \(config.key).")
            if ["OPTIONS ", "TRACE ", "CONNECT "].contains(where: request.hasPrefix) {
                text.say(
                    .asker, "a rule for \"*\" does not include OPTIONS, TRACE and CONNECT: a rule has to name them")
            }
        case .policyResourceConflict:
            for line in conflicts(query.resource, match?.captures ?? ResourceAttributes()) { text.say(.host, line) }
        default: text.say(.host, decision.reasons.joined(separator: ", "))
        }
        return text
    }

    private static func conflicts(_ stated: ResourceAttributes, _ captured: ResourceAttributes) -> [String] {
        let pairs = [
            ("type", stated.type, captured.type), ("id", stated.id, captured.id),
            ("owner", stated.owner, captured.owner), ("tenant", stated.tenant, captured.tenant),
            ("project", stated.project, captured.project),
        ]
        return pairs.compactMap { name, stated, captured in
            guard let stated, let captured, !PolicyExplanation.isSame(stated, captured) else { return nil }
            return
                "\(name): stated as \(PolicyExplanation.shown(stated)), the path says \(PolicyExplanation.shown(captured))"
        }
    }

    private static func unmapped(_ config: CompiledAuthConfig) -> String {
        let builtIn = config.policy.builtinRoutes ? "and none of the shipped table" : "whose builtinRoutes is false,"
        return "no rule of AuthConfig \(config.key) \(builtIn) covers method and path"
    }

    /// What nobody who was refused already could be asked: what a caller would need.
    static func unknownCaller(
        permission: String?, match: RouteMatch?, config: CompiledAuthConfig, policy: CompiledPolicy
    ) -> Explanation {
        var text = Explanation(.asker, "needs a verified caller")
        if match == nil { text.say(.host, unmapped(config) + ": refused for a verified caller too") }
        guard let permission else { return text }
        text.say(.host, "permission \(permission)")
        let least = policy.leastRoles(granting: permission)
        text.say(
            .host,
            least.isEmpty ? "no role grants it" : "the least roles that grant it: \(least.joined(separator: ", "))")
        return text
    }

    /// The scopes and workspaces that are asked for besides.
    static func requirements(
        scopes: [String], workspaces: [String], principal: Principal, admin: Bool, refusal: Refusal?
    ) -> Explanation {
        var text = Explanation()
        if !scopes.isEmpty {
            text.say(.host, "scopes asked for besides: \(PolicyExplanation.list(scopes))")
            text.say(.caller, "the caller's scopes: \(admin ? "an admin's" : PolicyExplanation.list(principal.scopes))")
        }
        if !workspaces.isEmpty {
            text.say(.host, "workspaces asked for: \(PolicyExplanation.list(workspaces))")
            text.say(
                .caller,
                "the caller's workspaces: \(admin ? "an admin's" : PolicyExplanation.list(principal.workspaceIDs))")
        }
        guard let refusal else { return text }
        switch refusal.code {
        case .authMissingScope:
            let missing = (refusal.details?["missing"]?.arrayValue ?? []).compactMap(\.stringValue)
            text.mend(.host, "Give the caller the scopes \(PolicyExplanation.list(missing)).")
        case .authWorkspaceForbidden:
            text.mend(.host, "Give the caller the workspaces \(PolicyExplanation.list(workspaces)).")
        default: break
        }
        return text
    }
}
