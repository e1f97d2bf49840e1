// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Folds the refusals of one address beyond a rate into one entry per span of time, so that a flood cannot fill the disk.
final class RefusalFolder: Sendable {
    private struct Window {
        var second: Int64
        var count = 0
        var folded: AuditDraft?
        var foldedCount: Int64 = 0
        var first = Timestamp(microseconds: 0)
        var last = Timestamp(microseconds: 0)

        /// The entry about what was folded.
        var draft: AuditDraft? {
            guard var draft = folded else { return nil }
            draft.metadata["count"] = .int(foldedCount)
            draft.metadata["first_time"] = .string(first.rfc3339Micros)
            draft.metadata["last_time"] = .string(last.rfc3339Micros)
            return draft
        }
    }

    /// Addresses that are watched at once; refusals of further ones are recorded whole, within the bounds of the queue.
    private static let capacity = 8192

    private let perSecond: Int
    private let spanMicroseconds: Int64
    private let windows = Mutex<[String: Window]>([:])

    init(perSecond: Int, seconds: Int64) {
        self.perSecond = max(1, perSecond)
        spanMicroseconds = seconds * 1_000_000
    }

    /// Counts a refusal.
    ///
    /// - Returns: whether it was folded; otherwise it is to be recorded whole.
    func folds(_ draft: AuditDraft, address: String, now: Timestamp) -> Bool {
        windows.withLock { windows in
            if windows[address] == nil, windows.count >= Self.capacity { return false }
            let second = now.microseconds / 1_000_000
            return Self.count(
                &windows[address, default: Window(second: second)], draft, second: second, now: now, limit: perSecond)
        }
    }

    private static func count(
        _ window: inout Window, _ draft: AuditDraft, second: Int64, now: Timestamp, limit: Int
    ) -> Bool {
        if window.second != second {
            window.second = second
            window.count = 0
        }
        window.count += 1
        guard window.count > limit else { return false }
        if window.folded == nil {
            window.folded = draft
            window.foldedCount = 0
            window.first = now
        }
        window.foldedCount += 1
        window.last = now
        return true
    }

    /// Takes the folded entries whose span is over, with nil all of them, and forgets addresses that are quiet.
    func take(endedAt now: Timestamp?) -> [AuditDraft] {
        windows.withLock { windows in
            var drafts: [AuditDraft] = []
            for (address, window) in windows {
                let age = now.map { $0.microseconds - window.first.microseconds } ?? .max
                if let draft = window.draft {
                    guard age < 0 || age >= spanMicroseconds else { continue }
                    drafts.append(draft)
                    windows[address]?.folded = nil
                }
                if now.map({ $0.microseconds / 1_000_000 != window.second }) ?? true { windows[address] = nil }
            }
            return drafts
        }
    }
}
