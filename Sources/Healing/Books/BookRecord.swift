// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One line of the healing books as it is stored.
package struct BookRecord: Sendable, Hashable {
    /// Of `[a-z0-9.-]`, at most 64 bytes.
    package var key: String
    package var at: Timestamp
    package var value: JSONObject

    /// Takes the parts.
    package init(key: String, at: Timestamp, value: JSONObject) {
        self.key = key
        self.at = at
        self.value = value
    }
}

/// A change of the books.
package enum BookChange: Sendable, Hashable {
    case put(BookRecord)
    case remove(key: String)

    /// The key of the line that is changed.
    package var key: String {
        switch self {
        case .put(let record): record.key
        case .remove(let key): key
        }
    }
}

/// Where the books outlive the process: cooldowns, budgets, running actions and the halt.
package protocol HealingBookStore: Sendable {
    /// Every line. A line that cannot be read is left out by whoever reads it.
    func load() async throws -> [BookRecord]

    /// Makes the changes, all of them or none; they are durable when this returns.
    func write(_ changes: [BookChange]) async throws
}
