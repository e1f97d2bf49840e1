// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Where the reading of requests and the writing of answers on one connection stand. Pure: the connection gate does what it says.
struct RequestReadStateMachine: Sendable {
    enum Reading: Sendable, Hashable {
        /// Between two requests.
        case idle
        /// Bytes came, the head is not complete. Since when, in nanoseconds of the event loop's clock.
        case head(since: UInt64)
        /// The head is complete, the body is not.
        case body(since: UInt64, bytes: Int)
    }

    private(set) var reading = Reading.idle
    /// Requests whose answer is not complete.
    private(set) var unanswered = 0
    /// Whether the head of the answer in work was written.
    private(set) var answerBegun = false
    /// Whether nothing more is read or answered.
    private(set) var isClosing = false

    /// Bytes arrived, before the decoder has looked at them.
    mutating func bytesArrived(at now: UInt64) {
        if case .idle = reading { reading = .head(since: now) }
    }

    mutating func headRead(at now: UInt64) {
        let since = if case .head(let since) = reading { since } else { now }
        reading = .body(since: since, bytes: 0)
        unanswered += 1
    }

    /// Whether the body is still wanted: what nobody reads any more is drained up to `maximum` bytes only.
    mutating func bodyRead(_ count: Int, maximumUnwanted maximum: Int) -> Bool {
        guard case .body(let since, let bytes) = reading else { return false }
        reading = .body(since: since, bytes: bytes + count)
        return unanswered > 0 || bytes + count <= maximum
    }

    mutating func endRead() { reading = .idle }

    mutating func answerHeadWritten() { answerBegun = true }

    mutating func answerEndWritten() {
        answerBegun = false
        unanswered = max(0, unanswered - 1)
    }

    mutating func close() { isClosing = true }

    /// Since when the request in work is being read; nil between requests.
    var readingSince: UInt64? {
        switch reading {
        case .idle: nil
        case .head(let since), .body(let since, _): since
        }
    }

    /// Whether an answer made here would be the next on the connection: nothing older waits and none was begun.
    var mayAnswer: Bool {
        guard !isClosing, !answerBegun else { return false }
        switch reading {
        case .idle, .head: return unanswered == 0
        case .body: return unanswered == 1
        }
    }
}
