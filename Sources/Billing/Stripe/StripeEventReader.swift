// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Reads what Stripe sends, in the shapes of its older and newer versions. Unknown members are ignored; a missing one that is needed is a
/// fault of the event.
package enum StripeEventReader {
    /// The most bytes of an event.
    package static let maximumBytes = 1_048_576

    /// What came of reading.
    package enum Reading: Sendable, Hashable {
        case event(ProviderEvent)
        /// Id, type and time are there, and something that its type needs is not.
        case incomplete(ProviderEvent, missing: String)
    }

    /// Reads the bytes of a delivery.
    ///
    /// - Throws: 413 `request.too_large`, 400 `request.malformed`, 422 `request.invalid` where it is no event at all.
    package static func read(_ body: [UInt8]) throws(Refusal) -> Reading {
        guard body.count <= maximumBytes else { throw Refusal(.requestTooLarge) }
        let json: JSONValue
        do {
            json = try JSONParser.parse(body)
        } catch {
            throw Refusal(.requestMalformed)
        }
        return try read(json)
    }

    /// Reads an event.
    ///
    /// - Throws: 422 `request.invalid` where it is none.
    package static func read(_ json: JSONValue) throws(Refusal) -> Reading {
        guard let id = json["id"]?.stringValue, !id.isEmpty else { throw invalid("id") }
        guard let type = json["type"]?.stringValue, !type.isEmpty else { throw invalid("type") }
        guard let created = json["created"]?.intValue, created >= 0 else { throw invalid("created") }
        var event = ProviderEvent(id: id, type: type, created: Timestamp(seconds: created))
        event.isLive = json["livemode"]?.boolValue
        guard let kind = event.kind else { return .event(event) }
        guard let object = json["data"]?["object"]?.objectValue.map(JSONValue.object) else {
            return .incomplete(event, missing: "data.object")
        }
        event.customer = reference(object["customer"])
        let missing: String?
        if kind.isSession {
            missing = readSession(object, into: &event)
        } else if kind.isSubscription {
            missing = readSubscription(object, into: &event)
        } else {
            missing = readInvoice(object, into: &event)
        }
        if let missing { return .incomplete(event, missing: "data.object.\(missing)") }
        return .event(event)
    }

    /// Reads a checkout session, of an event or asked for.
    ///
    /// - Returns: the member that is needed and missing.
    package static func readSession(_ object: JSONValue, into event: inout ProviderEvent) -> String? {
        event.session = text(object["id"])
        event.customer = reference(object["customer"])
        event.mode = text(object["mode"])
        event.paymentStatus = text(object["payment_status"])
        event.subscription = reference(object["subscription"])
        event.paymentIntent = reference(object["payment_intent"])
        let own = text(object["metadata"]?["tollgate_account"])
        event.isOwn = own != nil
        event.account = text(object["client_reference_id"]) ?? own
        event.metadataPlan = text(object["metadata"]?["tollgate_plan"])
        event.pack = text(object["metadata"]?["tollgate_pack"])
        if event.session == nil { return "id" }
        if event.mode == nil { return "mode" }
        if event.paymentStatus == nil { return "payment_status" }
        return event.mode == "subscription" && event.subscription == nil ? "subscription" : nil
    }

    /// Reads a subscription, of an event or asked for.
    ///
    /// - Returns: the member that is needed and missing.
    package static func readSubscription(_ object: JSONValue, into event: inout ProviderEvent) -> String? {
        let items = object["items"]?["data"]?.arrayValue ?? []
        event.subscription = text(object["id"])
        event.customer = reference(object["customer"])
        event.status = text(object["status"])
        event.prices = items.compactMap { reference($0["price"]) ?? reference($0["plan"]) }
        if event.prices.isEmpty, let plan = reference(object["plan"]) { event.prices = [plan] }
        event.periodStart =
            time(object["current_period_start"]) ?? items.compactMap { time($0["current_period_start"]) }.min()
        event.periodEnd =
            time(object["current_period_end"]) ?? items.compactMap { time($0["current_period_end"]) }.max()
        event.cancelAtPeriodEnd = object["cancel_at_period_end"]?.boolValue
        event.subscribedAt = time(object["created"])
        takeAccount(object["metadata"], into: &event)
        if event.subscription == nil { return "id" }
        return event.status == nil ? "status" : nil
    }

    private static func readInvoice(_ object: JSONValue, into event: inout ProviderEvent) -> String? {
        let details = object["parent"]?["subscription_details"]
        event.invoice = text(object["id"])
        event.paymentIntent =
            reference(object["payment_intent"])
            ?? object["payments"]?["data"]?.arrayValue?.lazy.compactMap { reference($0["payment"]?["payment_intent"]) }
            .first
        event.subscription = reference(object["subscription"]) ?? reference(details?["subscription"])
        takeAccount(details?["metadata"], into: &event)
        if event.account == nil { takeAccount(object["subscription_details"]?["metadata"], into: &event) }
        if event.account == nil { takeAccount(object["metadata"], into: &event) }
        // One without a subscription is somebody's single bill, and no fault.
        return event.invoice == nil ? "id" : nil
    }

    private static func takeAccount(_ metadata: JSONValue?, into event: inout ProviderEvent) {
        event.account = text(metadata?["tollgate_account"])
        event.isOwn = event.account != nil
    }

    /// The id, of an object or as such.
    static func reference(_ value: JSONValue?) -> String? { text(value) ?? text(value?["id"]) }

    private static func text(_ value: JSONValue?) -> String? {
        guard let text = value?.stringValue, !text.isEmpty else { return nil }
        return text
    }

    private static func time(_ value: JSONValue?) -> Timestamp? { value?.intValue.map { Timestamp(seconds: $0) } }

    private static func invalid(_ field: String) -> Refusal {
        Refusal(.requestInvalid, message: "This is no event of Stripe", details: ["field": .string(field)])
    }
}
