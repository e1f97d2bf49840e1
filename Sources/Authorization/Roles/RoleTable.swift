// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The role data, compiled: who inherits from whom and which roles grant what. Immutable.
package final class RoleTable: Sendable {
    /// One role as the data has it.
    package struct Role: Sendable, Hashable {
        package let name: String
        package let description: String?
        package let inherits: String?
        /// Its own, as written.
        package let permissions: [String]
    }

    /// Every role, sorted by name.
    package let roles: [Role]
    /// Actions that anyone may do, credential or not.
    package let publicActions: Set<String>
    /// What a key created without scopes gets.
    package let apiKeyDefaultScopes: [String]
    /// What role `admin` grants with everything up its chain, sorted; wildcards as written.
    package let adminPermissions: [String]
    /// What the table was read from.
    package let document: JSONValue

    private let numbers: [String: Int]
    /// By role: itself and its ancestors, by number and as sorted names.
    private let closures: [RoleSet]
    private let closureNames: [[String]]
    private let grants: [String: RoleSet]
    private let wildcardGrants: [Substring: RoleSet]

    /// Reads `{roles, public_endpoints, api_key_default_scopes}`.
    ///
    /// - Throws: every problem at once.
    package init(document: JSONValue) throws(RoleTableError) {
        var reader = RoleReader()
        reader.read(document)
        guard reader.problems.isEmpty else { throw RoleTableError(problems: reader.sortedProblems) }
        let roles = reader.roles
        let numbers = Dictionary(uniqueKeysWithValues: roles.enumerated().map { ($1.name, $0) })
        let chains = roles.indices.map { Self.chain(from: $0, roles: roles, numbers: numbers) }
        var grants: [String: RoleSet] = [:]
        var wildcards: [Substring: RoleSet] = [:]
        for (number, chain) in chains.enumerated() {
            for permission in chain.flatMap({ roles[$0].permissions }) {
                if permission.utf8.last == UInt8(ascii: "*"), let prefix = PermissionName.prefix(of: permission) {
                    wildcards[prefix, default: RoleSet()].insert(number)
                } else {
                    grants[permission, default: RoleSet()].insert(number)
                }
            }
        }
        for permission in grants.keys {
            if let prefix = PermissionName.prefix(of: permission), let more = wildcards[prefix] {
                grants[permission]?.formUnion(more)
            }
        }
        self.roles = roles
        self.document = document
        self.numbers = numbers
        self.grants = grants
        publicActions = Set(reader.publicActions)
        apiKeyDefaultScopes = reader.apiKeyDefaultScopes
        wildcardGrants = wildcards
        let administrator = numbers["admin"].map { chains[$0] } ?? []
        adminPermissions = ASCII.sortedByBytes(Set(administrator.flatMap { roles[$0].permissions }))
        closures = chains.map { chain in
            var set = RoleSet()
            chain.forEach { set.insert($0) }
            return set
        }
        closureNames = chains.map { ASCII.sortedByBytes($0.map { roles[$0].name }) }
    }

    private static func chain(from start: Int, roles: [Role], numbers: [String: Int]) -> [Int] {
        var chain = [start]
        while let parent = roles[chain[chain.count - 1]].inherits, let number = numbers[parent] { chain.append(number) }
        return chain
    }

    /// Whether the data knows the role.
    package func isKnown(_ role: String) -> Bool { numbers[role] != nil }

    /// The role's own permissions and everything up its chain, sorted; wildcards as written. Empty for an unknown role.
    package func permissions(ofRole name: String) -> [String] {
        guard let number = numbers[name] else { return [] }
        let all = roles.indices.filter { closures[number].contains($0) }.flatMap { roles[$0].permissions }
        return ASCII.sortedByBytes(Set(all))
    }

    /// Every permission that some role names, sorted.
    package var permissions: [String] { ASCII.sortedByBytes(Set(roles.flatMap(\.permissions))) }

    /// The roles that grant the action, through their ancestors too.
    func granting(_ action: String) -> RoleSet {
        if let set = grants[action] { return set }
        guard let prefix = PermissionName.prefix(of: action), let set = wildcardGrants[prefix] else { return RoleSet() }
        return set
    }

    /// The known roles among the names with all their ancestors: as a set and as sorted names.
    func effective(_ names: [String]) -> (set: RoleSet, names: [String]) {
        var first = -1
        var union = RoleSet()
        for name in names {
            guard let number = numbers[name] else { continue }
            if first < 0 {
                first = number
                union = closures[number]
            } else if !union.contains(number) {
                union.formUnion(closures[number])
            }
        }
        guard first >= 0 else { return (union, []) }
        if union == closures[first] { return (union, closureNames[first]) }
        return (union, roles.indices.filter { union.contains($0) }.map { roles[$0].name })
    }

    /// The number of the role that makes an administrator.
    var adminNumber: Int? { numbers["admin"] }
}
