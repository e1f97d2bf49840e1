// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CPQ
package import Essentials

/// Where a database is: a URI (`postgresql://user:password@host:5432/name?sslmode=verify-full`) or a list of keywords (`host=… dbname=…`), as
/// libpq reads them. Its text is never shown.
package struct PostgreSQLAddress: Sendable, CustomStringConvertible {
    /// The longest text of an address, in bytes.
    package static let maximumBytes = 4096

    /// The text itself, password and all.
    package let text: Redacted<String>
    /// The options by their libpq names, without the password; only those that the text names.
    package let options: [String: String]
    private let password: Redacted<String>?

    /// Reads an address.
    ///
    /// - Throws: `PostgreSQLError` with `invalidAddress`. libpq's own words would repeat parts of the text, so they are left out.
    package init(_ text: String) throws(PostgreSQLError) {
        guard !text.isEmpty, text.utf8.count <= Self.maximumBytes, !text.utf8.contains(0),
            !Self.isAmbiguous(text), let options = Self.parse(text), Self.arePorts(options["port"] ?? "")
        else {
            throw PostgreSQLError(
                .invalidAddress,
                "A text of \(text.utf8.count) bytes is no PostgreSQL URI and no list of keywords: expected postgresql://user@host/database, other characters of a name or password as %XX"
            )
        }
        self.text = Redacted(text)
        password = options["password"].map { Redacted($0) }
        self.options = options.filter { $0.key != "password" && $0.key != "sslpassword" }
    }

    /// The database's place without its password.
    package var description: String {
        let user = options["user"].map { $0 + "@" } ?? ""
        let host = options["host"] ?? options["hostaddr"] ?? "the local socket"
        let port = options["port"].map { ":" + $0 } ?? ""
        return "\(user)\(host)\(port)/\(options["dbname"] ?? "")"
    }

    /// Whether what is said to it stays on this machine.
    package var isLocal: Bool {
        let hosts = (options["hostaddr"] ?? options["host"] ?? "").split(separator: ",")
        return hosts.allSatisfy {
            $0.hasPrefix("/") || $0.hasPrefix("@") || $0 == "localhost" || $0 == "::1" || $0.hasPrefix("127.")
        }
    }

    /// Whether somebody on the way could read or change what is said to it: TLS is not required, or nobody's name is checked.
    package var isExposed: Bool {
        !isLocal && options["sslmode"] != "verify-full" && options["sslmode"] != "verify-ca"
    }

    /// A text of the server or of libpq, without the password should it be in it.
    func redacted(_ message: String) -> String {
        let trimmed = message.split(whereSeparator: \.isNewline).joined(separator: "; ")
        guard let password = password?.revealed, !password.isEmpty else { return trimmed }
        return Self.replace(password, in: trimmed)
    }

    private static func replace(_ secret: String, in text: String) -> String {
        let secret = Array(secret.utf8)
        let text = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index...].starts(with: secret) {
                result.append(contentsOf: "[REDACTED]".utf8)
                index += secret.count
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Whether a `/`, `?` or `#` of a password was left as it is: then a part of the password would be read as a port or a name, and shown.
    private static func isAmbiguous(_ text: String) -> Bool {
        guard let scheme = text.firstRange(of: "://") else { return false }
        let rest = text[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = rest.dropFirst(authority.count).prefix { $0 != "?" }
        return path.contains("@") || (!authority.contains("@") && rest.contains("@"))
    }

    /// libpq itself looks at ports only when it connects, and then repeats them.
    private static func arePorts(_ text: String) -> Bool {
        text.split(separator: ",").allSatisfy { UInt16($0) != nil }
    }

    private static func parse(_ text: String) -> [String: String]? {
        var message: UnsafeMutablePointer<CChar>?
        defer { PQfreemem(message) }
        guard let list = PQconninfoParse(text, &message) else { return nil }
        defer { PQconninfoFree(list) }
        var options: [String: String] = [:]
        var option = list
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { options[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return options
    }
}
