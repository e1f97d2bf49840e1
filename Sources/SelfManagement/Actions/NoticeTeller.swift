// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Healing
package import Logging

/// Puts notices into the outbox: people are told by the channels of a rule, never in the path of a decision.
package struct NoticeTeller: Sendable {
    /// How many waiting notices are looked at.
    private static let scan = 1000

    private let outbox: any NoticeOutbox
    private let configured: Set<HealingRule.Channel>
    private let clock: any WallClock
    private let random: any RandomSource
    private let metrics: HealingMetrics
    private let logger: Logger
    private let arrival: @Sendable () -> Void

    /// - Parameters:
    ///   - configured: the channels that have an address; the others get nothing.
    ///   - arrival: called when something waits.
    package init(
        outbox: any NoticeOutbox, configured: Set<HealingRule.Channel>, clock: any WallClock,
        random: any RandomSource, metrics: HealingMetrics, logger: Logger, arrival: @escaping @Sendable () -> Void
    ) {
        self.outbox = outbox
        self.configured = configured
        self.clock = clock
        self.random = random
        self.metrics = metrics
        self.logger = logger
        self.arrival = arrival
    }

    /// Queues a notice for each channel.
    ///
    /// - Returns: why it could not be queued; nil when it was.
    func tell(
        _ kind: HealingNotice.Kind, _ members: JSONObject, channels: [HealingRule.Channel],
        labels: [String: String] = [:], requestID: String? = nil
    ) async -> String? {
        let now = clock.now()
        let notices = channels.filter(configured.contains).map { channel in
            let id = UUIDv7.make(at: now, random: random)
            var event: JSONObject = [
                "kind": .string(kind.rawValue), "ts": .double(Double(now.microseconds) / 1_000_000), "id": .string(id),
            ]
            if let requestID { event["request_id"] = .string(requestID) }
            event["actor"] = "system"
            for member in members.members { event[member.name] = member.value }
            return HealingNotice(id: id, channel: channel, kind: kind, at: now, event: event, labels: labels)
        }
        guard !notices.isEmpty else { return nil }
        do {
            try await dropSettled(by: notices)
            try await outbox.add(notices)
            arrival()
            return nil
        } catch {
            for notice in notices { metrics.noticed(notice.channel, .dropped) }
            logger.error(
                "notices cannot be queued: nobody is told",
                metadata: [LogKeys.reason: "\(kind.rawValue)", LogKeys.error: "\(error)"])
            return "the notice cannot be queued: \(error)"
        }
    }

    /// Takes out what still waits and is out of date: it would open an incident after the resolve, which nobody closes then.
    private func dropSettled(by notices: [HealingNotice]) async throws {
        let closing = notices.filter { $0.channel == .pagerduty && ($0.kind == .succeeded || $0.kind == .resumed) }
        guard let notice = closing.first else { return }
        let horizon = notice.at.adding(seconds: 2 * 86_400)
        for waiting in try await outbox.due(at: horizon, limit: Self.scan).notices
        where waiting.notice.isSettled(by: notice) {
            try await outbox.remove(waiting.notice.id)
        }
    }
}
