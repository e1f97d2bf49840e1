// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Keeps work that only the leader does within the time in which this process leads: at the loss of the Lease it is cancelled.
package struct LeaderWork: Sendable {
    private let fence: any LeadershipFence
    private let look: Duration
    private let grace: Duration
    private let time: any MonotonicClock
    private let overrun: @Sendable () -> Void

    /// - Parameters:
    ///   - look: how often it is looked whether the Lease is still held.
    ///   - grace: how long cancelled work may take to end.
    ///   - overrun: called when it takes longer: nothing short of the end of the process keeps it from writing then.
    package init(
        fence: any LeadershipFence, look: Duration = .milliseconds(500), grace: Duration = .seconds(5),
        time: any MonotonicClock = SystemMonotonicClock(), overrun: @escaping @Sendable () -> Void
    ) {
        self.fence = fence
        self.look = look
        self.grace = grace
        self.time = time
        self.overrun = overrun
    }

    /// Runs the body, if this process leads.
    ///
    /// - Returns: what the body came to; `done` where another process leads, which does the same work itself.
    package func run(_ body: @escaping @Sendable () async -> ReconcileResult) async -> ReconcileResult {
        guard fence.isLeading else { return .done }
        return await withTaskGroup(of: ReconcileResult?.self) { group in
            group.addTask { await limited(body) }
            group.addTask {
                guard await isLost(), await hasPassed(grace) else { return nil }
                overrun()
                return nil
            }
            for await result in group {
                guard let result else { continue }
                group.cancelAll()
                return result
            }
            return .done
        }
    }

    private func limited(_ body: @escaping @Sendable () async -> ReconcileResult) async -> ReconcileResult {
        await withTaskGroup(of: ReconcileResult?.self) { group in
            group.addTask { await body() }
            group.addTask { await isLost() ? .done : nil }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? .done
        }
    }

    /// Waits for the loss of the Lease; false when the work was over before.
    private func isLost() async -> Bool {
        while fence.isLeading {
            guard await hasPassed(look) else { return false }
        }
        return true
    }

    private func hasPassed(_ duration: Duration) async -> Bool {
        do {
            try await time.pause(for: duration)
            return true
        } catch {
            return false
        }
    }
}
