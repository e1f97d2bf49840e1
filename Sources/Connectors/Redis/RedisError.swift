// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Something that went wrong with Redis. Its text never holds a password, nor a key or value that was sent.
package struct RedisError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of fault it is.
    package enum Code: String, Sendable, CaseIterable {
        /// There is no connection now: nothing was sent.
        case away
        /// A connection could not be made.
        case connect
        /// The answer did not come in time; what was asked may have been done.
        case timeout
        /// The connection ended before the answer; what was asked may have been done.
        case lost
        /// User or password were refused, or are missing.
        case authentication
        /// Redis answered with an error.
        case refused
        /// The answer is not what was asked for.
        case malformed
        /// Too much waits for an answer already: nothing was sent.
        case overloaded
        /// Keys of one command belong to different servers of a cluster, or no server has them.
        case cluster
    }

    package let code: Code
    package let message: String
    /// The error reply behind it.
    package let reply: RedisReplyError?

    package init(_ code: Code, _ message: String, reply: RedisReplyError? = nil) {
        self.code = code
        self.message = message
        self.reply = reply
    }

    /// An error reply. Of its text only the code is told: the rest may repeat what was sent.
    package init(_ reply: RedisReplyError) {
        let isAuthentication = ["NOAUTH", "WRONGPASS", "NOPERM"].contains(reply.code)
        self.init(
            isAuthentication ? .authentication : .refused, "Redis answered \(reply.code)\(Self.mend(reply.code))",
            reply: reply)
    }

    package var description: String { message }

    private static func mend(_ code: String) -> String {
        switch code {
        case "NOAUTH": ": it wants a password; name it in REDIS_URL"
        case "WRONGPASS": ": user or password of REDIS_URL are wrong"
        case "NOPERM": ": the user of REDIS_URL may not run this command or touch this key"
        case "OOM": ": its memory is full; raise maxmemory"
        case "LOADING": ": it is loading its data"
        case "READONLY": ": it is a replica"
        case "MISCONF": ": it cannot write its data to disk"
        case "CLUSTERDOWN": ": the cluster is down"
        default: ""
        }
    }
}
