// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why a database did not do what it was asked for. Never holds a password or a bound value.
package struct PostgreSQLError: Error, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// No connection can be made, or it was lost; nothing of the transaction was kept.
        case unavailable
        /// A statement, or the wait for a free connection, took too long; nothing of the transaction was kept.
        case timeout
        /// More callers wait for a connection than may.
        case overloaded
        /// The connection was lost while the transaction was being committed: it may have been kept or not.
        case outcomeUnknown
        /// The database was shut down here.
        case closed
        /// The address of the database is no URI and no list of keywords.
        case invalidAddress
        /// A tenant's rows were asked for without a tenant.
        case missingTenant
        /// The reserved tenant was named as if it were one.
        case reservedTenant
        /// A value that cannot be bound, such as text with a NUL.
        case invalidValue
        /// A row has not the columns or values that were expected.
        case unreadable
        case uniqueViolation
        /// Another constraint: a check, a foreign key, a missing value.
        case constraintViolation
        /// The role may not do this, or a row would leave its tenant.
        case insufficientPrivilege
        /// Two transactions were in each other's way too often.
        case serialization
        /// The server refused the statement for another reason.
        case statementFailed
        /// The connection's role could see or change more than it should.
        case refusedRole
        /// The row-level security of a table is not as it must be.
        case unprotectedTable
        /// Row-level security is off here, and tables of the database have it.
        case unexpectedPolicies
        /// A table holds rows without a tenant.
        case missingTenants
        /// The database belongs to something else.
        case foreignDatabase
        /// A newer version of the product wrote it.
        case schemaTooNew
        /// Steps are missing, and may not be made from here.
        case schemaTooOld
        /// A migration failed; nothing of it was kept.
        case migrationFailed
    }

    package let code: Code
    package let message: String
    /// The five characters by which the server names the reason, where it answered.
    package let sqlState: String?
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, sqlState: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.cause = cause
    }

    package var description: String {
        let state = sqlState.map { " (SQLSTATE \($0))" } ?? ""
        return cause.map { "\(message)\(state): \($0)" } ?? message + state
    }

    /// Whether the connection is of no use after it.
    var endsConnection: Bool {
        switch code {
        case .unavailable, .outcomeUnknown: true
        // Without an answer of the server, its answer may still come.
        case .timeout: sqlState.map(PostgreSQLState.endsConnection) ?? true
        default: sqlState.map(PostgreSQLState.endsConnection) ?? false
        }
    }
}

/// What the server's SQLSTATEs mean here.
enum PostgreSQLState {
    static func code(of state: String) -> PostgreSQLError.Code {
        switch state {
        case "23505": .uniqueViolation
        case "42501": .insufficientPrivilege
        case "40001", "40P01": .serialization
        // Cancelled by statement_timeout, lock_timeout, or the limits of an idle transaction.
        case "57014", "55P03", "25P03": .timeout
        case "57P01", "57P02", "57P03", "57P04", "57P05", "53300": .unavailable
        default:
            switch state.prefix(2) {
            case "08": .unavailable
            case "23": .constraintViolation
            default: .statementFailed
            }
        }
    }

    /// Whether a session goes on after it. A session also ends here when a prepared statement of it does not fit the tables any more, because
    /// a new one prepares anew.
    static func endsConnection(_ state: String) -> Bool {
        code(of: state) == .unavailable || state == "25P03" || isStale(state)
    }

    /// A prepared statement that the server forgot, or whose result has changed its form.
    static func isStale(_ state: String) -> Bool { state == "26000" || state == "0A000" }
}
