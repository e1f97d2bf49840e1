// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A notice that waits in the outbox.
package struct WaitingNotice: Sendable, Hashable {
    package var notice: HealingNotice
    /// How often it was tried.
    package var tries: Int
    package var nextTry: Timestamp

    /// Takes the parts.
    package init(notice: HealingNotice, tries: Int = 0, nextTry: Timestamp) {
        self.notice = notice
        self.tries = tries
        self.nextTry = nextTry
    }
}

/// What is found in the outbox.
package struct DueNotices: Sendable, Hashable {
    /// One that cannot be read, as of a later version.
    package struct Unreadable: Sendable, Hashable {
        package var id: String
        /// Where that much can be read.
        package var channel: HealingRule.Channel?
    }

    /// The oldest first.
    package private(set) var notices: [WaitingNotice] = []
    package private(set) var unreadable: [Unreadable] = []

    /// Nothing.
    package init() {}

    package var isEmpty: Bool { notices.isEmpty && unreadable.isEmpty }

    /// Reads a stored notice.
    package mutating func take(id: String, text: String, tries: Int, nextTry: Timestamp) {
        // What is no JSON cannot be read either: that is what is noted.
        let json = (try? JSONParser.parse(text: text))?.objectValue
        if let notice = json.flatMap({ HealingNotice(id: id, json: $0) }) {
            notices.append(WaitingNotice(notice: notice, tries: tries, nextTry: nextTry))
        } else {
            unreadable.append(
                Unreadable(id: id, channel: json?["channel"]?.stringValue.flatMap(HealingRule.Channel.init)))
        }
    }
}

/// Keeps notices until they are delivered or given up.
package protocol NoticeOutbox: Sendable {
    /// Adds notices; they are durable when this returns.
    func add(_ notices: [HealingNotice]) async throws

    /// Those whose time has come, the oldest first.
    func due(at now: Timestamp, limit: Int) async throws -> DueNotices

    /// Notes a try that failed.
    func postpone(_ id: String, tries: Int, until: Timestamp) async throws

    /// Takes one out: it was delivered, or is given up.
    func remove(_ id: String) async throws
}

/// When a notice is tried again: six times within 24 h.
package enum NoticeSchedule {
    /// The most tries.
    package static let maximumTries = 6
    /// In seconds: nobody is told of what is older.
    package static let lifetime: Int64 = 86_400
    private static let pauses: [Int64] = [30, 300, 1800, 7200, 28_800]

    /// When to try again after so many tries; nil = give it up.
    ///
    /// - Parameters:
    ///   - begun: when the notice was queued.
    ///   - retry: what the last try has shown.
    package static func next(
        afterTries tries: Int, since begun: Timestamp, retry: NoticeError.Retry = .later, at now: Timestamp
    ) -> Timestamp? {
        guard retry != .never, tries >= 1, tries < maximumTries else { return nil }
        var pause = pauses[tries - 1]
        if case .after(let seconds) = retry { pause = max(pause, min(seconds, lifetime)) }
        let next = now.adding(seconds: pause)
        return next.microseconds - begun.microseconds <= lifetime * 1_000_000 ? next : nil
    }
}
