// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A URL that outgoing calls may name, read so strictly that no two readers can disagree about its host: printable ASCII, `http` or `https`,
/// a host name or an address, an optional port, no user information, no fragment, no backslash.
package struct EndpointURL: Sendable, Hashable {
    package enum Scheme: String, Sendable {
        case http, https
    }

    package enum Fault: Error, Sendable, Hashable {
        case malformed, userInformation
    }

    package let scheme: Scheme
    /// Lower case, without brackets.
    package let host: String
    package let port: Int?
    /// Path and query, beginning with `/`.
    package let target: String
    /// The host, when it is an address.
    package let literalAddress: IPAddress?

    /// Reads a URL.
    package init(_ text: String) throws(Fault) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !text.contains("\\"),
            !text.contains("#"), let separator = text.firstRange(of: "://"),
            let scheme = Scheme(rawValue: ASCII.lowercased(text[..<separator.lowerBound]))
        else { throw .malformed }
        let rest = text[separator.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { throw .userInformation }
        let tail = rest[authority.endIndex...]
        self.scheme = scheme
        target = tail.hasPrefix("/") ? String(tail) : "/\(tail)"
        let hostText: Substring
        let portText: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw .malformed }
            hostText = authority[authority.index(after: authority.startIndex)..<end]
            let behind = authority[authority.index(after: end)...]
            guard behind.isEmpty || behind.hasPrefix(":") else { throw .malformed }
            portText = behind.isEmpty ? nil : behind.dropFirst()
            guard let address = IPAddress(hostText), hostText.contains(":") else { throw .malformed }
            literalAddress = address
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard let first = parts.first, parts.count <= 2, Self.isHostName(first) else { throw .malformed }
            hostText = first
            portText = parts.count == 2 ? parts[1] : nil
            literalAddress = IPAddress(first)
        }
        host = ASCII.lowercased(hostText)
        port = try portText.map(Self.portNumber)
    }

    /// The URL in normal form.
    package var text: String {
        "\(scheme.rawValue)://\(host.contains(":") ? "[\(host)]" : host)\(port.map { ":\($0)" } ?? "")\(target)"
    }

    private static func portNumber(_ text: Substring) throws(Fault) -> Int {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(text), (1...65_535).contains(port)
        else { throw .malformed }
        return port
    }

    private static func isHostName(_ text: Substring) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
                default: false
                }
            }
    }
}
