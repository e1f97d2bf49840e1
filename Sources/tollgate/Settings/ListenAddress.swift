// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Where a listener binds.
struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IP address or `localhost`, without brackets.
    let host: String
    /// 0 lets the system choose a port.
    let port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `0.0.0.0:8080`, `[::1]:8080`, `localhost:8080` or `:8080` (all addresses).
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(digits), port <= 65_535
        else { return nil }
        let host = String(text[..<colon])
        if host.isEmpty {
            self.init(host: "0.0.0.0", port: port)
        } else if host == "localhost" {
            self.init(host: host, port: port)
        } else if let address = IPAddress(host), address.isIPv4 || host.hasPrefix("[") {
            self.init(host: address.description, port: port)
        } else {
            return nil
        }
    }

    var description: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// The certificate and key files of a listener.
struct TLSFiles: Sendable, Hashable {
    /// The PEM file of the certificate chain.
    let certificate: String
    /// The PEM file of its private key.
    let privateKey: String
}

/// An http or https address without userinfo, as far as settings need it.
struct WebAddress: Sendable, Hashable, CustomStringConvertible {
    /// `http` or `https`.
    let scheme: String
    /// Lower case; an IPv6 address without brackets.
    let host: String
    /// nil = the scheme's own.
    let port: Int?
    /// From the first `/` on, without one at the end; empty where there is none.
    let path: String

    /// Where an address that has to be there could not be read; the problem stops the start.
    static let standIn = WebAddress(scheme: "http", host: "localhost")

    private init(scheme: String, host: String) {
        self.scheme = scheme
        self.host = host
        port = nil
        path = ""
    }

    /// Reads `scheme://host[:port][/path]`, without query and fragment.
    init?(_ text: String) {
        guard let separator = text.range(ofText: "://") else { return nil }
        let scheme = ASCII.lowercased(text[..<separator.lowerBound])
        let rest = text[separator.upperBound...]
        guard scheme == "http" || scheme == "https", rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !rest.contains("?"), !rest.contains("#")
        else { return nil }
        let authority = rest.prefix { $0 != "/" }
        var path = String(rest.dropFirst(authority.count))
        while path.hasSuffix("/") { path.removeLast() }
        guard let (host, port) = Self.hostAndPort(String(authority)) else { return nil }
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
    }

    /// Whether the host is this machine.
    var isLoopback: Bool { host == "localhost" || IPAddress(host)?.isLoopback == true }

    /// `scheme://host[:port]`.
    var origin: String {
        let shownHost = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return "\(scheme)://\(shownHost)" + (port.map { ":\($0)" } ?? "")
    }

    var description: String { origin + path }

    private static func hostAndPort(_ authority: String) -> (String, Int?)? {
        var hostText = Substring(authority)
        var port: Int?
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            let digits = authority[authority.index(after: colon)...]
            guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(digits), (1...65_535).contains(number)
            else { return nil }
            port = number
            hostText = authority[..<colon]
        }
        if hostText.hasPrefix("[") {
            guard let address = IPAddress(hostText) else { return nil }
            return (address.description, port)
        }
        let host = ASCII.lowercased(hostText)
        return NameRules.isHost(host) ? (host, port) : nil
    }
}

extension StringProtocol {
    /// Where a text first occurs, byte by byte.
    func range(ofText needle: String) -> Range<Index>? {
        let bytes = utf8
        let wanted = needle.utf8
        guard let first = wanted.first else { return nil }
        var start = bytes.startIndex
        while let found = bytes[start...].firstIndex(of: first) {
            if bytes[found...].starts(with: wanted) {
                return found..<bytes.index(found, offsetBy: wanted.count)
            }
            start = bytes.index(after: found)
        }
        return nil
    }
}

extension SettingFormat where Value == ListenAddress {
    /// `address:port`.
    static var listenAddress: SettingFormat {
        SettingFormat("address", expected: "address:port such as 0.0.0.0:8080, 127.0.0.1:8080 or [::1]:8080") {
            ListenAddress(ASCII.trimmed($0))
        }
    }
}

extension SettingFormat where Value == WebAddress {
    /// An http or https address.
    static var webAddress: SettingFormat {
        SettingFormat("URL", expected: "an http or https URL without user, query and fragment") {
            WebAddress(ASCII.trimmed($0))
        }
    }
}

extension SettingFormat where Value == [String] {
    /// Origins of browsers: `scheme://host[:port]`, or `*`.
    static var origins: SettingFormat {
        .list("list", expected: "a list of origins such as https://console.example.com, or *") { text in
            if text == "*" { return text }
            guard let address = WebAddress(text), address.path.isEmpty, !text.hasSuffix("/") else { return nil }
            return address.origin
        }
    }

    /// Kubernetes namespaces.
    static var namespaces: SettingFormat {
        .list("list", expected: "a list of namespaces") { NameRules.isNamespace($0) ? $0 : nil }
    }

    /// Prefixes of API keys.
    static var keyPrefixes: SettingFormat {
        .list("list", expected: "a list of [a-z][a-z0-9]{1,15}, not tgs") { NameRules.isKeyPrefix($0) ? $0 : nil }
    }
}
