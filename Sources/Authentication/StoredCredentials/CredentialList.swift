// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What a stored credential is good for now; the first that fits.
package enum CredentialStatus: String, Sendable, CaseIterable {
    case revoked, expired, rotated, active
}

/// Where a stored credential stands in the list of its kind.
struct CredentialPosition: Sendable, Comparable {
    let issuedAt: Timestamp
    let identifier: String

    static func < (left: CredentialPosition, right: CredentialPosition) -> Bool {
        left.issuedAt != right.issuedAt
            ? left.issuedAt < right.issuedAt
            : left.identifier.utf8.lexicographicallyPrecedes(right.identifier.utf8)
    }
}

/// Stored credentials in the order in which they were made, the oldest first.
struct CredentialOrder: Sendable {
    private(set) var positions: [CredentialPosition] = []

    /// Adds one that is not there yet.
    mutating func insert(_ position: CredentialPosition) { positions.insert(position, at: place(of: position)) }

    /// Takes one away.
    mutating func remove(_ position: CredentialPosition) {
        let place = place(of: position)
        guard place < positions.count, positions[place].identifier == position.identifier else { return }
        positions.remove(at: place)
    }

    /// How many stand before it.
    private func place(of position: CredentialPosition) -> Int {
        var (low, high) = (0, positions.count)
        if let last = positions.last, last < position { low = high }
        while low < high {
            let middle = (low + high) / 2
            if positions[middle] < position { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Where the next page of a list begins.
package struct CredentialCursor: Sendable, Hashable {
    let issuedAt: Timestamp
    let identifier: String

    init(issuedAt: Timestamp, identifier: String) {
        self.issuedAt = issuedAt
        self.identifier = identifier
    }

    init(after record: ServiceTokenRecord) { self.init(issuedAt: record.issuedAt, identifier: record.identifier) }

    /// Reads a cursor that was given out; nil for any other text.
    package init?(text: String) {
        guard let bytes = Base64URL.decode(Array(text.utf8)), let plain = String(validating: bytes, as: UTF8.self),
            let colon = plain.firstIndex(of: ":"), let micros = Int64(plain[..<colon])
        else { return nil }
        issuedAt = Timestamp(microseconds: micros)
        identifier = String(plain[plain.index(after: colon)...])
        guard TokenText.isIdentifier(identifier) else { return nil }
    }

    /// Opaque to clients.
    package var text: String { Base64URL.encode(Array("\(issuedAt.microseconds):\(identifier)".utf8)) }

    var position: CredentialPosition { CredentialPosition(issuedAt: issuedAt, identifier: identifier) }
}

extension RequestFields {
    /// `status`, `limit` and `cursor` of a list; no statuses = all.
    mutating func listPage() -> (statuses: Set<CredentialStatus>?, limit: Int, cursor: CredentialCursor?) {
        let limit = Int(integer("limit", in: 1...200, acceptsText: true) ?? 50)
        var cursor: CredentialCursor?
        if let text = text("cursor", maximumBytes: 256) {
            cursor = CredentialCursor(text: text)
            if cursor == nil { fault("cursor", "not a cursor of this list") }
        }
        let names = (text("status", maximumBytes: 256) ?? "all").split(separator: ",").map { ASCII.trimmed($0) }
        guard names != ["all"] else { return (nil, limit, cursor) }
        let statuses = names.compactMap { CredentialStatus(rawValue: $0) }
        if statuses.isEmpty || statuses.count != names.count {
            fault("status", "not a list of active, rotated, expired, revoked, or all")
        }
        return (Set(statuses), limit, cursor)
    }
}
