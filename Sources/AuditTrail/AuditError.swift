// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Something about the trail's files is broken. What a client is told is a `Refusal` instead.
package struct AuditError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// A setting cannot be used.
        case settings
        /// Another process writes this series.
        case locked
        /// A file or directory cannot be read.
        case unreadable
        /// A compressed segment is not what was written.
        case damaged
        /// A file or directory cannot be written or synced.
        case unwritable
        /// The newest segment was begun with another key.
        case key
    }

    package let code: Code
    package let message: String
    /// The system's error number, where there was one.
    package let errno: Int32?

    package init(code: Code, message: String, errno: Int32? = nil) {
        self.code = code
        self.message = message
        self.errno = errno
    }

    package var description: String {
        guard let errno else { return message }
        return "\(message) (errno \(errno))"
    }
}
