// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import GRDB

/// One transaction over an account in the SQLite file.
final class SQLiteBillingSession {
    let db: Database
    /// The account's id.
    let owner: String
    /// What this transaction found that may be kept once it is committed.
    private(set) var found = StoredNumbers.Found()
    private let numbers: StoredNumbers
    private var texts: [Int64: String] = [:]
    private var seen: Set<StoredNumbers.Note> = []

    init(_ db: Database, account: String, numbers: StoredNumbers) {
        self.db = db
        self.numbers = numbers
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
        if let number = found.account { return number }
        found.account =
            try numbers.account(owner)
            ?? BoundStatement(db, "SELECT id FROM billing_accounts WHERE account = ?").first {
                $0.add(owner)
            } reading: {
                $0.integer(0)
            }
        return found.account
    }

    /// The account's number, given to it where it has none yet.
    func ownNumber() throws -> Int64 {
        if let known = try knownNumber() { return known }
        try execute(
            "INSERT INTO billing_accounts (account) VALUES (?)", [try PackedText.checked(owner)])
        let number = db.lastInsertedRowID
        found.account = number
        return number
    }

    /// The number of a text; nil where it was never written.
    func knownNumber(of text: String) throws -> Int64? {
        if let number = found.texts[text] { return number }
        let number =
            try numbers.text(text)
            ?? BoundStatement(db, "SELECT id FROM billing_texts WHERE text = ?").first {
                $0.add(text)
            } reading: {
                $0.integer(0)
            }
        found.texts[text] = number
        return number
    }

    /// The number of a text, given to it where it has none yet.
    func number(of text: String) throws -> Int64 {
        if let number = try knownNumber(of: text) { return number }
        try execute("INSERT INTO billing_texts (text) VALUES (?)", [try PackedText.checked(text)])
        let number = db.lastInsertedRowID
        found.texts[text] = number
        return number
    }

    /// A text and its number: rows of one call mostly say the same again.
    struct Latest {
        fileprivate var text = ""
        fileprivate var number: Int64?
    }

    /// The same, where the text before is likely the same.
    func number(of text: String, _ latest: inout Latest) throws -> Int64 {
        if let number = latest.number, latest.text == text { return number }
        let number = try number(of: text)
        latest = Latest(text: text, number: number)
        return number
    }

    /// Whether this transaction is the first that writes a note down, as far as is known.
    func isNew(_ note: StoredNumbers.Note) -> Bool {
        guard seen.insert(note).inserted, !numbers.contains(note) else { return false }
        found.notes.insert(note)
        return true
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
