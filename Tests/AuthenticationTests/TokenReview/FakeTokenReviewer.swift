// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Synchronization

/// A cluster that says what a test wants, as soon as the test lets it.
final class FakeTokenReviewer: TokenReviewing {
    typealias Answer = Result<TokenReviewStatus, TokenReviewError>

    private struct State {
        var answer: Answer
        var isHeld = false
        var held: [Int: CheckedContinuation<Void, Never>] = [:]
        var asked: [(token: String, audiences: [String])] = []
        var cancelled = 0
    }

    private let state: Mutex<State>

    init(_ answer: Answer) { state = Mutex(State(answer: answer)) }

    var asked: [(token: String, audiences: [String])] { state.withLock(\.asked) }

    /// How many questions were given up by who asked them.
    var cancelled: Int { state.withLock(\.cancelled) }

    func say(_ answer: Answer) { state.withLock { $0.answer = answer } }

    /// Keeps answers back until `release`.
    func hold() { state.withLock { $0.isHeld = true } }

    func release() {
        let held = state.withLock { state in
            state.isHeld = false
            defer { state.held = [:] }
            return state.held.values
        }
        for continuation in held { continuation.resume() }
    }

    func review(_ token: Redacted<String>, audiences: [String]) async throws(TokenReviewError) -> TokenReviewStatus {
        let id = state.withLock { state in
            state.asked.append((token.revealed, audiences))
            return state.asked.count
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    guard state.isHeld, !Task.isCancelled else { return true }
                    state.held[id] = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                state.cancelled += 1
                return state.held.removeValue(forKey: id)
            }?.resume()
        }
        return try state.withLock { $0.answer }.get()
    }
}
