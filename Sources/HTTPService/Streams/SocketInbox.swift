// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// What a client of a WebSocket has said, until the one who writes to it has time.
final class SocketInbox: Sendable {
    /// What is to be answered.
    struct Content: Sendable {
        /// Texts in order.
        var texts: [String] = []
        /// The newest ping; the others need no answer of their own.
        var ping: [UInt8]?
        /// The client ended the connection, with its code if it gave one.
        var close: Int??
        var violation: WebSocketFrameReader.Violation?
    }

    /// Texts that may wait.
    private static let texts = 8

    private let time: any MonotonicClock
    private let state: Mutex<(reader: WebSocketFrameReader, content: Content, pongAt: Duration)>

    init(maximumBytes: Int, time: any MonotonicClock) {
        self.time = time
        state = Mutex((WebSocketFrameReader(maximumBytes: maximumBytes), Content(), time.now()))
    }

    /// Takes bytes from the client.
    ///
    /// - Returns: whether there is something to answer, and whether more may come.
    func read(_ bytes: some Sequence<UInt8>) -> (isCalled: Bool, goesOn: Bool) {
        state.withLock { state in
            guard state.content.violation == nil, state.content.close == nil else { return (false, false) }
            do throws(WebSocketFrameReader.Violation) {
                var isCalled = false
                for message in try state.reader.read(bytes) {
                    if case .pong = message { state.pongAt = time.now() } else { isCalled = true }
                    switch message {
                    case .pong: break
                    case .ping(let payload): state.content.ping = payload
                    case .close(let code): state.content.close = .some(code)
                    case .text(let text):
                        guard state.content.texts.count < Self.texts else {
                            throw .policy("messages come faster than they are answered")
                        }
                        state.content.texts.append(text)
                    }
                }
                return (isCalled, state.content.close == nil)
            } catch {
                state.content.violation = error
                return (true, false)
            }
        }
    }

    /// What is to be answered now.
    func take() -> Content {
        state.withLock { state in
            defer {
                state.content.texts = []
                state.content.ping = nil
            }
            return state.content
        }
    }

    /// How long ago the client gave a sign of life.
    var silence: Duration { time.now() - state.withLock(\.pongAt) }
}
