// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The scopes that are asked for beside a route's permission.
package enum ScopeRequirement {
    /// Every required scope must be held, as the matcher of permissions says; blank ones are ignored; write does not imply read.
    ///
    /// - Returns: nil when they are, else 403 `auth.missing_scope` naming the missing ones, sorted.
    package static func check(held: [String], required: [String], admin: Bool) -> Refusal? {
        if admin || required.isEmpty { return nil }
        let missing = Set(
            required.filter { scope in
                !scope.utf8.allSatisfy(ASCII.isWhiteSpace)
                    && !held.contains { PermissionName.matches(grant: $0, action: scope) && !isBareWildcard($0) }
            })
        if missing.isEmpty { return nil }
        let sorted = ASCII.sortedByBytes(missing)
        return Refusal(
            .authMissingScope, message: "Missing required scopes: " + sorted.joined(separator: ", "),
            details: ["missing": .strings(sorted)], challengeScope: sorted.joined(separator: " "))
    }

    /// `*` and `*:…` cover nothing.
    private static func isBareWildcard(_ scope: String) -> Bool { scope.utf8.first == UInt8(ascii: "*") }
}

/// The workspaces that are asked for.
package enum WorkspaceRequirement {
    /// Every required workspace must be the caller's; letter case and blanks around do not matter; `*` among the held covers all.
    ///
    /// - Parameter held: lower case.
    /// - Returns: nil when they are, else 403 `auth.workspace_forbidden`.
    package static func check(held: [String], required: [String], admin: Bool) -> Refusal? {
        let needed = Set(required.map { ASCII.lowercased(ASCII.trimmed($0)) }.filter { !$0.isEmpty })
        if admin || needed.isEmpty || held.contains("*") { return nil }
        if held.isEmpty { return Refusal(.authWorkspaceForbidden, message: "Workspace access denied") }
        let missing = ASCII.sortedByBytes(needed.subtracting(held))
        if missing.isEmpty { return nil }
        return Refusal(
            .authWorkspaceForbidden, message: "Workspace access denied for: " + missing.joined(separator: ", "))
    }
}
