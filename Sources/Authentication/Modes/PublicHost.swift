// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Tells whether an origin or URL can be reached by the public.
package enum PublicHost {
    private static let privateEndings = [".local", ".localhost", ".localdomain", ".internal"]

    /// `*` is public; no host, `localhost`, a special-purpose address, a local name and a single label are not; everything else is.
    package static func isPublic(_ value: String) -> Bool {
        let text = ASCII.lowercased(ASCII.trimmed(value))
        if text == "*" { return true }
        var host = host(of: text)
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
            host = host[host.index(after: host.startIndex)..<end]
        }
        if host.hasSuffix(".") { host = host.dropLast() }
        guard !host.isEmpty, host != "localhost" else { return false }
        if host == "*" { return true }
        if let address = IPAddress(host) { return !address.isSpecialPurpose }
        return host.contains(".") && !privateEndings.contains { host.hasSuffix($0) }
    }

    /// The host of a lower-case origin or URL, or of a bare `host:port`.
    private static func host(of text: String) -> Substring {
        var rest = Substring(text)
        if let colon = rest.firstIndex(of: ":"), rest[colon...].hasPrefix("://") { rest = rest[colon...].dropFirst(3) }
        rest = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        if rest.hasPrefix("[") { return rest.firstIndex(of: "]").map { rest[...$0] } ?? "" }
        if rest.count(where: { $0 == ":" }) > 1 { return rest }
        return rest.prefix { $0 != ":" }
    }
}
