// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One fault of a route list.
package struct RouteProblem: Sendable, Hashable {
    /// Place of the rule in the list, from 0; nil for the document itself.
    package let index: Int?
    /// The member at fault; empty for the rule as a whole.
    package let member: String
    package let message: String

    init(index: Int?, member: String, message: String) {
        self.index = index
        self.member = member
        self.message = message
    }

    /// `rules[3].path: must begin with /`.
    package var text: String { index == nil ? text(below: "document") : text(below: "rules") }

    /// `spec.policy.routes[3].path: must begin with /`.
    ///
    /// - Parameter list: where the list stands.
    package func text(below list: String) -> String {
        let place = index.map { "\(list)[\($0)]" } ?? list
        return member.isEmpty ? "\(place): \(message)" : "\(place).\(member): \(message)"
    }
}

/// The route list was refused: nothing of it is in force.
package struct RouteTableError: Error, Sendable, Hashable {
    package enum Code: String, Sendable {
        case routesInvalid = "policy.routes_invalid"
    }
    package let code: Code
    package let message: String
    /// Every fault in the order of the list.
    package let problems: [RouteProblem]

    init(problems: [RouteProblem]) {
        code = .routesInvalid
        message = "The route table is invalid: " + problems.prefix(10).map(\.text).joined(separator: "; ")
        self.problems = problems
    }
}

/// A rule that can never match, because an earlier one of its list covers it wholly.
package struct UnreachableRoute: Sendable, Hashable {
    /// Places in the list, from 0.
    package let rule: Int
    package let coveredBy: Int
    /// Both rules named, as a condition or a warning says it.
    package let message: String
}
