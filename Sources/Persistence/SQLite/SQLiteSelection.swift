// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import GRDB

/// The condition of a statement that reads the stored credentials of a selection.
struct SQLiteSelection {
    let condition: String
    let arguments: StatementArguments

    /// - Parameter idColumn: the column of the identifier; the family is a member of column `record`.
    init(_ selection: CredentialSelection, idColumn: String) {
        switch selection {
        case .all:
            condition = ""
            arguments = []
        case .identifiers(let identifiers):
            // One bound text, however many there are.
            condition = "WHERE \(idColumn) IN (SELECT value FROM json_each(?))"
            arguments = [JSONValue.strings(identifiers).jsonText]
        case .family(let family):
            condition = "WHERE json_extract(record, '$.family') = ?"
            arguments = [family]
        }
    }
}
