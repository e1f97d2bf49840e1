// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A query of the boolean language: comparisons of an event's members, joined by AND, OR and NOT.
///
/// It is parsed once and evaluated in memory; its text never reaches a database.
package struct BooleanQuery: Sendable, Hashable {
    /// Unicode scalars that a query may have.
    package static let longest = 2048
    /// Open parentheses and NOTs at once.
    package static let deepest = 32
    /// Comparisons in one query.
    package static let mostTerms = 64

    /// What was asked, as it was written.
    package let text: String
    /// nil = everything matches.
    let root: Node?
    let lookedAt: LookedAtMembers

    indirect enum Node: Sendable, Hashable {
        /// Two or more, none of them an AND.
        case and([Node])
        /// Two or more, none of them an OR.
        case or([Node])
        case not(Node)
        case comparison(QueryComparison)
    }

    /// Reads a query; one of blanks only matches everything.
    ///
    /// - Throws: `audit.bad_query` with `details` `{"position","reason"}`; the position counts Unicode scalars.
    package init(parsing text: String) throws(Refusal) {
        var parser = BooleanQueryParser(text)
        do throws(BooleanQueryFault) {
            root = try parser.parse()
        } catch {
            throw error.refusal
        }
        self.text = text
        lookedAt = LookedAtMembers(root)
    }

    /// Whether an event fits.
    package func matches(_ event: JSONObject) -> Bool { root?.matches(event) ?? true }
}

extension BooleanQuery.Node {
    func matches(_ event: JSONObject) -> Bool {
        switch self {
        case .and(let nodes): nodes.allSatisfy { $0.matches(event) }
        case .or(let nodes): nodes.contains { $0.matches(event) }
        case .not(let node): !node.matches(event)
        case .comparison(let comparison): comparison.holds(event)
        }
    }

    /// Gives every comparison to `body`.
    func visit(_ body: (QueryComparison) -> Void) {
        switch self {
        case .and(let nodes), .or(let nodes): for node in nodes { node.visit(body) }
        case .not(let node): node.visit(body)
        case .comparison(let comparison): body(comparison)
        }
    }
}

extension BooleanQuery: CustomStringConvertible {
    /// The query in its plainest writing, which parses to the same query.
    package var description: String { root?.description ?? "" }
}

extension BooleanQuery.Node: CustomStringConvertible {
    var description: String {
        switch self {
        case .and(let nodes): nodes.map { $0.isOr ? "(\($0))" : $0.description }.joined(separator: " AND ")
        case .or(let nodes): nodes.map(\.description).joined(separator: " OR ")
        case .not(let node):
            switch node {
            case .and, .or: "NOT (\(node))"
            case .not, .comparison: "NOT \(node)"
            }
        case .comparison(let comparison): comparison.description
        }
    }

    private var isOr: Bool {
        if case .or = self { return true }
        return false
    }
}
