// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How much of a period's charges was reported to the provider's meter: whole cents, what is below a cent is carried on.
///
/// A report is written before the call that carries it, so that a repeat after a crash is the same call.
package struct MeterReport: Sendable, Hashable {
    /// Micro-US-dollars of one cent.
    package static let microUSDPerCent: Int64 = 10_000
    /// How long the provider tells repeats apart for certain, in seconds, with an hour to spare.
    package static let repeatableSeconds: Int64 = 23 * 3600

    /// What became of the last call.
    package enum State: String, Sendable, CaseIterable {
        /// There is nothing to send.
        case idle
        /// It was written and is to be sent until it is answered.
        case pending
        /// It had no answer for so long that a repeat might count twice: somebody has to look.
        case unconfirmed
    }

    package let account: String
    /// Start of the period.
    package let period: Timestamp
    /// What the period before left below a cent, in micro-US-dollars.
    package let carried: Int64
    /// Number of the last report, from 1; 0 = none yet. It goes on from period to period, so that no identifier comes twice.
    package private(set) var number: Int64 = 0
    /// Cents of the last report.
    package private(set) var value: Int64 = 0
    /// Cents of all reports of this period, the last included: the watermark.
    package private(set) var reportedCents: Int64 = 0
    package private(set) var state = State.idle
    /// When the last report was written.
    package private(set) var writtenAt: Timestamp?
    /// Identifiers of those that were never answered, the last hundred of them; they go on from period to period.
    package private(set) var unconfirmed: [String] = []

    package init(account: String, period: Timestamp, carried: Int64 = 0) {
        self.account = account
        self.period = period
        self.carried = carried
    }

    /// The report of the period after this one, which takes over what is below a cent.
    ///
    /// - Parameter charged: micro-US-dollars of this whole period.
    package func following(period: Timestamp, charged: Int64) -> MeterReport {
        let left = max(0, charged.addingSaturated(carried)) - reportedCents * Self.microUSDPerCent
        var next = MeterReport(account: account, period: period, carried: max(0, left) % Self.microUSDPerCent)
        next.number = number
        next.unconfirmed = unconfirmed
        return next
    }

    /// `<account>:<period>:<n>`, the period as UNIX seconds of its start.
    package var identifier: String { "\(account):\(period.seconds):\(number)" }

    /// Writes the next report where there is a whole cent to tell and none is under way.
    ///
    /// - Parameter charged: micro-US-dollars of the whole period so far. They never become less; where they do, nothing is told until they
    ///   are more again.
    /// - Returns: whether there is one to send now.
    package mutating func prepare(charged: Int64, at now: Timestamp) -> Bool {
        if state == .pending { return true }
        let cents = max(0, charged.addingSaturated(carried)) / Self.microUSDPerCent - reportedCents
        guard cents > 0 else { return false }
        number += 1
        value = cents
        reportedCents += cents
        writtenAt = now
        state = .pending
        return true
    }

    /// The provider took it.
    package mutating func confirm() {
        guard state == .pending else { return }
        state = .idle
    }

    /// Gives up repeating a report that is too old for it; the next one goes on from its watermark.
    ///
    /// - Returns: its identifier, to be listed.
    package mutating func giveUp(at now: Timestamp) -> String? {
        guard state == .pending, let writtenAt, now >= writtenAt.adding(seconds: Self.repeatableSeconds) else {
            return nil
        }
        state = .unconfirmed
        unconfirmed = unconfirmed.suffix(99) + [identifier]
        return identifier
    }

    /// The document of its row.
    package var json: JSONValue {
        [
            "account": .string(account), "period": .int(period.seconds), "carried": .int(carried),
            "number": .int(number), "value": .int(value), "reported_cents": .int(reportedCents),
            "state": .string(state.rawValue), "written_at": writtenAt.map { .int($0.microseconds) } ?? .null,
            "unconfirmed": .strings(unconfirmed),
        ]
    }

    /// Reads the document of a row; nil where it is none.
    package init?(json: JSONValue) {
        guard let account = json["account"]?.stringValue, let period = json["period"]?.intValue,
            let number = json["number"]?.intValue, let value = json["value"]?.intValue,
            let reported = json["reported_cents"]?.intValue,
            let state = json["state"]?.stringValue.flatMap(State.init)
        else { return nil }
        self.init(
            account: account, period: Timestamp(seconds: period), carried: json["carried"]?.intValue ?? 0)
        self.number = number
        self.value = value
        self.reportedCents = reported
        self.state = state
        writtenAt = json["written_at"]?.intValue.map { Timestamp(microseconds: $0) }
        unconfirmed = (json["unconfirmed"]?.arrayValue ?? []).compactMap(\.stringValue)
    }
}
