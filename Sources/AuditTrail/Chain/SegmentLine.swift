// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One line of a segment as a checker sees it: its kind, its place in the chain and what its hash covers.
struct SegmentLine {
    enum Kind: Hashable {
        /// `first` sequence, file before, algorithm and key.
        case header(first: Int64, previousSegment: String?, algorithm: String, keyID: String?)
        case entry(sequence: Int64)
        case trailer(last: Int64, entries: Int64)
    }

    let kind: Kind
    /// 64 hex digits.
    let previousHash: [UInt8]
    /// 64 hex digits.
    let hash: [UInt8]
    /// How many bytes of the line the hash covers (before the closing brace that is put back).
    let hashedCount: Int

    private enum Form { case text, textOrNull, object, integer }

    private static let headerMembers: [(StaticString, Form)] = [
        ("\"segment\":", .integer), ("\"writer\":", .text), ("\"created\":", .text), ("\"first_sequence\":", .integer),
        ("\"prev_segment\":", .textOrNull), ("\"alg\":", .text), ("\"key_id\":", .textOrNull),
    ]
    private static let entryMembers: [(StaticString, Form)] = [
        ("\"id\":", .text), ("\"timestamp\":", .text), ("\"actor\":", .text), ("\"action\":", .text),
        ("\"resource\":", .text), ("\"outcome\":", .text), ("\"metadata\":", .object), ("\"ip\":", .textOrNull),
        ("\"session_id\":", .textOrNull), ("\"tenant\":", .textOrNull), ("\"request_id\":", .textOrNull),
        ("\"sequence\":", .integer),
    ]
    private static let trailerMembers: [(StaticString, Form)] = [
        ("\"segment_end\":", .integer), ("\"last_sequence\":", .integer), ("\"entries\":", .integer),
        ("\"closed\":", .text),
    ]

    /// Reads a line without its LF.
    ///
    /// - Returns: nil when it is not JSON, has other members or another order, or does not end in its hash.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        var scanner = LineScanner(bytes)
        guard scanner.isUTF8, scanner.take("{") else { return nil }
        let members: [(StaticString, Form)]
        if scanner.starts(with: "\"segment\":") {
            members = Self.headerMembers
        } else if scanner.starts(with: "\"segment_end\":") {
            members = Self.trailerMembers
        } else {
            members = Self.entryMembers
        }
        var values: [Range<Int>] = []
        values.reserveCapacity(members.count)
        for (name, form) in members {
            guard scanner.take(name), let value = Self.take(form, from: &scanner), scanner.take(",") else { return nil }
            values.append(value)
        }
        guard scanner.take("\"prev_hash\":"), let previous = scanner.hash(), let end = Optional(scanner.position),
            scanner.take(",\"hash\":"), let hash = scanner.hash(), scanner.take("}"), scanner.isAtEnd
        else { return nil }
        guard let kind = Self.kind(members.count, values, bytes) else { return nil }
        self.kind = kind
        previousHash = Array(bytes[previous])
        self.hash = Array(bytes[hash])
        hashedCount = end
    }

    private static func take(_ form: Form, from scanner: inout LineScanner) -> Range<Int>? {
        switch form {
        case .text: scanner.string()
        case .textOrNull: scanner.starts(with: "null") ? scanner.value() : scanner.string()
        case .object: scanner.starts(with: "{") ? scanner.value() : nil
        case .integer: scanner.integer()
        }
    }

    private static func kind(_ count: Int, _ values: [Range<Int>], _ bytes: UnsafeBufferPointer<UInt8>) -> Kind? {
        func text(_ index: Int) -> String { String(decoding: bytes[values[index]], as: UTF8.self) }
        func plain(_ index: Int) -> String? { text(index) == "null" ? nil : String(text(index).dropFirst().dropLast()) }
        if count == headerMembers.count {
            guard text(0) == "1", let first = Int64(text(3)), let algorithm = plain(5) else { return nil }
            return .header(first: first, previousSegment: plain(4), algorithm: algorithm, keyID: plain(6))
        }
        if count == trailerMembers.count {
            guard text(0) == "1", let last = Int64(text(1)), let entries = Int64(text(2)) else { return nil }
            return .trailer(last: last, entries: entries)
        }
        return Int64(text(11)).map(Kind.entry)
    }

    /// Whether the hash is that of the line.
    func isIntact(_ bytes: UnsafeBufferPointer<UInt8>, hasher: ChainHasher) -> Bool {
        hasher.digest(openObject: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[..<hashedCount]))) == hash
    }
}
