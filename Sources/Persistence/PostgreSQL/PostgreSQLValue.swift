// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A value that is bound to a statement. Nothing of it ever becomes part of a statement's text.
package enum PostgreSQLValue: Sendable, Hashable {
    case null
    case text(String)
    case integer(Int64)
    case boolean(Bool)
    case bytes([UInt8])
    case texts([String?])
    case integers([Int64?])
    case booleans([Bool?])

    /// The text, or null.
    package static func optional(_ text: String?) -> PostgreSQLValue { text.map { .text($0) } ?? .null }
    /// The number, or null.
    package static func optional(_ number: Int64?) -> PostgreSQLValue { number.map { .integer($0) } ?? .null }
    /// The bytes, or null.
    package static func optional(_ bytes: [UInt8]?) -> PostgreSQLValue { bytes.map { .bytes($0) } ?? .null }
    /// A number.
    package static func integer(_ number: Int) -> PostgreSQLValue { .integer(Int64(number)) }

    /// The form in which the server reads it; nil is null.
    ///
    /// - Throws: `PostgreSQLError` with `invalidValue` for text with a NUL, which the server cannot hold.
    func wireText() throws(PostgreSQLError) -> String? {
        let text: String
        switch self {
        case .null: return nil
        case .text(let value): text = value
        case .integer(let value): return String(value)
        case .boolean(let value): return value ? "t" : "f"
        case .bytes(let value): return "\\x" + Hex.encode(value)
        case .texts(let values): text = Self.array(values.map { $0.map(Self.quoted) })
        case .integers(let values): return Self.array(values.map { $0.map { String($0) } })
        case .booleans(let values): return Self.array(values.map { $0.map { $0 ? "t" : "f" } })
        }
        guard !text.utf8.contains(0) else {
            throw PostgreSQLError(.invalidValue, "A text of \(text.utf8.count) bytes holds a NUL")
        }
        return text
    }

    private static func array(_ elements: [String?]) -> String {
        "{" + elements.map { $0 ?? "NULL" }.joined(separator: ",") + "}"
    }

    /// An element between quotes, so that no character of it means anything to the server.
    private static func quoted(_ element: String) -> String {
        var text: [UInt8] = [UInt8(ascii: "\"")]
        text.reserveCapacity(element.utf8.count + 2)
        for byte in element.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
            text.append(byte)
        }
        text.append(UInt8(ascii: "\""))
        return String(decoding: text, as: UTF8.self)
    }
}

extension PostgreSQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
    package init(nilLiteral: ()) { self = .null }
}
