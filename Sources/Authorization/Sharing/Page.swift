// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Where a page of a list begins: behind the record of that time and id. Lists are sorted by both, the newest first.
package struct PageCursor: Sendable, Hashable {
    package let createdAt: Timestamp
    package let id: String

    package init(createdAt: Timestamp, id: String) {
        self.createdAt = createdAt
        self.id = id
    }

    /// Reads a cursor that was given out; nil for any other text.
    package init?(text: String) {
        guard text.utf8.count <= 256, let bytes = Base64URL.decode(Array(text.utf8)),
            let plain = String(validating: bytes, as: UTF8.self), let colon = plain.firstIndex(of: ":"),
            let micros = Int64(plain[..<colon])
        else { return nil }
        createdAt = Timestamp(microseconds: micros)
        id = String(plain[plain.index(after: colon)...])
        guard Project.isIdentifier(id) else { return nil }
    }

    /// Opaque to clients.
    package var text: String { Base64URL.encode(Array("\(createdAt.microseconds):\(id)".utf8)) }
}

/// Which part of a list is asked for.
package struct PageRequest: Sendable, Hashable {
    /// The most records of a page.
    package static let limits = 1...200

    package let limit: Int
    package let cursor: PageCursor?

    /// A limit outside of 1 to 200 is brought inside.
    package init(limit: Int = 50, cursor: PageCursor? = nil) {
        self.limit = min(max(limit, Self.limits.lowerBound), Self.limits.upperBound)
        self.cursor = cursor
    }
}

/// One page of a list.
package struct Page<Item: Sendable>: Sendable {
    /// The newest first.
    package let items: [Item]
    /// How many fit, on all pages.
    package let total: Int
    package let next: PageCursor?

    package init(items: [Item], total: Int, next: PageCursor?) {
        self.items = items
        self.total = total
        self.next = next
    }

    /// Takes one record more than the page holds, if there are as many: whether there is a next page.
    package init(oneMore items: [Item], total: Int, limit: Int, cursor: (Item) -> PageCursor) {
        self.items = Array(items.prefix(limit))
        self.total = total
        next = items.count > limit ? self.items.last.map(cursor) : nil
    }
}
