// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Reads the objects that Stripe answers with. What is needed and missing is 502 `stripe.upstream_error`.
enum StripeReading {
    /// Micro-units of the smallest unit of a currency with two decimals.
    private static let microPerCent: Int64 = 10_000

    static func customer(_ json: JSONValue) throws(Refusal) -> ProviderCustomer {
        let method = reference(json["invoice_settings"]?["default_payment_method"])
        return ProviderCustomer(
            id: try text(json, "id"),
            hasPaymentMethod: method != nil || reference(json["default_source"]) != nil)
    }

    static func subscription(_ json: JSONValue) throws(Refusal) -> ProviderSubscription {
        var fact = ProviderEvent(
            id: "read:\(try text(json, "id"))", type: ProviderEvent.Kind.subscriptionUpdated.rawValue,
            created: Timestamp(seconds: 0))
        if let missing = StripeEventReader.readSubscription(json, into: &fact) { throw unreadable(missing) }
        let items = (json["items"]?["data"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
        return ProviderSubscription(fact: fact, items: items)
    }

    static func session(_ json: JSONValue) throws(Refusal) -> ProviderSession {
        var fact = ProviderEvent(
            id: "read:\(try text(json, "id"))", type: ProviderEvent.Kind.sessionCompleted.rawValue,
            created: Timestamp(seconds: json["created"]?.intValue ?? 0))
        let isComplete = json["status"] == "complete"
        if let missing = StripeEventReader.readSession(json, into: &fact), isComplete { throw unreadable(missing) }
        return ProviderSession(fact: fact, isComplete: isComplete)
    }

    static func payment(_ json: JSONValue) throws(Refusal) -> ProviderPayment {
        ProviderPayment(
            id: try text(json, "id"), customer: reference(json["customer"]),
            isSucceeded: json["status"] == "succeeded",
            amountReceived: json["amount_received"]?.intValue ?? 0,
            currency: ASCII.lowercased(try text(json, "currency")), invoice: reference(json["invoice"]))
    }

    static func invoice(_ json: JSONValue) throws(Refusal) -> ProviderInvoice {
        guard let created = json["created"]?.intValue else { throw unreadable("created") }
        var invoice = ProviderInvoice(
            id: try text(json, "id"), amountDue: json["amount_due"]?.intValue ?? 0,
            amountPaid: json["amount_paid"]?.intValue ?? 0, currency: try text(json, "currency"),
            created: Timestamp(seconds: created))
        invoice.number = json["number"]?.stringValue
        invoice.status = json["status"]?.stringValue
        invoice.periodStart = json["period_start"]?.intValue.map { Timestamp(seconds: $0) }
        invoice.periodEnd = json["period_end"]?.intValue.map { Timestamp(seconds: $0) }
        invoice.pdfURL = json["invoice_pdf"]?.stringValue
        invoice.hostedURL = json["hosted_invoice_url"]?.stringValue
        return invoice
    }

    static func price(_ json: JSONValue) throws(Refusal) -> ProviderPrice {
        ProviderPrice(
            id: try text(json, "id"), amountMicro: amount(json),
            currency: ASCII.lowercased(try text(json, "currency")),
            interval: json["recurring"]?["interval"]?.stringValue,
            intervalCount: json["recurring"]?["interval_count"]?.intValue ?? 1,
            isActive: json["active"]?.boolValue ?? true)
    }

    /// `unit_amount` is whole cents; `unit_amount_decimal` may be finer.
    private static func amount(_ json: JSONValue) -> Int64? {
        if let cents = json["unit_amount"]?.intValue {
            let (micro, overflow) = cents.multipliedReportingOverflow(by: microPerCent)
            return overflow ? nil : micro
        }
        guard let text = json["unit_amount_decimal"]?.stringValue else { return nil }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? String(parts[1]) : ""
        guard let whole = parts.first, (1...12).contains(whole.utf8.count), fraction.utf8.count <= 4,
            (whole + fraction).utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int64(whole + fraction + String(repeating: "0", count: 4 - fraction.utf8.count))
    }

    static func text(_ json: JSONValue, _ name: String) throws(Refusal) -> String {
        guard let text = json[name]?.stringValue, !text.isEmpty else { throw unreadable(name) }
        return text
    }

    static func unreadable(_ member: String) -> Refusal {
        Refusal(
            .stripeUpstreamError, message: "An answer of Stripe lacks \(member)", details: ["reason": "unreadable"])
    }

    private static func reference(_ value: JSONValue?) -> String? { value?.stringValue ?? value?["id"]?.stringValue }
}
