// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Hands pieces of a stream from the task that reads them to the one that works on them, one at a time: the reader waits until a piece is
/// taken, so nothing piles up.
final class ChunkHandoff<Piece: Sendable, Ending: Sendable>: Sendable {
    /// What the taker gets.
    enum Step: Sendable {
        case piece(Piece)
        case end(Ending)
    }

    private struct State {
        var piece: Piece?
        var ending: Ending?
        var isClosed = false
        var waitingSince: Duration?
        var taker: CheckedContinuation<Step, Never>?
        var giver: CheckedContinuation<Bool, Never>?
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> Duration

    /// Tells since when the taker waits by that time.
    init(now: @escaping @Sendable () -> Duration) { self.now = now }

    /// Since when the taker waits for a piece; nil while it works.
    var waitingSince: Duration? { state.withLock { $0.waitingSince } }

    /// Gives a piece and waits until it is taken.
    ///
    /// - Returns: whether more is wanted.
    func give(_ piece: Piece) async -> Bool {
        await withCheckedContinuation { continuation in
            let taker = state.withLock { state -> (CheckedContinuation<Step, Never>?, Bool?) in
                guard !state.isClosed, state.ending == nil else { return (nil, false) }
                if let taker = state.taker {
                    state.taker = nil
                    state.waitingSince = nil
                    return (taker, true)
                }
                state.piece = piece
                state.giver = continuation
                return (nil, nil)
            }
            taker.0?.resume(returning: .piece(piece))
            if let goesOn = taker.1 { continuation.resume(returning: goesOn) }
        }
    }

    /// Ends the stream; the first ending counts. A piece that was given before is taken first.
    func end(_ ending: Ending) {
        let taker = state.withLock { state -> CheckedContinuation<Step, Never>? in
            guard state.ending == nil else { return nil }
            state.ending = ending
            defer { state.taker = nil }
            return state.taker
        }
        taker?.resume(returning: .end(ending))
    }

    /// The next piece, or the ending.
    func take() async -> Step {
        await withCheckedContinuation { continuation in
            let found = state.withLock { state -> (Step, CheckedContinuation<Bool, Never>?)? in
                if let piece = state.piece {
                    state.piece = nil
                    defer { state.giver = nil }
                    return (.piece(piece), state.giver)
                }
                if let ending = state.ending { return (.end(ending), nil) }
                state.taker = continuation
                state.waitingSince = now()
                return nil
            }
            guard let (step, giver) = found else { return }
            giver?.resume(returning: true)
            continuation.resume(returning: step)
        }
    }

    /// No more is wanted: whoever gives is told so.
    func close() {
        let giver = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            state.isClosed = true
            state.piece = nil
            defer { state.giver = nil }
            return state.giver
        }
        giver?.resume(returning: false)
    }
}
