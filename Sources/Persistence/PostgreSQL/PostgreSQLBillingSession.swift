// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// One transaction over an account in PostgreSQL. What it writes waits for the next read or the end and goes in one round trip.
final class PostgreSQLBillingSession {
    /// Whose rows a statement is about.
    enum Owner {
        case account
        /// The installation itself.
        case platform
    }

    private struct Waiting {
        let statement: PostgreSQLStatement
        let whose: Owner
        /// How many rows it must change; nil = any number.
        let expected: Int?
        let otherwise: String
    }

    private let write: PostgreSQLWrite
    /// The account's id, which is its tenant's.
    let owner: String
    private var waiting: [Waiting] = []

    init(_ write: PostgreSQLWrite, account: String) {
        self.write = write
        owner = account
    }

    // MARK: - Statements

    /// The account as it is bound to `$1`.
    var tenant: PostgreSQLValue { .text(owner) }

    /// Runs a query, after everything that was written.
    func query(
        _ sql: String, _ parameters: [PostgreSQLValue], of whose: Owner = .account
    ) throws -> [PostgreSQLRow] {
        try flush()
        try enter(whose)
        return try write.query(sql, parameters)
    }

    /// Runs a statement at once, after everything that was written.
    ///
    /// - Returns: how many rows it changed.
    func execute(_ sql: String, _ parameters: [PostgreSQLValue]) throws -> Int {
        try flush()
        try enter(.account)
        return try write.execute(sql, parameters)
    }

    /// Runs a statement later.
    ///
    /// - Parameters:
    ///   - expected: how many rows it must change.
    ///   - otherwise: what it means where it changes another number.
    func later(
        _ sql: String, _ parameters: [PostgreSQLValue], of whose: Owner = .account, expected: Int? = nil,
        otherwise: String = ""
    ) {
        waiting.append(
            Waiting(
                statement: PostgreSQLStatement(sql, parameters), whose: whose, expected: expected,
                otherwise: otherwise))
    }

    /// Runs everything that waits.
    ///
    /// - Throws: `PostgreSQLError`, or `BillingStoreError` with `constraint`.
    func flush() throws {
        while let first = waiting.first {
            let group = waiting.prefix { $0.whose == first.whose }
            waiting.removeFirst(group.count)
            try enter(first.whose)
            let results = try write.run(group.map(\.statement))
            for (part, result) in zip(group, results) {
                if let expected = part.expected, result.affected != expected {
                    throw BillingStoreError(.constraint, part.otherwise)
                }
            }
        }
    }

    private func enter(_ whose: Owner) throws {
        switch whose {
        case .account: _ = try write.enter(owner)
        case .platform: _ = try write.enter(nil)
        }
    }

    /// What the database says, in the words of the ledger; what a body throws stays what it is.
    static func fault(_ error: any Error) -> any Error {
        guard let error = error as? PostgreSQLError else { return error }
        let code: BillingStoreError.Code =
            switch error.code {
            case .uniqueViolation, .constraintViolation, .insufficientPrivilege, .invalidValue, .missingTenant,
                .reservedTenant:
                .constraint
            case .outcomeUnknown: .outcomeUnknown
            case .unreadable: .unreadable
            default: .unavailable
            }
        return BillingStoreError(code, "The database did not do it", cause: error)
    }
}

extension PostgreSQLRow {
    func timestamp(_ column: Int) throws(PostgreSQLError) -> Timestamp {
        Timestamp(microseconds: try integer(column))
    }

    func optionalTimestamp(_ column: Int) throws(PostgreSQLError) -> Timestamp? {
        try optionalInteger(column).map { Timestamp(microseconds: $0) }
    }
}
