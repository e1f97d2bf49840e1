// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials
package import ResourceModel

/// Turns Subscriptions, and what the ledger knows, into the table of accounts. The same objects, catalogue, knowledge and earlier statuses give
/// the same result in any order.
package struct SubscriptionCompiler: Sendable {
    /// What became of all Subscriptions.
    package struct Output: Sendable {
        package var accounts: AccountTable
        /// How each object fared, `Ready` not summed up yet. An object whose account has not been looked at yet is not among them.
        package var statuses: [ObjectKey: ObjectStatus]
        /// What the ledger is to be told of each object that speaks for its account, or may not.
        package var orders: [ObjectKey: AccountOrder]
        /// When the time of an account is over next; nil = never.
        package var dueAt: Timestamp?
    }

    /// The catalogue in force.
    package let plans: PlanBook
    private let namespaces: NamespaceRules
    /// Where the ledger is handed what objects ask for; nil where there is none: then every status is by the object alone.
    package let accounts: SubscriptionAccounts?

    package init(plans: PlanBook, namespaces: NamespaceRules, accounts: SubscriptionAccounts? = nil) {
        self.plans = plans
        self.namespaces = namespaces
        self.accounts = accounts
    }

    /// An object that may speak for its account.
    private struct Candidate {
        var input: CompilerInput
        var object: Subscription
        var name: String { "\(input.key.namespace)/\(input.key.name)" }
    }

    /// - Parameter earlier: the statuses of the last pass: an account whose new plan nobody knows stays on the one that it had.
    package func compile(_ inputs: [CompilerInput], earlier: [ObjectKey: JSONValue], now: Timestamp) -> Output {
        let catalogue = plans.catalogue
        var table = AccountStates(
            known: accounts?.known ?? [:], terms: accounts?.terms ?? BillingTerms(catalogue: catalogue), now: now)
        // Another catalogue may be in force by now: all of this is by one.
        table.terms.catalogue = catalogue
        var output = Output(accounts: .empty, statuses: [:], orders: [:])
        var candidates: [Candidate] = []
        for input in inputs where input.key.kind == .subscription {
            switch candidate(input) {
            case .success(let candidate): candidates.append(candidate)
            case .failure(let outside):
                output.statuses[input.key] = outside.status
                output.orders[input.key] = outside.order
            }
        }
        // The older object speaks for the account, of equally old ones the one that comes first by name.
        candidates.sort { ($0.input.createdAt, $0.name) < ($1.input.createdAt, $1.name) }
        var holders: [String: String] = [:]
        for candidate in candidates {
            let (key, account) = (candidate.input.key, candidate.object.spec.tenant)
            if let holder = holders[account] {
                output.statuses[key] = Self.conflicted(candidate.input, account: account, holder: holder)
                continue
            }
            holders[account] = candidate.name
            let order = SubscriptionOrder(candidate.object, key: key, createdAt: candidate.input.createdAt)
            output.orders[key] = .keep(order, account: account)
            let standing = table.add(order, account: account, earlier: earlier[key])
            guard let entry = entry(candidate, standing, table) else { continue }
            var status = ObjectStatus(conditions: entry.conditions, members: entry.members)
            Self.noteProblems(candidate.input, &status.conditions)
            output.statuses[key] = status
        }
        table.addAccountsWithoutObject()
        output.accounts = AccountTable(
            states: table.states, fallback: catalogue.fallbackState, offers: catalogue.offers)
        output.dueAt = table.dueAt
        return output
    }

    /// Hands what the objects want to whoever brings it to the ledger.
    package func want(_ orders: [ObjectKey: AccountOrder]) { accounts?.want(orders, catalogue: plans.catalogue) }

    /// Nil where nothing is known yet of the account of an object: its status stays what it is.
    private func entry(
        _ candidate: Candidate, _ standing: AccountStates.Stated, _ table: AccountStates
    ) -> SubscriptionEntry? {
        let spec = candidate.object.spec
        var entry = SubscriptionEntry(spec, catalogue: table.terms.catalogue, now: table.now)
        guard let accounts else {
            entry.describe(standing)
            return entry
        }
        switch accounts.standing(of: candidate.input.key) {
        case .unknown: return nil
        case .away(let reason):
            entry.describe(standing)
            entry.noteOutage(reason)
        case .known(let report): entry.describe(report)
        }
        return entry
    }

    /// An object that does not take part.
    private struct Outside: Error {
        var status: ObjectStatus
        var order: AccountOrder?
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
            return .failure(
                Outside(
                    status: ObjectStatus(conditions: conditions),
                    order: .withdraw(uid: AccountOrder.uid(of: input.key, object), account: object.spec.tenant)))
        }
        return .success(Candidate(input: input, object: object))
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
