// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import Synchronization

/// Commands that are sent together, and who waits for their replies.
struct RedisCall: Sendable {
    /// The commands as they go over the wire.
    let bytes: ByteBuffer
    /// How many replies belong to it, at least 1.
    let replies: Int
    /// When whoever waits gives up.
    let deadline: NIODeadline
    let waiter: CheckedContinuation<Result<[RESPValue], RedisError>, Never>
}

/// Calls on their way to a connection. Whoever adds the first one wakes the connection, which then sends all that has come together: many
/// requests at once share a write.
final class RedisOutbox: Sendable {
    /// Tells the connection that there is something to send.
    struct Wake: Sendable {}

    enum Added {
        /// The connection has to be woken.
        case first
        /// It has been woken already.
        case more
        case refused(RedisError)
    }

    private struct State {
        var calls: [RedisCall] = []
        /// Replies that are waited for, those of `calls` included.
        var waiting = 0
        var end: RedisError?
    }

    private let state = Mutex(State())
    private let maximumWaiting: Int

    init(maximumWaiting: Int) { self.maximumWaiting = maximumWaiting }

    func add(_ call: RedisCall) -> Added {
        state.withLock { state in
            if let end = state.end { return .refused(end) }
            guard state.waiting + call.replies <= maximumWaiting else {
                return .refused(RedisError(.overloaded, "\(state.waiting) replies of Redis are waited for already"))
            }
            state.waiting += call.replies
            state.calls.append(call)
            return state.calls.count == 1 ? .first : .more
        }
    }

    /// Everything that has to be sent.
    func takeAll() -> [RedisCall] {
        state.withLock { state in
            defer { state.calls.removeAll(keepingCapacity: true) }
            return state.calls
        }
    }

    /// Replies have come.
    func answered(_ count: Int) { state.withLock { $0.waiting -= count } }

    /// Nothing is taken any more.
    ///
    /// - Returns: what was not sent.
    func close(_ error: RedisError) -> [RedisCall] {
        state.withLock { state in
            if state.end == nil { state.end = error }
            defer { state.calls.removeAll() }
            return state.calls
        }
    }

    /// Why nothing is taken any more; nil while it is open.
    var end: RedisError? { state.withLock(\.end) }
}
