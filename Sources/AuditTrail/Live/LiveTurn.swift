// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What is to be done next for one client.
package enum LiveTurn: Sendable {
    /// Events to write, oldest first.
    case events([LiveEvent])
    /// Some events after that one cannot be given; how many, where that is known.
    case gap(after: String, missed: Int?)
    /// A sign of life is due.
    case heartbeat
    /// The credential is to be looked at again.
    case recheck
    /// Somebody called: there is something to do besides.
    case called
    /// Nothing more comes.
    case ended(LiveEnd)
}

/// Why a stream ended.
package enum LiveEnd: Sendable, Hashable {
    /// The client went away, or its handler ended the stream.
    case gone
    /// The client did not take what came.
    case overflow(dropped: Int, lastID: String?)
    /// The process is on its way out.
    case draining
}
