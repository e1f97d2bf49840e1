// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// An invoice of the provider, as its customer sees it. Amounts are in the smallest unit of the currency.
package struct ProviderInvoice: Sendable, Hashable {
    package var id: String
    package var number: String?
    package var status: String?
    package var amountDue: Int64
    package var amountPaid: Int64
    package var currency: String
    package var created: Timestamp
    package var periodStart: Timestamp?
    package var periodEnd: Timestamp?
    package var pdfURL: String?
    package var hostedURL: String?

    package init(id: String, amountDue: Int64, amountPaid: Int64, currency: String, created: Timestamp) {
        self.id = id
        self.amountDue = amountDue
        self.amountPaid = amountPaid
        self.currency = currency
        self.created = created
    }

    /// `{id, number, status, amount_due, amount_paid, currency, created, period_start, period_end, pdf_url, hosted_invoice_url}`
    package var json: JSONValue {
        [
            "id": .string(id), "number": .optional(number), "status": .optional(status),
            "amount_due": .int(amountDue), "amount_paid": .int(amountPaid), "currency": .string(currency),
            "created": .string(created.rfc3339), "period_start": .optional(periodStart?.rfc3339),
            "period_end": .optional(periodEnd?.rfc3339), "pdf_url": .optional(pdfURL),
            "hosted_invoice_url": .optional(hostedURL),
        ]
    }
}
