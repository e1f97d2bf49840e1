// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Byte classes and trimming that do not depend on a locale.
package enum ASCII {
    /// Space, tab, line feed, vertical tab, form feed and carriage return.
    package static func isWhiteSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Whether every byte is 0x00–0x7f.
    package static func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }

    /// Trims ASCII white space at both ends.
    package static func trimmed(_ text: some StringProtocol) -> String {
        var utf8 = Substring(text).utf8
        while let first = utf8.first, isWhiteSpace(first) { utf8.removeFirst() }
        while let last = utf8.last, isWhiteSpace(last) { utf8.removeLast() }
        return String(Substring(utf8))
    }

    /// Lower-cases A–Z and leaves every other byte as it is.
    package static func lowercased(_ text: some StringProtocol) -> String {
        String(decoding: text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// Sorts texts by their UTF-8 bytes, which Swift's own order does not promise.
    package static func sortedByBytes(_ texts: some Sequence<String>) -> [String] {
        texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
