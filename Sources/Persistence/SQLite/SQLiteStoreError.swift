// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why a database cannot be used.
package struct SQLiteStoreError: Error, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The file or its directory cannot be made or opened, or it is no database.
        case cannotOpen
        /// The file belongs to another program.
        case foreignDatabase
        /// A newer version of the product wrote it.
        case schemaTooNew
        /// A migration failed; nothing of it was kept.
        case migrationFailed
        /// Something in it cannot be read.
        case corrupt
        /// The database is closed.
        case closed
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message): \($0)" } ?? message }
}
