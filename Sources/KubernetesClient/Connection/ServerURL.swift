// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The parts of `https://host:port/path`.
struct ServerURL: Sendable, Equatable {
    let scheme: String
    /// Without the brackets of an IPv6 address.
    let host: String
    let port: Int
    /// Empty, or with a slash at its beginning and none at its end.
    let path: String

    /// Nil for another scheme, an empty host, a port that is none, credentials, a query or a fragment.
    init?(_ text: String) {
        guard let end = text.firstRange(of: "://") else { return nil }
        scheme = ASCII.lowercased(text[..<end.lowerBound])
        guard scheme == "https" || scheme == "http" else { return nil }
        let rest = text[end.upperBound...]
        guard rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !rest.contains(where: { "?#@\\".contains($0) })
        else { return nil }
        let authority = rest.prefix { $0 != "/" }
        var path = rest[authority.endIndex...]
        while path.hasSuffix("/") { path.removeLast() }
        self.path = String(path)
        let portText: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            host = String(authority[authority.index(after: authority.startIndex)..<close])
            guard IPAddress(host) != nil, host.contains(":") else { return nil }
            let tail = authority[authority.index(after: close)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { return nil }
            portText = tail.isEmpty ? nil : tail.dropFirst()
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, let first = parts.first, !first.isEmpty else { return nil }
            host = String(first)
            portText = parts.count == 2 ? parts[1] : nil
        }
        guard let portText else {
            port = scheme == "https" ? 443 : 80
            return
        }
        guard let number = UInt16(portText), number > 0 else { return nil }
        port = Int(number)
    }

    /// The text of a URL with another host: the name under which the server's certificate is checked.
    func text(host other: String? = nil) -> String {
        let name = other ?? host
        return "\(scheme)://\(name.contains(":") ? "[\(name)]" : name):\(port)\(path)"
    }

    /// As the header `Host` says it.
    var hostHeader: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}
