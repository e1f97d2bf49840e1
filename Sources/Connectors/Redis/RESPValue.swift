// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One reply of Redis' protocol, version 2.
package enum RESPValue: Sendable, Hashable {
    /// A simple string, such as `OK`.
    case status(String)
    /// An error reply, its first word being the code.
    case failure(RedisReplyError)
    case integer(Int64)
    case bytes([UInt8])
    case null
    case array([RESPValue])

    /// The text of a status or of bytes; nil for anything else.
    package var text: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }

    /// The bytes of a bulk string; nil for anything else.
    package var bytes: [UInt8]? {
        guard case .bytes(let bytes) = self else { return nil }
        return bytes
    }

    /// A whole number, also as text; nil for anything else.
    package var integer: Int64? {
        if case .integer(let number) = self { return number }
        return text.flatMap { Int64($0) }
    }

    /// The members of an array; nil for anything else.
    package var array: [RESPValue]? {
        guard case .array(let members) = self else { return nil }
        return members
    }

    /// Whether it is the status `OK`.
    package var isOK: Bool { self == .status("OK") }
}

/// What an error reply said.
package struct RedisReplyError: Sendable, Hashable {
    /// The first word, in capitals: `ERR`, `NOSCRIPT`, `MOVED`.
    package let code: String
    /// The whole text. It may repeat what was sent: it is for decisions, not for logs.
    package let text: String

    /// Takes the text behind the minus sign.
    package init(_ text: String) {
        self.text = text
        let word = text.prefix { $0 != " " }
        let isCode =
            !word.isEmpty && word.utf8.count <= 32
            && word.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
        code = isCode ? String(word) : "ERR"
    }

    /// The words behind the code.
    package var words: [Substring] { text.split(separator: " ").dropFirst().map { $0 } }
}
