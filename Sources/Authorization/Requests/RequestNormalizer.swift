// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Brings method and host of a described request into the one form that is compared.
package enum RequestNormalizer {
    /// An HTTP token of at most 32 characters, letter case kept.
    ///
    /// - Returns: nil for anything else, which is 400 `request.bad_method`.
    package static func method(_ text: String?) -> String? {
        guard let text, (1...32).contains(text.utf8.count), text.utf8.allSatisfy(isTokenByte) else { return nil }
        return text
    }

    /// Lower case without port and without one trailing dot: at most 253 bytes of `a-z 0-9 - . _` in labels of 1–63, or an IPv6 address in brackets.
    ///
    /// - Returns: nil for anything else, which is 400 `request.bad_host`.
    package static func host(_ text: String) -> String? {
        if isNormalName(text) { return text }
        guard text.utf8.count <= 320, ASCII.isASCII(text) else { return nil }
        let lower = ASCII.lowercased(text)
        if lower.utf8.first == UInt8(ascii: "[") { return bracketed(lower) }
        var name = Substring(lower)
        if let colon = name.utf8.firstIndex(of: UInt8(ascii: ":")) {
            guard isPort(name[name.index(after: colon)...]) else { return nil }
            name = name[..<colon]
        }
        if name.utf8.last == UInt8(ascii: ".") { name.removeLast() }
        let host = String(name)
        return isNormalName(host) ? host : nil
    }

    /// Whether the text is a normalised name already.
    private static func isNormalName(_ text: String) -> Bool {
        let count = text.utf8.count
        guard (1...253).contains(count) else { return false }
        var label = 0
        for byte in text.utf8 {
            switch byte {
            case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "_"):
                label += 1
                if label > 63 { return false }
            case UInt8(ascii: "."):
                if label == 0 { return false }
                label = 0
            default: return false
            }
        }
        return label > 0
    }

    private static func bracketed(_ text: String) -> String? {
        guard let close = text.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
        let inner = text[text.index(after: text.startIndex)..<close]
        guard inner.utf8.contains(UInt8(ascii: ":")), let address = IPAddress(inner) else { return nil }
        let rest = text[text.index(after: close)...]
        guard rest.isEmpty || rest.utf8.first == UInt8(ascii: ":") && isPort(rest.dropFirst()) else { return nil }
        return address.isIPv4 ? "[\(inner)]" : "[\(address)]"
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return false
        }
        return Int(text).map { (1...65535).contains($0) } ?? false
    }

    /// Whether a byte may stand in an HTTP token (RFC 9110 section 5.6.2).
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
