// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Metered use of one account: what its provider's meter was told, and what is next. It is kept with the account, in the transaction that
/// decides, before anything is sent.
package struct MeterDesk: Sendable, Hashable {
    /// The name of its row.
    static let name = "current"
    /// At least so long from one report of a period to the next, in seconds.
    static let pauseSeconds: Int64 = 3600

    package private(set) var report: MeterReport
    /// What had been metered when the report's period began, in micro-US-dollars.
    private var base: Int64
    /// The provider's customer that the report is for.
    package private(set) var customer: String

    private init(report: MeterReport, base: Int64, customer: String) {
        self.report = report
        self.base = base
        self.customer = customer
    }

    /// What is to be done for an account.
    struct Step: Sendable, Hashable {
        /// As it is to be stored.
        var desk: MeterDesk
        /// Whether its report is to be sent, as it is.
        var isSent: Bool
        /// A report that was never answered and is not repeated any more.
        var gaveUp: String?
    }

    /// What is next; nil = nothing, not even a change to store.
    ///
    /// A report without an answer comes first, as it was. Then a period that is over is told to its last whole cent, and then the present
    /// one, at most once an hour.
    ///
    /// - Parameters:
    ///   - stored: what is kept of the account.
    ///   - customers: those that are linked to the account.
    static func next(
        _ stored: MeterDesk?, book: AccountBook, standing: Standing, customers: [String], at now: Timestamp
    ) -> Step? {
        let isMetered = standing.source == .stripe && standing.isEntitled
        guard let customer = customers.first ?? stored?.customer, stored != nil || isMetered else { return nil }
        var desk =
            stored
            ?? MeterDesk(
                report: MeterReport(account: book.account, period: book.period.start),
                base: book.totals.meteredBefore, customer: customer)
        var gaveUp: String?
        if desk.report.state == .pending {
            gaveUp = desk.report.giveUp(at: now)
            guard gaveUp != nil else { return Step(desk: desk, isSent: true) }
        }
        let isSent = desk.prepare(book, isMetered: isMetered, at: now)
        if isSent { desk.customer = customer }
        guard isSent || desk != stored else { return nil }
        return Step(desk: desk, isSent: isSent, gaveUp: gaveUp)
    }

    /// - Returns: whether there is a report to send.
    private mutating func prepare(_ book: AccountBook, isMetered: Bool, at now: Timestamp) -> Bool {
        if book.period.start != report.period {
            let charged = book.totals.meteredBefore - base
            if report.prepare(charged: charged, at: now) { return true }
            guard isMetered else { return false }
            report = report.following(period: book.period.start, charged: charged)
            base = book.totals.meteredBefore
        }
        if let last = report.writtenAt, now < last.adding(seconds: Self.pauseSeconds) { return false }
        return report.prepare(charged: book.totals.metered - base, at: now)
    }

    /// The provider took the report of that identifier.
    ///
    /// - Returns: whether it was still waited for.
    mutating func confirm(_ identifier: String) -> Bool {
        guard report.state == .pending, report.identifier == identifier else { return false }
        report.confirm()
        return true
    }

    // MARK: - Rows

    /// What is kept of an account.
    static func stored(in reader: any BillingReader) throws -> MeterDesk? {
        guard let row = try reader.named(.meterReport, name) else { return nil }
        // What is no JSON is told as what cannot be read.
        guard let json = try? JSONParser.parse(text: row.document), let report = MeterReport(json: json),
            let base = json["base"]?.intValue, let customer = json["customer"]?.stringValue
        else { throw BillingStoreError(.unreadable, "a meter report cannot be read") }
        return MeterDesk(report: report, base: base, customer: customer)
    }

    func store(in transaction: any BillingTransaction) throws {
        var object = report.json.objectValue ?? JSONObject()
        object["base"] = .int(base)
        object["customer"] = .string(customer)
        try transaction.put(NamedRow(kind: .meterReport, name: Self.name, document: JSONValue.object(object).jsonText))
    }

    /// `{period_start, reported_cents, state, identifier, unconfirmed[]}`, for platform operators.
    package var shown: JSONValue {
        [
            "period_start": .string(report.period.rfc3339), "reported_cents": .int(report.reportedCents),
            "state": .string(report.state.rawValue),
            "identifier": .optional(report.number > 0 ? report.identifier : nil),
            "reported_at": .optional(report.writtenAt?.rfc3339), "unconfirmed": .strings(report.unconfirmed),
        ]
    }
}

extension BillingService {
    /// What the provider's meter was told of an account; nil where nothing ever was.
    package func meterDesk(_ account: String) async throws(Refusal) -> MeterDesk? {
        try await rows(account) { try MeterDesk.stored(in: $0) }
    }
}
