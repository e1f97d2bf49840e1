// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The cookie that names a session.
package enum SessionCookie {
    /// A browser takes a cookie of this prefix over TLS and from loopback only, for the whole host and no other.
    package static let name = "__Host-tollgate-session"

    /// The cookie's text; the first where there are several, nil where it is missing or empty.
    package static func value(in headers: HeaderList) -> String? {
        for field in headers.fields where field.name == "cookie" {
            for pair in field.value.utf8.split(separator: UInt8(ascii: ";")) {
                let text = ASCII.trimmed(Substring(pair))
                guard text.utf8.starts(with: prefix) else { continue }
                let value = text.utf8.dropFirst(prefix.count)
                if !value.isEmpty { return String(Substring(value)) }
            }
        }
        return nil
    }

    /// Whether the text may be an id: 32 bytes, base64url.
    package static func isID(_ text: String) -> Bool {
        text.utf8.count == 43 && Base64URL.decode(Array(text.utf8))?.count == 32
    }

    /// `Set-Cookie` of a new session. It ends with the browser or with the session, whichever is first.
    package static func setting(_ id: String) -> String { "\(name)=\(id); \(attributes)" }

    /// `Set-Cookie` that takes the cookie away.
    package static let clearing = "\(name)=; \(attributes); Max-Age=0"

    private static let attributes = "Path=/; Secure; HttpOnly; SameSite=Lax"
    private static let prefix = Array("\(name)=".utf8)
}
