// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Essentials

/// The policy data in force and how it came about. Immutable; one reference per change.
package struct PolicyState: Sendable {
    package var policy: CompiledPolicy
    package var documents: PolicyDocuments
    /// Where the data in force came from.
    package var origin: PolicyOrigin
    /// When this revision was put in force.
    package var loadedAt: Timestamp
    /// Why what the source says now is not in force; nil while it is.
    package var lastError: PolicyLoadFailure?

    /// Names the data: see `CompiledPolicy.revision`.
    package var revision: String { policy.revision }

    /// The condition `PolicyLoaded` of the data as a whole.
    package var condition: PolicyCondition {
        if let lastError {
            return PolicyCondition(isTrue: false, reason: "InvalidPolicy", message: lastError.message)
        }
        let unreachable = policy.routes.unreachable
        guard unreachable.isEmpty else {
            return PolicyCondition(
                isTrue: true, reason: "UnreachableRoutes", message: unreachable.map(\.message).joined(separator: "; "))
        }
        return PolicyCondition(isTrue: true, reason: "Loaded", message: "revision \(revision)")
    }
}

/// What was wrong with the data that a source says at present.
package struct PolicyLoadFailure: Sendable, Hashable {
    /// When it was first seen so.
    package var at: Timestamp
    package var origin: PolicyOrigin
    package var problems: [PolicyProblem]

    /// Every problem in one line.
    package var message: String { problems.map(\.text).joined(separator: "; ") }
}

/// `PolicyLoaded`: whether what the source says is in force.
package struct PolicyCondition: Sendable, Hashable {
    package var isTrue: Bool
    /// `Loaded`, `UnreachableRoutes` or `InvalidPolicy`.
    package var reason: String
    package var message: String
}
