// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Who leads and what to do about it, decided from what was seen of the Lease. Pure: times are of the own clock that only goes forward,
/// and the times that others wrote are never compared with it.
package struct LeaderMachine: Sendable {
    /// The numbers of the election.
    package struct Settings: Sendable {
        package var leaseDuration = Duration.seconds(15)
        package var renewDeadline = Duration.seconds(10)
        package var retryPeriod = Duration.seconds(2)
        package var callLimit = Duration.seconds(5)

        package init() {}
    }

    /// What to do about the Lease as it is.
    package enum Action: Sendable, Equatable {
        case create(LeaseRecord)
        case replace(LeaseRecord)
        /// Somebody else leads.
        case wait
    }

    package let identity: String
    package let address: String?
    package let settings: Settings
    /// The Lease as it was seen last, and since when it has been like that.
    package private(set) var seen: (record: LeaseRecord, since: Duration)?
    /// When the last renewal that succeeded was begun; nil while another leads.
    package private(set) var renewed: Duration?

    package init(identity: String, address: String?, settings: Settings = Settings()) {
        self.identity = identity
        self.address = address
        self.settings = settings
    }

    /// Whether this process leads at that instant.
    package func isLeading(at now: Duration) -> Bool {
        renewed.map { now - $0 < settings.renewDeadline } ?? false
    }

    /// From when on the Lease of another may be taken, unless it is renewed until then.
    package var takeableAt: Duration? {
        guard let seen, seen.record.holder != identity, !seen.record.holder.isEmpty else { return nil }
        return seen.since + .seconds(seen.record.durationSeconds)
    }

    /// The Lease is like that now; nil when there is none.
    package mutating func saw(_ record: LeaseRecord?, at now: Duration) {
        guard let record else {
            seen = nil
            return
        }
        if seen?.record != record { seen = (record, now) }
    }

    /// What to do.
    ///
    /// - Parameter time: the wall clock's time, which only people read.
    package func action(at now: Duration, time: String) -> Action {
        let seconds = settings.leaseDuration.components.seconds
        guard let seen else {
            return .create(
                LeaseRecord(
                    holder: identity, durationSeconds: seconds, time: time, transitions: 0, address: address))
        }
        var record = seen.record
        if record.holder == identity {
            record.renewTime = time
            record.durationSeconds = seconds
            record.address = address
            return .replace(record)
        }
        guard record.holder.isEmpty || now - seen.since >= .seconds(record.durationSeconds) else { return .wait }
        var taken = LeaseRecord(
            holder: identity, durationSeconds: seconds, time: time, transitions: record.transitions + 1,
            address: address)
        taken.resourceVersion = record.resourceVersion
        return .replace(taken)
    }

    /// A call that was begun then has put this process into the Lease.
    package mutating func held(_ record: LeaseRecord, begun: Duration, now: Duration) {
        seen = (record, now)
        renewed = begun
    }

    /// This process does not lead any more.
    package mutating func lost() { renewed = nil }

    /// The Lease to write when this process stops: nobody holds it.
    package func release(time: String) -> LeaseRecord? {
        guard var record = seen?.record, record.holder == identity, renewed != nil else { return nil }
        record.holder = ""
        record.durationSeconds = 1
        record.renewTime = time
        record.address = nil
        return record
    }
}
