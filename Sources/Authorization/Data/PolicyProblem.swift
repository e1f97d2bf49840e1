// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One fault of the policy data, whichever of its documents has it.
package struct PolicyProblem: Sendable, Hashable {
    /// The documents that policy data consists of.
    package enum Document: String, Sendable {
        /// Roles, public actions and default scopes.
        case roles = "data.json"
        /// The route table.
        case routes = "routes.yaml"
    }

    package let document: Document
    /// The role at fault; nil where it is none of them.
    package let role: String?
    /// The rule at fault by its place in the list, from 0.
    package let rule: Int?
    /// The code of a role's fault (`cycle`, `bad_permission`), else what is wrong in words.
    package let problem: String
    /// The member of the rule at fault; empty where it is none of them.
    package let member: String

    package init(_ document: Document, _ problem: String, role: String? = nil, rule: Int? = nil, member: String = "") {
        self.document = document
        self.problem = problem
        self.role = role
        self.rule = rule
        self.member = member
    }

    init(_ problem: RoleProblem) {
        self.init(.roles, problem.problem.rawValue, role: problem.role)
    }

    init(_ problem: RouteProblem) {
        self.init(.routes, problem.message, rule: problem.index, member: problem.member)
    }

    /// `data.json: role editor: cycle`, `routes.yaml: rules[3].path: must begin with /`.
    package var text: String {
        var parts = [document.rawValue]
        if let role, !role.isEmpty { parts.append("role \(role)") }
        let place = [rule.map { "rules[\($0)]" } ?? "", member].filter { !$0.isEmpty }.joined(separator: ".")
        if !place.isEmpty { parts.append(place) }
        return (parts + [problem]).joined(separator: ": ")
    }

    /// `{document, role, problem}` or `{document, rule, member, problem}`, without what is not known.
    package var json: JSONValue {
        var object: JSONObject = ["document": .string(document.rawValue)]
        if let role { object["role"] = .string(role) }
        if let rule { object["rule"] = .int(Int64(rule)) }
        if !member.isEmpty { object["member"] = .string(member) }
        object["problem"] = .string(problem)
        return .object(object)
    }
}

/// Policy data was refused: nothing of it is in force.
package struct PolicyDataError: Error, Sendable, Hashable {
    package enum Code: String, Sendable {
        case invalid = "policy.invalid"
    }
    package let code: Code
    package let message: String
    /// Every fault: those of the roles, then those of the routes.
    package let problems: [PolicyProblem]

    package init(_ problems: [PolicyProblem]) {
        code = .invalid
        message = problems.map(\.text).joined(separator: "; ")
        self.problems = problems
    }
}
