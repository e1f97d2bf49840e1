// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

@testable internal import Authorization

/// An evaluator with one rule that is wrong.
struct SeededFault: Sendable, CustomStringConvertible {
    let description: String
    private(set) var checks = PolicyChecks.standard
    /// As which method a request is looked up.
    private(set) var method: @Sendable (String) -> String = { $0 }

    static let none = SeededFault(description: "none")

    private init(description: String) { self.description = description }

    private init(_ description: String, _ change: (inout PolicyChecks) -> Void) {
        self.description = description
        change(&checks)
    }

    static let all: [SeededFault] = tenants + owners + shares + roles + scopes + [headIsItsOwnMethod]

    private static let headIsItsOwnMethod: SeededFault = {
        var fault = SeededFault(description: "HEAD does not use the rule of GET")
        fault.method = { $0 == "HEAD" ? "X-HEAD" : $0 }
        return fault
    }()

    private static let standard = PolicyChecks.standard

    private static let tenants = [
        SeededFault("the tenant is not checked for a principal without one") { checks in
            checks.reachesTenant = { $1.subject.tenant == nil || standard.reachesTenant($0, $1) }
        },
        SeededFault("every admin reaches every tenant") { checks in
            checks.reachesTenant = { $0.isAdmin($1.effective) || standard.reachesTenant($0, $1) }
        },
        SeededFault("every platform principal reaches every tenant") { checks in
            checks.reachesTenant = { $1.subject.platform || standard.reachesTenant($0, $1) }
        },
        SeededFault("the platform mark of a rule is ignored") { $0.lacksPlatform = { _ in false } },
    ]

    private static let owners = [
        SeededFault("the admin of the tenant is asked for the owner too") { $0.administersTenant = { _, _ in false } },
        SeededFault("an admin administers every tenant") { checks in
            checks.administersTenant = { $0.isAdmin($1.effective) }
        },
        SeededFault("an unknown owner is everybody") { checks in
            checks.owns = { $0.resource.owner == nil || standard.owns($0) }
        },
        SeededFault("the owner is asked for only where something is deleted") { checks in
            checks.asksForOwner = { question in
                question.action.map { PermissionName.ends($0, in: "delete") } == true && standard.asksForOwner(question)
            }
        },
        SeededFault("an id of the path is enough to ask for the owner") { checks in
            checks.asksForOwner = { question in
                standard.asksForOwner(question)
                    || question.resource.id != nil
                        && question.action.map { PermissionName.ends($0, in: "write") } == true
            }
        },
    ]

    private static let shares = [
        SeededFault("shares do not end") { checks in
            checks.shareCounts = { share, owner, _ in share.ownerProject == owner }
        },
        SeededFault("a share counts whoever gave it") { checks in
            checks.shareCounts = { share, _, now in standard.shareCounts(share, share.ownerProject, now) }
        },
        SeededFault("a share covers every action") { $0.shareCovers = { shared, _ in !shared.isEmpty } },
        SeededFault("a share with manage deletes") { checks in
            checks.shareCovers = { $0.contains(.manage) || standard.shareCovers($0, $1) }
        },
    ]

    private static let roles = [
        SeededFault("Keycloak's default role is given without a tenant") { checks in
            checks.rolesInUse = { policy, subject in
                var changed = subject
                changed.tenant = subject.tenant ?? "any"
                return standard.rolesInUse(policy, changed)
            }
        },
        SeededFault("Keycloak's built-in roles are not left out") { $0.rolesInUse = { $1.roles } },
        SeededFault("everybody without roles gets the default one") { checks in
            checks.rolesInUse = { policy, subject in
                subject.roles.isEmpty ? [policy.settings.defaultUserRole] : standard.rolesInUse(policy, subject)
            }
        },
        SeededFault("only the first role counts") { checks in
            checks.inherited = { standard.inherited($0, Array($1.prefix(1))) }
        },
        SeededFault("roles do not inherit") { checks in
            checks.inherited = { table, names in
                let known = table.roles.enumerated().filter { names.contains($0.element.name) }
                var set = RoleSet()
                for role in known { set.insert(role.offset) }
                return (set, known.map(\.element.name))
            }
        },
        SeededFault("tokens without roles are asked for roles") { checks in
            checks.permitsRoles = { !$0.roles.granting($2).isDisjoint(with: $1.effective) }
        },
    ]

    private static let scopes = [
        SeededFault("a scope makes up for a missing role") { checks in
            checks.permitsRoles = { policy, question, action in
                standard.permitsRoles(policy, question, action)
                    || question.subject.scopes.contains { PermissionName.matches(grant: $0, action: action) }
            }
        },
        SeededFault("a role makes up for a missing scope") { checks in
            checks.permitsScopes = { standard.permitsScopes($0, $1, $2) || standard.permitsRoles($0, $1, $2) }
        },
        SeededFault("no scopes are no limit") { checks in
            checks.permitsScopes = { $1.subject.scopes.isEmpty || standard.permitsScopes($0, $1, $2) }
        },
        SeededFault("scopes of JWTs always limit") { checks in
            checks.permitsScopes = { $0.permits(scopesOf: $1.subject, $2, enforced: true) }
        },
        SeededFault("a wildcard reaches across segments") { checks in
            checks.scopeMatches = { scope, action in
                scope == action || scope.hasSuffix(":*") && action.hasPrefix(scope.dropLast())
            }
        },
    ]
}
