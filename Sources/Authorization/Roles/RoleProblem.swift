// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One fault of the role data.
package struct RoleProblem: Sendable, Hashable {
    package enum Code: String, Sendable {
        case cycle, empty
        case unknownParent = "unknown_parent"
        case tooDeep = "too_deep"
        case badName = "bad_name"
        case badPermission = "bad_permission"
        /// A member that the data does not have; `role` is empty where the document itself has it.
        case unknownMember = "unknown_member"
        /// A value of the wrong kind or a missing one.
        case badType = "bad_type"
        /// More than 512 roles, or 512 permissions of one role.
        case tooMany = "too_many"
        /// With this role the document would have more than 1 MiB.
        case tooLarge = "too_large"
    }

    package let role: String
    package let problem: Code

    package init(role: String, problem: Code) {
        self.role = role
        self.problem = problem
    }
}

/// The role data was refused: nothing of it is in force.
package struct RoleTableError: Error, Sendable, Hashable {
    package enum Code: String, Sendable {
        case rolesInvalid = "policy.roles_invalid"
    }
    package let code: Code
    package let message: String
    /// Every fault, sorted by role.
    package let problems: [RoleProblem]

    init(problems: [RoleProblem]) {
        code = .rolesInvalid
        message =
            "The role data is invalid: "
            + problems.map { $0.role.isEmpty ? $0.problem.rawValue : "\($0.role): \($0.problem.rawValue)" }
            .joined(separator: ", ")
        self.problems = problems
    }

    /// 422 `policy.roles_invalid` with `details.problems`.
    package var refusal: Refusal {
        let list = problems.map { problem -> JSONValue in
            ["role": .string(problem.role), "problem": .string(problem.problem.rawValue)]
        }
        return Refusal(.policyRolesInvalid, message: message, details: ["problems": .array(list)])
    }
}
