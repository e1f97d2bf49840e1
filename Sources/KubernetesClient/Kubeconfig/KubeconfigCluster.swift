// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads the fields of a cluster.
enum KubeconfigCluster {
    /// The connection without a user.
    static func connection(_ entry: KubeconfigEntry) throws(ClusterConnectionError) -> ClusterConnection {
        guard let server = try entry.text("server") else {
            throw entry.fault("server", "is missing: the URL of the API server, https://host:port")
        }
        guard let url = ServerURL(server) else {
            throw entry.fault("server", "\"\(server.prefix(256))\" is no URL like https://host:port")
        }
        var connection = ClusterConnection(server: url.text())
        connection.certificateAuthority = try entry.material("certificate-authority")
        connection.tlsServerName = try entry.text("tls-server-name")
        connection.skipsServerVerification = try entry.flag("insecure-skip-tls-verify")
        if let name = connection.tlsServerName, !name.utf8.allSatisfy(isNameByte) {
            throw entry.fault("tls-server-name", "must be a DNS name")
        }
        if connection.skipsServerVerification {
            guard connection.certificateAuthority == nil else {
                throw entry.fault(
                    "insecure-skip-tls-verify",
                    "and certificate-authority contradict each other: take one of them away")
            }
            connection.warnings.append(
                "insecure-skip-tls-verify: the certificate of \(server) is not checked, so anybody on the way can read and change what is sent"
            )
        }
        if url.scheme == "http" {
            connection.warnings.append(
                "server: \(server) is not encrypted, so anybody on the way can read and change what is sent")
        }
        if let text = try entry.text("proxy-url") { connection.proxy = try proxy(text, entry) }
        return connection
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The text may hold a password, so it is never shown.
    private static func proxy(
        _ text: String, _ entry: KubeconfigEntry
    ) throws(ClusterConnectionError) -> ClusterProxy {
        let field = "proxy-url"
        guard let separator = text.firstRange(of: "://") else {
            throw entry.fault(field, "must be a URL like http://host:port or socks5://host:port")
        }
        let kind: ClusterProxy.Kind
        switch ASCII.lowercased(text[..<separator.lowerBound]) {
        case "http": kind = .http
        case "socks5": kind = .socks5
        case "https":
            throw entry.fault(
                field, "a proxy that is itself spoken to over TLS is not supported: use http://", .unsupported)
        default: throw entry.fault(field, "must begin with http:// or socks5://", .unsupported)
        }
        var rest = text[separator.upperBound...]
        var credentials: String?
        if let at = rest.lastIndex(of: "@") {
            credentials = decoded(rest[..<at])
            rest = rest[rest.index(after: at)...]
            guard kind == .http else {
                throw entry.fault(field, "a SOCKS proxy with a password is not supported", .unsupported)
            }
        }
        guard let url = ServerURL("http://\(rest)"), url.path.isEmpty else {
            throw entry.fault(field, "must be a URL like http://host:port or socks5://host:port")
        }
        let hasPort = rest.reversed().drop { $0 == "/" }.prefix { $0 != ":" && $0 != "]" }.allSatisfy(\.isNumber)
        let port = hasPort && rest.contains(":") ? url.port : (kind == .socks5 ? 1080 : 80)
        return ClusterProxy(kind: kind, host: url.host, port: port, credentials: credentials.map { Redacted($0) })
    }

    /// Undoes `%XX`; what is no such escape stays.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let high = Hex.digitValue(rest[rest.startIndex]),
                let low = Hex.digitValue(rest[rest.startIndex + 1])
            {
                bytes.append(UInt8(high) << 4 | UInt8(low))
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
