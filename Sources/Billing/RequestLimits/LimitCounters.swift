// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The windows of one key.
struct LimitCounters: Sendable {
    private var minute = SlidingWindow()
    private var hour = SlidingWindow()
    private var day = SlidingWindow()

    private subscript(window: LimitWindow) -> SlidingWindow {
        _read {
            switch window {
            case .minute: yield minute
            case .hour: yield hour
            case .day: yield day
            }
        }
        _modify {
            switch window {
            case .minute: yield &minute
            case .hour: yield &hour
            case .day: yield &day
            }
        }
    }

    /// Adds to the answer how each window of the limit stands without the request; `countedAt` moves to the latest part in use.
    mutating func assess(_ limit: RequestLimit, index: Int, now: Timestamp, answer: inout RequestLimitAnswer) {
        for window in LimitWindow.allCases {
            guard let most = limit.rate[window] else { continue }
            let part = self[window].advance(to: window.part(of: now))
            let total = self[window].total
            let opens = self[window].opens(limit: most, at: part)
            let oldest = self[window].oldest ?? part
            answer.windows.append(
                .init(
                    limitIndex: index, window: window, limit: most, remaining: max(0, most - total),
                    reset: window.start(ofPart: oldest + SlidingWindow.partCount),
                    opens: opens.map { window.start(ofPart: $0) }))
            if opens != nil { answer.isAdmitted = false }
            let start = Timestamp(seconds: window.start(ofPart: part))
            if start > answer.countedAt { answer.countedAt = start }
        }
    }

    mutating func count(_ rate: RequestRate, at instant: Timestamp) {
        for window in LimitWindow.allCases where rate[window] != nil {
            self[window].add(in: self[window].advance(to: window.part(of: instant)))
        }
    }

    mutating func giveBack(_ rate: RequestRate, countedAt instant: Timestamp) {
        for window in LimitWindow.allCases where rate[window] != nil {
            self[window].remove(from: window.part(of: instant))
        }
    }

    /// Whether nothing is counted any more at that instant.
    mutating func isIdle(at now: Timestamp) -> Bool {
        for window in LimitWindow.allCases {
            _ = self[window].advance(to: window.part(of: now))
            if !self[window].isEmpty { return false }
        }
        return true
    }
}
