// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What the events of the provider do to the accounts of the ledger: the standing is put in force, sales are granted and alerts are told to
/// the account's owner, each within the transaction of the event.
package struct AccountEffects: ProviderEffects {
    private static let actor = "provider"

    private let terms: @Sendable () -> BillingTerms
    private let outbox: AccountWork.Outbox

    /// - Parameters:
    ///   - terms: what holds for every account now.
    ///   - outbox: where events go that owners are told.
    package init(
        terms: @escaping @Sendable () -> BillingTerms, outbox: @escaping AccountWork.Outbox = { _, _, _ in }
    ) {
        self.terms = terms
        self.outbox = outbox
    }

    package func apply(
        _ standing: ProviderStanding, others: [ProviderStanding], account: String, at now: Timestamp,
        in transaction: any BillingTransaction
    ) throws -> [LedgerEntry.Kind] {
        try change(account, at: now, in: transaction, opens: true) { try $0.apply(standing, others: others) }
    }

    package func grant(
        _ sale: PackSale, account: String, at now: Timestamp, in transaction: any BillingTransaction
    ) throws -> [LedgerEntry.Kind] {
        let order = GrantOrder(
            key: sale.key, microCredits: sale.microCredits, source: .purchase, reason: sale.reason)
        return try change(account, at: now, in: transaction) { _ = try $0.grant(order) }
    }

    package func alert(
        _ alert: ProviderAlert, account: String, at now: Timestamp, in transaction: any BillingTransaction
    ) throws -> [LedgerEntry.Kind] {
        try change(account, at: now, in: transaction) { work in
            work.changes.tell(AccountEvent(.alert, at: now, data: alert.json.objectValue ?? JSONObject()))
        }
    }

    private func change(
        _ account: String, at now: Timestamp, in transaction: any BillingTransaction, opens: Bool = false,
        _ body: (inout AccountWork) throws -> Void
    ) throws -> [LedgerEntry.Kind] {
        var work = try AccountWork(
            account, at: now, in: transaction, terms: terms(), makes: true, actor: Self.actor, opens: opens)
        try body(&work)
        _ = try work.store(in: transaction, outbox: outbox)
        return work.changes.entries.map(\.kind)
    }
}
