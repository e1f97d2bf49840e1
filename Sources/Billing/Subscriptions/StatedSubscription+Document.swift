// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension StatedSubscription {
    /// Writes the members of its stored object.
    func write(to writer: inout JSONWriter) {
        writer.member("uid", uid)
        if source != .manual { writer.member("source", source.rawValue) }
        writer.member("plan", plan)
        writer.member("anchor", anchor)
        if let overrides {
            writer.name("overrides")
            writer.value(overrides)
        }
        writer.member("suspended", isSuspended)
        writer.member("valid_until", validUntil)
    }

    /// Reads a stored one.
    init(stored value: JSONValue) throws {
        guard let uid = value["uid"]?.stringValue, let anchor = value["anchor"]?.storedInstant,
            let source = Source(rawValue: value["source"]?.stringValue ?? Source.manual.rawValue)
        else { throw BillingStoreError.unreadable("subscription of an account") }
        self.init(
            uid: uid, source: source, plan: value["plan"]?.stringValue, anchor: anchor, overrides: value["overrides"],
            isSuspended: value["suspended"]?.boolValue ?? false, validUntil: value["valid_until"]?.storedInstant)
    }
}

extension ProviderStanding {
    /// Writes the members of its stored object.
    func write(to writer: inout JSONWriter) {
        writer.member("subscription", subscription)
        writer.member("state", state.rawValue)
        writer.member("bought", boughtPlan)
        writer.member("unknown_price", !isPlanKnown)
        writer.member("unknown_status", !isStatusKnown)
        writer.member("credited", creditedPlan)
        writer.member("start", periodStart)
        writer.member("end", periodEnd)
        writer.member("cancels", cancelAtPeriodEnd)
        writer.member("past_due", pastDueSince)
        writer.member("subscribed", subscribedAt)
        writer.member("event", lastEventID)
        writer.member("event_type", lastEventType)
        writer.member("event_created", lastEventCreated)
    }

    /// Reads a stored one.
    init(stored value: JSONValue) throws {
        guard let state = value["state"]?.stringValue.flatMap(SubscriptionState.init(rawValue:)),
            let created = value["event_created"]?.storedInstant
        else { throw BillingStoreError.unreadable("provider standing of an account") }
        self.init(
            subscription: value["subscription"]?.stringValue ?? "", state: state,
            boughtPlan: value["bought"]?.stringValue,
            isPlanKnown: !(value["unknown_price"]?.boolValue ?? false),
            isStatusKnown: !(value["unknown_status"]?.boolValue ?? false),
            creditedPlan: value["credited"]?.stringValue, periodStart: value["start"]?.storedInstant,
            periodEnd: value["end"]?.storedInstant, cancelAtPeriodEnd: value["cancels"]?.boolValue ?? false,
            pastDueSince: value["past_due"]?.storedInstant, subscribedAt: value["subscribed"]?.storedInstant,
            lastEventID: value["event"]?.stringValue ?? "",
            lastEventType: value["event_type"]?.stringValue ?? "", lastEventCreated: created)
    }
}
