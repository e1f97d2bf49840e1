// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import Hummingbird
internal import Pipeline

/// CORS and the security headers of every own answer.
struct BrowserRules: Sendable {
    private let origins: Set<String>
    private let any: Bool
    private let fields: [HTTPField]

    /// - Parameters:
    ///   - origins: exact origins, or `*`.
    ///   - overTLS: whether this listener speaks TLS itself.
    init(origins: [String], overTLS: Bool) {
        any = origins.contains("*")
        self.origins = Set(origins.map { ASCII.lowercased($0) })
        var fields = [
            HTTPField(name: .xContentTypeOptions, value: "nosniff"),
            HTTPField(name: .frameOptions, value: "DENY"),
            HTTPField(name: .contentSecurityPolicy, value: "default-src 'none'; frame-ancestors 'none'"),
            HTTPField(name: .referrerPolicy, value: "no-referrer"),
        ]
        if overTLS {
            fields.append(
                HTTPField(name: .strictTransportSecurity, value: "max-age=31536000; includeSubDomains"))
        }
        self.fields = fields
    }

    /// The headers that scripts of an allowed page may read.
    private static let exposed = (RateLimitReport.headerNames + ["Retry-After", "WWW-Authenticate", "X-Request-Id"])
        .joined(separator: ", ")

    /// Whether the request is a preflight, which is answered before authentication.
    func isPreflight(_ exchange: Exchange) -> Bool {
        exchange.method == "OPTIONS" && exchange.headers.first("origin") != nil
            && exchange.headers.first("access-control-request-method") != nil
    }

    /// The answer to a preflight; an origin that is not allowed gets no permission in it.
    func preflight(_ exchange: Exchange) -> Response {
        var fields = HTTPFields()
        fields[.vary] = "Origin"
        if let origin = allowed(exchange) {
            fields[.accessControlAllowOrigin] = origin
            if !any || origins.count > 1 { fields[.accessControlAllowCredentials] = origin == "*" ? nil : "true" }
            fields[.accessControlAllowMethods] = "GET, HEAD, POST, PUT, PATCH, DELETE"
            fields[.accessControlAllowHeaders] =
                "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-CSRF-Token, X-Request-Id"
            fields[.accessControlMaxAge] = "600"
        }
        return Response(status: .noContent, headers: fields)
    }

    /// Adds what every own answer carries.
    func apply(to response: inout Response, exchange: Exchange, path: String) {
        // Pages bring a policy of their own.
        for field in fields where !response.headers.contains(field.name) { response.headers.append(field) }
        if !response.headers.contains(.requestID) {
            response.headers.append(HTTPField(name: .requestID, value: exchange.requestID))
        }
        if Self.isAboutCredentials(path) {
            response.headers[.cacheControl] = "no-store"
        }
        guard exchange.method != "OPTIONS" || !response.headers.contains(.vary), !origins.isEmpty else { return }
        response.headers[.vary] = "Origin"
        guard let origin = allowed(exchange) else { return }
        response.headers[.accessControlAllowOrigin] = origin
        if origin != "*" { response.headers[.accessControlAllowCredentials] = "true" }
        response.headers[.accessControlExposeHeaders] = Self.exposed
    }

    /// Refuses a WebSocket that a page of another origin asks for: browsers send cookies along, and keep nobody from reading what comes. `*`
    /// allows nobody here.
    ///
    /// - Throws: `auth.origin_forbidden`.
    func checkSocketOrigin(_ exchange: Exchange) throws(Refusal) {
        switch exchange.headers.lookup("origin") {
        case .absent: return
        case .one(let origin):
            let origin = ASCII.lowercased(ASCII.trimmed(origin))
            if origin != "*", origins.contains(origin) { return }
            for (scheme, port) in [("http://", ":80"), ("https://", ":443")] where origin.hasPrefix(scheme) {
                func plain(_ host: Substring) -> Substring { host.hasSuffix(port) ? host.dropLast(port.count) : host }
                let own = ASCII.lowercased(exchange.authority ?? "")
                if !own.isEmpty, plain(origin.dropFirst(scheme.count)) == plain(own[...]) { return }
            }
        case .several: break
        }
        throw Refusal(.authOriginForbidden)
    }

    /// Whether answers of the path may hold or describe credentials, which nobody keeps.
    private static func isAboutCredentials(_ path: String) -> Bool {
        if path == "/v1/decisions" { return false }
        if path.hasPrefix("/v1/auth") { return true }
        // Every answer asks, so nothing is cut out of the path for it.
        let bytes = path.utf8
        var place = bytes.startIndex
        while let slash = bytes[place...].firstIndex(of: UInt8(ascii: "/")) {
            place = bytes.index(after: slash)
            let rest = bytes[place...]
            if rest.starts(with: "service-tokens".utf8) || rest.starts(with: "api-keys".utf8) { return true }
        }
        return false
    }

    /// The origin to echo, `*` where everybody may, nil where this one may not.
    private func allowed(_ exchange: Exchange) -> String? {
        guard case .one(let origin) = exchange.headers.lookup("origin") else { return nil }
        if origins.contains(ASCII.lowercased(origin)), origin != "*" { return origin }
        return any ? "*" : nil
    }
}
