// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import ControllerRuntime
package import Essentials
package import Healing
package import Logging
internal import Synchronization

/// Delivers what waits in the outbox: six tries in 24 h, by the replica that leads.
package final class NoticeCourier: Sendable {
    /// What became of a try.
    private enum Outcome {
        /// Delivered or given up.
        case ended
        case postponed(tries: Int, until: Timestamp)
    }

    private static let batch = 20

    private let outbox: any NoticeOutbox
    private let senders: [HealingRule.Channel: any NoticeSending]
    private let fence: any LeadershipFence
    private let clock: any WallClock
    private let time: any MonotonicClock
    private let metrics: HealingMetrics
    private let logger: Logger
    private let arrivals = Signal()
    /// Outcomes that the outbox did not take yet, by notice: such a notice is not tried again for that.
    private let untaken = Mutex<[String: Outcome]>([:])

    /// - Parameter senders: by channel; what waits for another is given up.
    package init(
        outbox: any NoticeOutbox, senders: [HealingRule.Channel: any NoticeSending], fence: any LeadershipFence,
        clock: any WallClock, time: any MonotonicClock, metrics: HealingMetrics, logger: Logger
    ) {
        self.outbox = outbox
        self.senders = senders
        self.fence = fence
        self.clock = clock
        self.time = time
        self.metrics = metrics
        self.logger = logger
    }

    /// Something waits.
    package func wake() { arrivals.call() }

    /// Delivers until it is cancelled; looks every 15 seconds, and at once when something comes.
    package func run() async {
        while !Task.isCancelled {
            await deliver()
            _ = await time.limited(to: .seconds(15)) { [arrivals] in await arrivals.wait() }
        }
    }

    /// Delivers what is due now.
    package func deliver() async {
        while fence.isLeading, !Task.isCancelled {
            let due: DueNotices
            do {
                due = try await outbox.due(at: clock.now(), limit: Self.batch)
            } catch {
                logger.warning("the outbox cannot be read", metadata: [LogKeys.error: "\(error)"])
                return
            }
            guard !due.isEmpty else { return }
            for notice in due.unreadable {
                guard await drop(notice) else { return }
            }
            for waiting in due.notices {
                guard await deliver(waiting) else { return }
            }
        }
    }

    /// Gives up one that would otherwise stand before all others.
    private func drop(_ notice: DueNotices.Unreadable) async -> Bool {
        guard await take(.ended, of: notice.id) else { return false }
        if let channel = notice.channel { metrics.noticed(channel, .dropped) }
        logger.error("a notice cannot be read and is given up", metadata: [LogKeys.object: "\(notice.id)"])
        return true
    }

    /// Tries one; false when the outbox did not take the outcome, so that it is not tried over and over.
    private func deliver(_ waiting: WaitingNotice) async -> Bool {
        let id = waiting.notice.id
        if let outcome = untaken.withLock({ $0[id] }) { return await take(outcome, of: id) }
        return await take(await outcome(of: waiting), of: id)
    }

    private func outcome(of waiting: WaitingNotice) async -> Outcome {
        let notice = waiting.notice
        guard let fault = await attempt(notice) else {
            metrics.noticed(notice.channel, .sent)
            return .ended
        }
        let tries = waiting.tries + 1
        let about: Logger.Metadata = ["channel": "\(notice.channel.rawValue)", LogKeys.error: "\(fault.message)"]
        let next = NoticeSchedule.next(afterTries: tries, since: notice.at, retry: fault.retry, at: clock.now())
        guard let next else {
            metrics.noticed(notice.channel, .dropped)
            logger.error("a notice is given up", metadata: about)
            return .ended
        }
        metrics.noticed(notice.channel, .failed)
        logger.warning("a notice was not delivered, it is tried again", metadata: about)
        return .postponed(tries: tries, until: next)
    }

    /// Has the outbox take an outcome; where it does not, the outcome is kept for the next time.
    private func take(_ outcome: Outcome, of id: String) async -> Bool {
        do {
            switch outcome {
            case .ended: try await outbox.remove(id)
            case .postponed(let tries, let until): try await outbox.postpone(id, tries: tries, until: until)
            }
            untaken.withLock { $0[id] = nil }
            return true
        } catch {
            untaken.withLock { $0[id] = outcome }
            logger.warning("the outbox cannot be written", metadata: [LogKeys.error: "\(error)"])
            return false
        }
    }

    /// Why it was not delivered; nil when it was.
    private func attempt(_ notice: HealingNotice) async -> NoticeError? {
        guard let sender = senders[notice.channel] else { return NoticeError("the channel has no address any more") }
        do throws(NoticeError) {
            try await sender.send(notice)
            return nil
        } catch {
            return error
        }
    }
}
