// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Essentials
package import Pipeline

/// The original request as a proxy's headers describe it; nothing is normalised, a missing property is nil.
package struct OriginalRequest: Sendable, Hashable {
    package var method: String?
    package var host: String?
    /// Path and query as received.
    package var target: String?
    package var scheme: String?
    package var resource: ResourceAttributes
}

/// Finds out which request a forward-auth call is about. Each door reads only the headers named for it; two of them that disagree, and a
/// header that came twice or holds a list, are refused.
package struct OriginReader {
    /// What stands in front of the original path at Envoy's door.
    package static let envoyPrefix = "/v1/forward-auth/envoy"

    private let headers: HeaderList

    /// Reads the original request.
    ///
    /// - Parameters:
    ///   - method: of the call itself; only Envoy's door takes it as the original one.
    ///   - target: of the call itself, with Envoy's prefix in front.
    ///   - authority: the call's own `Host`.
    /// - Throws: `request.duplicate_header`, `request.conflicting_origin`, and `request.not_found` for a path that only looks like Envoy's.
    package static func read(
        door: Door, method: String, target: String, authority: String?, headers: HeaderList
    ) throws(Refusal) -> OriginalRequest {
        let reader = OriginReader(headers: headers)
        let resource = try ResourceHeaders.read(headers)
        switch door {
        case .envoy:
            var origin = OriginalRequest(resource: resource)
            guard case .absent = headers.lookup("host") else { throw duplicate("host") }
            origin.method = method
            origin.host = authority
            origin.target = try envoyTarget(target)
            origin.scheme = try reader.single("x-forwarded-proto")
            return origin
        case .traefik, .caddy:
            return OriginalRequest(
                method: try reader.single("x-forwarded-method"), host: try reader.single("x-forwarded-host"),
                target: try reader.url("x-forwarded-uri"), scheme: try reader.single("x-forwarded-proto"),
                resource: resource)
        case .nginx, .oauth2:
            let url = try reader.originalURL()
            return OriginalRequest(
                method: try reader.single("x-original-method"),
                host: try agree([url.host, try reader.single("x-forwarded-host")], as: normalHost),
                target: try agree([url.target, try reader.url("x-original-uri")], as: { $0 }),
                scheme: try agree([url.scheme, try reader.single("x-forwarded-proto")], as: ASCII.lowercased),
                resource: resource)
        case .plain, .json, .grpc:
            let url = try reader.originalURL()
            let methods = [try reader.single("x-forwarded-method"), try reader.single("x-original-method")]
            let targets = [
                try reader.url("x-forwarded-uri"), url.target, try reader.url("x-original-uri"),
            ]
            return OriginalRequest(
                method: try agree(methods, as: { $0 }),
                host: try agree([try reader.single("x-forwarded-host"), url.host], as: normalHost),
                target: try agree(targets, as: { $0 }),
                scheme: try agree([try reader.single("x-forwarded-proto"), url.scheme], as: ASCII.lowercased),
                resource: resource)
        }
    }

    /// Cuts Envoy's prefix off, compared as bytes.
    private static func envoyTarget(_ target: String) throws(Refusal) -> String {
        guard target.utf8.starts(with: envoyPrefix.utf8) else { throw Refusal(.requestNotFound) }
        let rest = target.utf8.dropFirst(envoyPrefix.utf8.count)
        guard let first = rest.first else { return "/" }
        guard first == UInt8(ascii: "/") || first == UInt8(ascii: "?") else { throw Refusal(.requestNotFound) }
        return String(Substring(rest))
    }

    /// A header that may come once and holds one value.
    private func single(_ name: String) throws(Refusal) -> String? {
        switch headers.lookup(name) {
        case .absent: return nil
        case .several: throw Self.duplicate(name)
        case .one(let value):
            guard !value.utf8.contains(UInt8(ascii: ",")) else { throw Self.duplicate(name) }
            return value
        }
    }

    /// A header that holds a URL, in which commas may stand; a list of URLs has a blank or tab behind a comma.
    private func url(_ name: String) throws(Refusal) -> String? {
        switch headers.lookup(name) {
        case .absent: return nil
        case .several: throw Self.duplicate(name)
        case .one(let value):
            var previous: UInt8 = 0
            for byte in value.utf8 {
                guard previous != UInt8(ascii: ",") || (byte != 0x20 && byte != 0x09) else {
                    throw Self.duplicate(name)
                }
                previous = byte
            }
            return value
        }
    }

    /// `X-Original-URL`, which is an absolute URL or, at some proxies, a path alone.
    private func originalURL() throws(Refusal) -> (scheme: String?, host: String?, target: String?) {
        guard let text = try url("x-original-url") else { return (nil, nil, nil) }
        // `://` before any other slash.
        let bytes = text.utf8
        guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")), slash > bytes.startIndex,
            bytes[bytes.index(before: slash)] == UInt8(ascii: ":"), bytes[slash...].starts(with: "//".utf8)
        else { return (nil, nil, text) }
        let start = bytes.index(slash, offsetBy: 2)
        let end = bytes[start...].firstIndex(where: Self.endsAuthority) ?? bytes.endIndex
        return (String(text[..<bytes.index(before: slash)]), String(text[start..<end]), String(text[end...]))
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    /// The first source that is there, when all that are there say the same.
    private static func agree(
        _ sources: [String?], as normal: (String) -> String
    ) throws(Refusal) -> String? {
        var found: String?
        for case let source? in sources {
            guard let first = found else {
                found = source
                continue
            }
            guard first == source || normal(first).utf8.elementsEqual(normal(source).utf8) else {
                throw Refusal(.requestConflictingOrigin)
            }
        }
        return found
    }

    /// Hosts are compared as the pipeline will read them: lower case, without port and last dot.
    private static func normalHost(_ host: String) -> String {
        var text = ASCII.lowercased(host)
        if !text.hasSuffix("]"), let colon = text.lastIndex(of: ":"),
            text[text.index(after: colon)...].allSatisfy({ $0.isASCII && $0.isNumber })
        {
            text = String(text[..<colon])
        }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    private static func duplicate(_ name: String) -> Refusal {
        Refusal(.requestDuplicateHeader, details: ["header": .string(name)])
    }
}
