// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What a caller gets because of who it is: for identities that carry no rights of their own.
package struct IdentityMapping: Sendable, Hashable {
    /// Whom it is for. A final `*` makes the text a prefix.
    package enum Match: Sendable, Hashable {
        case subject(String)
        case group(String)
    }

    package let match: Match
    package let roles: [String]
    package let scopes: [String]
    /// Trimmed and lower case.
    package let workspaces: [String]
    package let tenant: String?

    package init(
        match: Match, roles: [String] = [], scopes: [String] = [], workspaces: [String] = [], tenant: String? = nil
    ) {
        self.match = match
        self.roles = roles
        self.scopes = scopes
        self.workspaces = workspaces.map { ASCII.trimmed($0).lowercased() }.filter { !$0.isEmpty }
        self.tenant = tenant
    }

    /// Whether it is for this caller.
    func applies(subject: String?, groups: [String]) -> Bool {
        switch match {
        case .subject(let pattern): subject.map { Self.matches(pattern, $0) } ?? false
        case .group(let pattern): groups.contains { Self.matches(pattern, $0) }
        }
    }

    private static func matches(_ pattern: String, _ text: String) -> Bool {
        guard pattern.utf8.last == UInt8(ascii: "*") else { return text.isExactly(pattern) }
        return text.utf8.starts(with: pattern.utf8.dropLast())
    }
}
