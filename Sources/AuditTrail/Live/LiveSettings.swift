// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The bounds of live streams.
package struct LiveSettings: Sendable {
    /// The newest events that are kept for clients that come back.
    package var ring = 4096
    /// Clients at once.
    package var clients = 1000
    /// Clients of one identity at once.
    package var clientsOfOneIdentity = 10
    /// Events that may wait for a client whose connection takes nothing.
    package var waitingEvents = 256
    /// Their bytes.
    package var waitingBytes = 1 << 20
    /// How long a connection may take nothing before what waits for it is counted: a burst is not the client's fault.
    package var patience: Duration = .milliseconds(250)
    /// Events that may wait for a client at all, whatever the reason.
    package var waitingAtMost = 16_384
    /// Events of the index that one client is given at its return.
    package var replayed = 5000
    /// Their bytes.
    package var replayedBytes = 4 << 20
    /// Time between two looks into the index for one client.
    package var replayPause: Duration = .seconds(1)
    /// How much later an entry of another process may come here than the clocks say: so much of what the others wrote before the event that a
    /// client has seen last is given once more, because it may not have come to where the client was. Zero where no other process writes.
    package var overlap: Duration = .zero
    /// Time between two signs of life.
    package var heartbeat: Duration = .seconds(15)
    /// Time between two looks at the credential.
    package var recheck: Duration = .seconds(30)
    /// How long a connection may take nothing at all before it is cut: it is taken for dead.
    package var stall: Duration = .seconds(45)
    /// How long the last words to a client may take before its connection is cut.
    package var lastWords: Duration = .seconds(15)
    /// The pause between two rounds to the clients, for each of them: many clients get what has come together in one piece.
    package var pauseOfOneClient: Duration = .microseconds(50)
    /// The longest pause between two rounds.
    package var longestPause: Duration = .milliseconds(50)

    package init(ring: Int = 4096) { self.ring = ring }
}
