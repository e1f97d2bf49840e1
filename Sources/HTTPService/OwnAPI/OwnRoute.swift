// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import Hummingbird
internal import Pipeline

/// What a handler of the own API gets: an admitted caller and a request that was read within its bounds.
struct OwnCall: Sendable {
    let caller: OwnCaller
    let exchange: Exchange
    /// What the `{…}` segments of the pattern matched, in order, decoded.
    let captures: [String]
    let query: QueryItems
    /// The JSON body; an empty body is an empty object.
    let body: JSONObject
}

/// What a handler answers.
struct OwnAnswer: Sendable {
    var status = 200
    /// Nil for an answer without a body.
    var json: JSONObject?
    /// The text instead of JSON, with its media type.
    var text: (bytes: [UInt8], type: String)?
    /// What was acted on, for the audit; nil where the path says it.
    var auditResource: String?
    /// Members of the JSON that hold a secret: null when the answer is repeated under its idempotency key.
    var secretMembers: [String] = []
    /// Filters and the like, for the audit.
    var auditMetadata = JSONObject()
    /// Header fields beside those that every answer has.
    var fields = HTTPFields()
    /// Whether the answer is recorded; what tells nothing and comes all the time is not.
    var isRecorded = true

    static func json(_ object: JSONObject, status: Int = 200) -> OwnAnswer { OwnAnswer(status: status, json: object) }
    static let noContent = OwnAnswer(status: 204)
}

/// One route of the own API.
package struct OwnRoute: Sendable {
    /// How a call is recorded.
    enum Effect: Sendable {
        /// Changes nothing: an entry of the queued class.
        case read
        /// Changes something: the trail must be writable before, and the entry is synced before the answer goes out.
        case write
    }

    package let method: String
    /// Literal segments and `{name}`.
    package let pattern: String
    let effect: Effect
    /// The largest body that is read.
    let bodyBytes: Int
    let segments: [Substring]
    let handle: @Sendable (OwnCall) async throws(Refusal) -> OwnAnswer

    init(
        _ method: String, _ pattern: String, _ effect: Effect, bodyBytes: Int = HTTPLimits.bodyBytes,
        handle: @escaping @Sendable (OwnCall) async throws(Refusal) -> OwnAnswer
    ) {
        self.method = method
        self.pattern = pattern
        self.effect = effect
        self.bodyBytes = bodyBytes
        segments = pattern.split(separator: "/")
        self.handle = handle
    }

    /// The captures, when the path fits.
    func captures(_ path: [Substring]) -> [String]? {
        guard path.count == segments.count else { return nil }
        var captures: [String] = []
        for (segment, part) in zip(segments, path) {
            if segment.hasPrefix("{") { captures.append(String(part)) } else if segment != part { return nil }
        }
        return captures
    }
}

/// Routes of the own API that belong together: one resource with its verbs.
package protocol OwnAPIModule: Sendable {
    var routes: [OwnRoute] { get }
}

/// The routes of the own API. Look-up is by the canonical path that was judged, never by the path as sent.
struct OwnRouteTable: Sendable {
    /// What a look-up found.
    enum Match: Sendable {
        case route(OwnRoute, captures: [String])
        /// The path is served, but not with this method.
        case otherMethods([String])
        case none
    }

    let routes: [OwnRoute]

    /// The route of a method and canonical path; HEAD is looked up as GET.
    func match(method: String, path: String) -> Match {
        let wanted = method == "HEAD" ? "GET" : method
        let parts = path.split(separator: "/")
        var others: [String] = []
        for route in routes {
            guard let captures = route.captures(parts) else { continue }
            if route.method == wanted { return .route(route, captures: captures) }
            others.append(route.method)
        }
        return others.isEmpty ? .none : .otherMethods(others)
    }
}
