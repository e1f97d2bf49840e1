// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import GRDB

/// One transaction over an account in the SQLite file. It knows numbers of accounts and texts for as long as it lives and no longer, because
/// another process may write the same file.
final class SQLiteBillingSession {
    let db: Database
    /// The account's id.
    let owner: String
    private var number: Int64?
    private var numbers: [String: Int64] = [:]
    private var texts: [Int64: String] = [:]
    /// Starts of windows that this transaction has written down.
    var noted: Set<Start> = []

    init(_ db: Database, account: String) {
        self.db = db
        owner = account
    }

    // MARK: - Statements

    func execute(_ sql: String, _ arguments: StatementArguments) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    func row(_ sql: String, _ arguments: StatementArguments) throws -> Row? {
        try Row.fetchOne(db.cachedStatement(sql: sql), arguments: arguments)
    }

    func rows(_ sql: String, _ arguments: StatementArguments) throws -> [Row] {
        try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments)
    }

    func integer(_ sql: String, _ arguments: StatementArguments) throws -> Int64? {
        try Int64.fetchOne(db.cachedStatement(sql: sql), arguments: arguments)
    }

    // MARK: - Numbers

    /// The account's number; nil where nothing of it was ever written.
    func knownNumber() throws -> Int64? {
        if let number { return number }
        number = try integer("SELECT id FROM billing_accounts WHERE account = ?", [owner])
        return number
    }

    /// The account's number, given to it where it has none yet.
    func ownNumber() throws -> Int64 {
        if let known = try knownNumber() { return known }
        try execute(
            "INSERT INTO billing_accounts (account) VALUES (?)", [try PackedText.checked(owner)])
        number = db.lastInsertedRowID
        return db.lastInsertedRowID
    }

    /// The number of another account, for what is written for several at once.
    static func number(of account: String, _ db: Database) throws -> Int64 {
        try SQLiteBillingSession(db, account: account).ownNumber()
    }

    /// The number of a text; nil where it was never written.
    func knownNumber(of text: String) throws -> Int64? {
        if let number = numbers[text] { return number }
        let number = try integer("SELECT id FROM billing_texts WHERE text = ?", [text])
        numbers[text] = number
        return number
    }

    /// The number of a text, given to it where it has none yet.
    func number(of text: String) throws -> Int64 {
        if let number = try knownNumber(of: text) { return number }
        try execute("INSERT INTO billing_texts (text) VALUES (?)", [try PackedText.checked(text)])
        numbers[text] = db.lastInsertedRowID
        return db.lastInsertedRowID
    }

    func text(_ number: Int64) throws -> String {
        if let text = texts[number] { return text }
        guard
            let text = try String.fetchOne(
                db.cachedStatement(sql: "SELECT text FROM billing_texts WHERE id = ?"), arguments: [number])
        else { throw BillingStoreError(.unreadable, "There is no text \(number)") }
        texts[number] = text
        return text
    }

    /// A text that was packed.
    static func unpacked(_ value: DatabaseValue, _ whole: String? = nil) throws(BillingStoreError) -> String {
        guard let text = whole ?? PackedText.unpack(value) else {
            throw BillingStoreError(.unreadable, "A packed text cannot be read")
        }
        return text
    }

    /// A text that was packed, or nil.
    static func optional(_ value: DatabaseValue) throws(BillingStoreError) -> String? {
        value.isNull ? nil : try unpacked(value)
    }

    static func packed(_ text: String?) throws(BillingStoreError) -> DatabaseValue {
        guard let text else { return .null }
        return try PackedText.pack(text)
    }
}

extension Row {
    func timestamp(_ index: Int) -> Timestamp { Timestamp(microseconds: self[index]) }

    func optionalTimestamp(_ index: Int) -> Timestamp? {
        let microseconds: Int64? = self[index]
        return microseconds.map { Timestamp(microseconds: $0) }
    }
}
