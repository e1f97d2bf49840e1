// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Essentials

/// A change of a role that is in force.
package struct PolicyChange: Sendable {
    /// The role before and after; nil where there was none or is none.
    package var before: RoleTable.Role?
    package var after: RoleTable.Role?
    /// What was in force before, and what is now.
    package var revisionBefore: String
    package var state: PolicyState

    package init(before: RoleTable.Role?, after: RoleTable.Role?, revisionBefore: String, state: PolicyState) {
        self.before = before
        self.after = after
        self.revisionBefore = revisionBefore
        self.state = state
    }
}

extension PolicyKeeper {
    /// How often a change is planned anew when somebody else changed the data meanwhile.
    private static let attempts = 3

    /// Changes one role: the newest data is read, judged with the change as a whole, written and put in force before this returns.
    ///
    /// - Parameter revisions: the change is made only on one of these; nil = on any.
    /// - Throws: `policy.role_not_found`, `policy.read_only`, `policy.stale_revision`, `policy.role_in_use`, `policy.roles_invalid`,
    ///   `policy.lockout`; `policy.unavailable` when the data cannot be stored. Then nothing was written.
    package func change(_ edit: RoleEdit, onRevision revisions: [String]?) async throws(Refusal) -> PolicyChange {
        try await exclusively { () throws(Refusal) in
            for _ in 0..<Self.attempts {
                if let change = try await attempt(edit, onRevision: revisions) { return change }
            }
            throw Refusal(.policyStaleRevision)
        }
    }

    /// Nil when somebody else was faster.
    private func attempt(_ edit: RoleEdit, onRevision revisions: [String]?) async throws(Refusal) -> PolicyChange? {
        let (source, reading) = await pass()
        let present = state
        if case .delete(let role) = edit, !present.policy.roles.isKnown(role) {
            throw Refusal(.policyRoleNotFound, details: ["role": .string(role)])
        }
        if let reason = reading.origin.readOnlyReason { throw Refusal(.policyReadOnly, message: reason) }
        guard present.lastError == nil, case .texts(let texts) = reading.content else {
            throw Refusal(
                .policyReadOnly,
                message: "The policy data in \(reading.origin.location) is invalid as it stands there: mend it first",
                details: ["problems": .array((present.lastError?.problems ?? []).map(\.json))])
        }
        if let revisions, !revisions.contains(present.revision) {
            throw Refusal(.policyStaleRevision, details: ["revision": .string(present.revision)])
        }
        let plan = try edit.plan(on: present.policy)
        var change = PolicyChange(
            before: plan.before, after: plan.after, revisionBefore: present.revision, state: present)
        guard plan.isChange else { return change }
        let bytes = plan.document.indented()
        do throws(PolicyWriteFailure) {
            try await source.write(roles: bytes, over: texts)
        } catch {
            guard error.code == .failed else { return nil }
            throw Refusal(.policyUnavailable, message: "The policy data cannot be stored: \(error.message)")
        }
        // Where it is kept now may be another place than where it was read.
        let origin = source.read()?.origin ?? reading.origin
        put(PolicyReading(origin: origin, content: .texts(PolicyTexts(roles: bytes, routes: texts.routes))))
        change.state = state
        return change
    }
}
