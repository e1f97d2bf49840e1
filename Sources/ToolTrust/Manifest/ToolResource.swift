// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One entry of `allowed_resources`.
package enum ToolResource: Sendable, Hashable {
    /// An absolute path that the tool may read, or also write.
    case path(String, writable: Bool)
    /// A place in the network that the tool may reach.
    case endpoint(host: String, port: Int)

    /// Reads an entry; nil when it is neither an absolute path in plain form nor `host:port`.
    init?(_ text: String) {
        guard (1...1024).contains(text.utf8.count), !text.utf8.contains(0) else { return nil }
        if text.utf8.first == UInt8(ascii: "/") {
            let isWritable = text.utf8.reversed().starts(with: ":rw".utf8.reversed())
            let path = isWritable ? String(decoding: text.utf8.dropLast(3), as: UTF8.self) : text
            guard let segments = ToolPath.segments(path), !segments.isEmpty else { return nil }
            self = .path(path, writable: isWritable)
            return
        }
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let host = String(decoding: text.utf8[..<colon], as: UTF8.self)
        let digits = text.utf8[text.utf8.index(after: colon)...]
        guard (1...5).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.first != UInt8(ascii: "0"), let port = Int(String(decoding: digits, as: UTF8.self)),
            (1...65_535).contains(port), Self.isHost(host)
        else { return nil }
        self = .endpoint(host: host, port: port)
    }

    /// A host name, an IPv4 address, or an IPv6 address in brackets.
    private static func isHost(_ text: String) -> Bool {
        if text.utf8.first == UInt8(ascii: "["), text.utf8.last == UInt8(ascii: "]") {
            let address = text.utf8.dropFirst().dropLast()
            return (2...45).contains(address.count) && address.contains(UInt8(ascii: ":"))
                && address.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
                        || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
                }
        }
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                && label.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                }
        }
    }
}

/// Absolute paths in plain form, compared by segment.
package enum ToolPath {
    /// The segments of an absolute path; nil when one is empty, `.` or `..`. `/` alone has none.
    package static func segments(_ path: String) -> [String]? {
        guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0) else { return nil }
        if path.utf8.count == 1 { return [] }
        let segments = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        return segments.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." } ? segments : nil
    }

    /// Whether a path is another one or lies below it. Segments are compared by their bytes, as the file system does.
    static func isUnder(_ path: [String], _ other: [String]) -> Bool {
        path.count >= other.count && zip(path, other).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }
}
