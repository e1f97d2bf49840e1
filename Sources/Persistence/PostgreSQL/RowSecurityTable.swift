// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A table whose rows belong to tenants, and how it keeps them apart.
package struct RowSecurityTable: Sendable, Hashable {
    /// How the tenant of a row is known.
    enum Reach: Sendable, Hashable {
        /// By its own column `tenant_id` of that type.
        case column(type: String, isNotNull: Bool)
        /// By the row of another table that it belongs to.
        case parent(schema: String, table: String, keys: [Key])
        /// Not at all: the foreign key to that table is missing.
        case unknown(parent: String)
    }

    /// A column, and the column of the parent that it is equal to.
    struct Key: Sendable, Hashable {
        let column: String
        let parentColumn: String
    }

    package let schema: String
    package let name: String
    package let isEnabled: Bool
    package let isForced: Bool
    /// Whether the login of the connection could change the table: it owns it, or may become who does.
    let isOwned: Bool
    let reach: Reach
    let policies: [RowSecurityPolicy]

    /// `schema.name`.
    package var title: String { "\(schema).\(name)" }

    /// The name as a statement holds it.
    var quoted: String { "\(Self.quote(schema)).\(Self.quote(name))" }

    /// A name between quotes, so that nothing of it is more than a name.
    static func quote(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    // MARK: - What it must have

    /// The condition under which a row is the present tenant's; nil where that cannot be known.
    var predicate: String? {
        switch reach {
        case .column: "tenant_id = tollgate.get_current_tenant_id()"
        case .unknown: nil
        case .parent(let schema, let table, let keys):
            "EXISTS (SELECT 1 FROM \(Self.quote(schema)).\(Self.quote(table)) parent WHERE "
                + keys.map {
                    "parent.\(Self.quote($0.parentColumn)) = \(Self.quote(name)).\(Self.quote($0.column)) AND "
                }
                .joined() + "parent.tenant_id = tollgate.get_current_tenant_id())"
        }
    }

    /// The four policies that keep tenants apart.
    var wantedPolicies: [RowSecurityPolicy] {
        guard let predicate else { return [] }
        return RowSecurityPolicy.Command.allCases.map { command in
            RowSecurityPolicy(
                name: "tenant_isolation_\(name)_\(command.rawValue)", command: command.rawValue, isPermissive: true,
                isForEverybody: true, using: command == .insert ? nil : predicate,
                check: command == .insert || command == .update ? predicate : nil)
        }
    }

    /// The policies that are missing or are not what they must be.
    var brokenPolicies: [RowSecurityPolicy] {
        wantedPolicies.filter { wanted in !policies.contains { $0.means(the: wanted) } }
    }

    /// The policies of somebody else that let rows through beside ours.
    var looseningPolicies: [RowSecurityPolicy] {
        let names = Set(wantedPolicies.map(\.name))
        return policies.filter { $0.isPermissive && !names.contains($0.name) }
    }

    /// What is wrong with it; empty when tenants are kept apart.
    package var problems: [String] {
        var problems: [String] = []
        if case .unknown(let parent) = reach {
            problems.append("no foreign key to \(parent) tells the tenant of a row")
        }
        if case .column(let type, let isNotNull) = reach {
            if !Self.isText(type) { problems.append("tenant_id is \(type), not text") }
            if !isNotNull { problems.append("tenant_id may be NULL") }
        }
        if !isEnabled { problems.append("row-level security is not enabled") }
        if !isForced { problems.append("row-level security is not forced") }
        problems += brokenPolicies.map { "policy \($0.name) is missing or not as it must be" }
        problems += looseningPolicies.map { "policy \($0.name) is not of Tollgate and may open rows to other tenants" }
        return problems
    }

    /// Whether a column of that type can be compared with a tenant.
    static func isText(_ type: String) -> Bool { type == "text" || type.hasPrefix("character varying") }
}

/// A policy of a table.
struct RowSecurityPolicy: Sendable, Hashable {
    enum Command: String, CaseIterable {
        case select, insert, update, delete
    }

    let name: String
    /// `select`, `insert`, `update`, `delete` or `all`.
    let command: String
    /// Whether it lets rows through; the others only take away.
    let isPermissive: Bool
    let isForEverybody: Bool
    let using: String?
    let check: String?

    /// Whether it says the same, however the server writes it.
    func means(the other: RowSecurityPolicy) -> Bool {
        name == other.name && command == other.command && isPermissive == other.isPermissive
            && isForEverybody == other.isForEverybody && Self.plain(using) == Self.plain(other.using)
            && Self.plain(check) == Self.plain(other.check)
    }

    /// A condition without what the server adds or leaves out: blanks, parentheses, quotes, the type of a text, the schema of the function.
    static func plain(_ condition: String?) -> String? {
        condition.map { text in
            text.split(separator: "tollgate.get_current_tenant_id", omittingEmptySubsequences: false)
                .joined(separator: "get_current_tenant_id")
                .split(separator: "::text", omittingEmptySubsequences: false).joined()
                .filter { !$0.isWhitespace && $0 != "(" && $0 != ")" && $0 != "\"" }
        }
    }

    /// The statement that makes it.
    func statement(on table: RowSecurityTable) -> String {
        "CREATE POLICY \(RowSecurityTable.quote(name)) ON \(table.quoted) FOR \(command.uppercased()) TO PUBLIC"
            + (using.map { " USING (\($0))" } ?? "") + (check.map { " WITH CHECK (\($0))" } ?? "")
    }
}
