// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension PostgreSQLTransaction {
    /// Tells every replica, when this transaction is committed, what has changed: in one round trip, however much it is.
    func announce(_ changes: [StoreChange]) throws(PostgreSQLError) {
        guard !changes.isEmpty else { return }
        try announce(
            PostgreSQLStatement(
                "INSERT INTO changes (kind, key) SELECT n.kind, n.key FROM unnest($1::text[], $2::text[]) AS n (kind, key)",
                [.texts(changes.map(\.kind.rawValue)), .texts(changes.map(\.key))]))
    }
}
