// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials
package import ResourceModel

/// Turns Subscriptions into the table of accounts. The same objects, catalogue and earlier statuses give the same result in any order.
package struct SubscriptionCompiler: Sendable {
    /// What became of all Subscriptions.
    package struct Output: Sendable {
        package var accounts: AccountTable
        /// How each object fared, `Ready` not summed up yet.
        package var statuses: [ObjectKey: ObjectStatus]
        /// When the time of an account is over next; nil = never.
        package var dueAt: Timestamp?
    }

    /// The catalogue in force.
    package let plans: PlanBook
    private let namespaces: NamespaceRules

    package init(plans: PlanBook, namespaces: NamespaceRules) {
        self.plans = plans
        self.namespaces = namespaces
    }

    /// An object that may speak for its account.
    private struct Candidate {
        var input: CompilerInput
        var spec: SubscriptionSpec
        var name: String { "\(input.key.namespace)/\(input.key.name)" }
    }

    /// - Parameter earlier: the statuses of the last pass: an account whose new plan nobody knows stays on the one that it had.
    package func compile(_ inputs: [CompilerInput], earlier: [ObjectKey: JSONValue], now: Timestamp) -> Output {
        let catalogue = plans.catalogue
        var statuses: [ObjectKey: ObjectStatus] = [:]
        var candidates: [Candidate] = []
        for input in inputs where input.key.kind == .subscription {
            switch candidate(input) {
            case .success(let candidate): candidates.append(candidate)
            case .failure(let outside): statuses[input.key] = outside.status
            }
        }
        // The older object speaks for the account, of equally old ones the one that comes first by name.
        candidates.sort { ($0.input.createdAt, $0.name) < ($1.input.createdAt, $1.name) }
        var states: [String: AccountState] = [:]
        var holders: [String: String] = [:]
        for candidate in candidates {
            let account = candidate.spec.tenant
            if let holder = holders[account] {
                statuses[candidate.input.key] = Self.conflicted(candidate.input, account: account, holder: holder)
                continue
            }
            holders[account] = candidate.name
            let entry = SubscriptionEntry(
                candidate.spec, catalogue: catalogue, earlier: earlier[candidate.input.key], now: now)
            states[account] = entry.account
            var status = ObjectStatus(conditions: entry.conditions, members: entry.members)
            Self.noteProblems(candidate.input, &status.conditions)
            statuses[candidate.input.key] = status
        }
        return Output(
            accounts: AccountTable(states: states, fallback: catalogue.fallbackState, offers: catalogue.offers),
            statuses: statuses,
            dueAt: candidates.compactMap(\.spec.validUntil?.timestamp).filter { $0 > now }.min())
    }

    /// An object that does not take part.
    private struct Outside: Error {
        var status: ObjectStatus
    }

    private func candidate(_ input: CompilerInput) -> Result<Candidate, Outside> {
        var conditions = Conditions()
        guard case .subscription(let object)? = input.object else {
            let problems = input.problems.isEmpty ? ["it was never valid"] : input.problems
            conditions.set("Invalid", .true, "InvalidSpec", problems.joined(separator: "; "))
            return .failure(Outside(status: ObjectStatus(conditions: conditions)))
        }
        do throws(NamespaceRules.Violation) {
            _ = try namespaces.tenant(stated: object.spec.tenant, namespace: input.key.namespace)
        } catch {
            conditions.set("Ready", .false, "NotAllowedInNamespace", error.message)
            return .failure(Outside(status: ObjectStatus(conditions: conditions)))
        }
        return .success(Candidate(input: input, spec: object.spec))
    }

    private static func conflicted(_ input: CompilerInput, account: String, holder: String) -> ObjectStatus {
        var conditions = Conditions()
        conditions.set(
            "Conflicted", .true, "AccountTaken",
            "\(holder) speaks for account \(account) and is older; delete one of both")
        noteProblems(input, &conditions)
        return ObjectStatus(conditions: conditions)
    }

    private static func noteProblems(_ input: CompilerInput, _ conditions: inout Conditions) {
        guard !input.problems.isEmpty else { return }
        conditions.set(
            "Invalid", .true, "InvalidSpec",
            "the last good state is in force: \(input.problems.joined(separator: "; "))")
    }
}
