// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension SubscriptionFold {
    /// As it is stored: the base that later events are folded on.
    package var document: String {
        JSONWriter.document { writer in
            writer.member("state", state?.rawValue)
            writer.member("bought", boughtPlan)
            writer.member("unknown_price", !isPlanKnown)
            writer.member("unknown_status", !isStatusKnown)
            writer.member("start", periodStart)
            writer.member("end", periodEnd)
            writer.member("cancels", cancelAtPeriodEnd)
            writer.member("past_due", pastDueSince)
            writer.member("failed_invoice", failedInvoice)
            writer.member("subscribed", subscribedAt)
            writer.member("is_subscribed_told", knowsSubscribedAt)
            if let last {
                writer.member("last") { writer in
                    writer.member("created", last.created)
                    writer.member("rank", Int64(last.rank))
                    writer.member("id", last.id)
                    writer.member("type", lastType)
                }
            }
            writer.member("ended", isEnded)
            writer.member("credited", creditedPlan)
            writer.member("credited_start", creditedStart)
            writer.member("only_session", isOnlySession)
            writer.member("paid", paidInvoices)
        }
    }

    /// Reads a stored one; nil where nothing was folded into it yet.
    ///
    /// - Throws: `BillingStoreError` of code `unreadable`.
    package init?(_ subscription: String, document: String) throws {
        guard let stored = try? JSONParser.parse(text: document), stored.objectValue != nil else {
            throw BillingStoreError.unreadable("base of a subscription")
        }
        guard let last = stored["last"] else { return nil }
        guard let created = last["created"]?.storedInstant, let id = last["id"]?.stringValue else {
            throw BillingStoreError.unreadable("base of a subscription")
        }
        self.init(subscription)
        self.last = ProviderEvent.Position(created: created, rank: Int(last["rank"]?.intValue ?? 0), id: id)
        lastType = last["type"]?.stringValue
        if let text = stored["state"]?.stringValue {
            guard let known = SubscriptionState(rawValue: text) else {
                throw BillingStoreError.unreadable("base of a subscription")
            }
            state = known
        }
        boughtPlan = stored["bought"]?.stringValue
        isPlanKnown = !(stored["unknown_price"]?.boolValue ?? false)
        isStatusKnown = !(stored["unknown_status"]?.boolValue ?? false)
        periodStart = stored["start"]?.storedInstant
        periodEnd = stored["end"]?.storedInstant
        cancelAtPeriodEnd = stored["cancels"]?.boolValue ?? false
        pastDueSince = stored["past_due"]?.storedInstant
        failedInvoice = stored["failed_invoice"]?.stringValue
        subscribedAt = stored["subscribed"]?.storedInstant
        knowsSubscribedAt = stored["is_subscribed_told"]?.boolValue ?? false
        isEnded = stored["ended"]?.boolValue ?? false
        creditedPlan = stored["credited"]?.stringValue
        creditedStart = stored["credited_start"]?.storedInstant
        isOnlySession = stored["only_session"]?.boolValue ?? false
        paidInvoices = stored["paid"]?.storedTexts ?? []
    }
}
