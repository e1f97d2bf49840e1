// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials

/// The opaque place where a page ended: signed, and bound to reader, filters and order.
struct AuditCursor {
    private let key: SymmetricKey

    /// Takes 32 secret bytes.
    init(key: [UInt8]) { self.key = SymmetricKey(data: key) }

    func text(_ position: AuditIndexRequest.Position, query: AuditQuery, reader: AuditReader) -> String {
        let place = Self.place(position)
        return Base64URL.encode(place + signature(place, query: query, reader: reader))
    }

    /// - Throws: `audit.bad_cursor`.
    func position(_ text: String, query: AuditQuery, reader: AuditReader) throws(Refusal) -> AuditIndexRequest.Position
    {
        guard let bytes = Base64URL.decode(Array(text.utf8)), bytes.count == 60,
            Self.isEqual(bytes[44...], signature(Array(bytes[..<44]), query: query, reader: reader))
        else { throw Refusal(.auditBadCursor) }
        let micros = bytes[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return AuditIndexRequest.Position(
            at: Timestamp(microseconds: Int64(bitPattern: micros)), id: String(decoding: bytes[8..<44], as: UTF8.self))
    }

    private static func place(_ position: AuditIndexRequest.Position) -> [UInt8] {
        let micros = UInt64(bitPattern: position.at.microseconds)
        let time = (0..<8).map { UInt8(truncatingIfNeeded: micros >> UInt64(56 - $0 * 8)) }
        return time + position.id.utf8.prefix(36)
    }

    private func signature(_ place: [UInt8], query: AuditQuery, reader: AuditReader) -> [UInt8] {
        var bound = query.metadata
        bound["limit"] = nil
        switch reader {
        case .platform: bound["reader"] = .null
        case .tenant(let tenant): bound["reader"] = .array([.optional(tenant)])
        }
        var hmac = HMAC<SHA256>(key: key)
        hmac.update(data: place)
        hmac.update(data: JSONValue.object(bound).encoded(sortedNames: true))
        return Array(hmac.finalize().prefix(16))
    }

    private static func isEqual(_ left: ArraySlice<UInt8>, _ right: [UInt8]) -> Bool {
        left.count == right.count && zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
