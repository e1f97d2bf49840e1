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
    /// The JSON body; an empty body is an empty object, and so is that of a route that reads the bytes itself.
    let body: JSONObject
    /// The body as it came.
    var bytes: [UInt8] = []
}

/// What a handler answers.
struct OwnAnswer: Sendable {
    var status = 200
    /// Nil for an answer without a body.
    var json: JSONObject?
    /// The text instead of JSON, with its media type.
    var text: (bytes: [UInt8], type: String)?
    /// The body instead of either, where it is written as long as it lasts.
    var stream: OwnStream?
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
    /// The action for the audit; nil where the route says it.
    var auditAction: String?

    static func json(_ object: JSONObject, status: Int = 200) -> OwnAnswer { OwnAnswer(status: status, json: object) }
    static let noContent = OwnAnswer(status: 204)
}

/// A body that is written as long as it lasts. It may never begin: what it holds is given back when it is not held any more.
struct OwnStream: Sendable {
    /// Writes it; when it returns, it has finished the body.
    let write:
        @Sendable @concurrent (_ request: RequestBody, _ writer: inout any ResponseBodyWriter) async throws -> Void
}

/// One route of the own API. It is an object, because every call hands it on.
package final class OwnRoute: Sendable {
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
    /// Whether only the leader answers: another replica sends the request on to it.
    let leaderOnly: Bool
    /// Whether the handler reads the bytes of the body itself, which need not be JSON then.
    let isRaw: Bool
    let segments: [Substring]
    /// What is refused before it is asked who leads: what is wrong with the request itself.
    let check: (@Sendable (OwnCall) throws(Refusal) -> Void)?
    let handle: @Sendable (OwnCall) async throws(Refusal) -> OwnAnswer

    init(
        _ method: String, _ pattern: String, _ effect: Effect, bodyBytes: Int = HTTPLimits.bodyBytes,
        leaderOnly: Bool = false, isRaw: Bool = false,
        check: (@Sendable (OwnCall) throws(Refusal) -> Void)? = nil,
        handle: @escaping @Sendable (OwnCall) async throws(Refusal) -> OwnAnswer
    ) {
        self.method = method
        self.pattern = pattern
        self.effect = effect
        self.bodyBytes = bodyBytes
        self.leaderOnly = leaderOnly
        self.isRaw = isRaw
        self.check = check
        segments = pattern.split(separator: "/")
        self.handle = handle
    }

    /// The last segment; nil where anything may stand there.
    var lastSegment: Substring? { segments.last.flatMap { Self.isCapture($0) ? nil : $0 } }

    /// The captures, when the path fits.
    func captures(_ path: [Substring]) -> [String]? {
        guard path.count == segments.count else { return nil }
        for (segment, part) in zip(segments, path) where !Self.isCapture(segment) && segment != part { return nil }
        return zip(segments, path).compactMap { Self.isCapture($0) ? String($1) : nil }
    }

    private static func isCapture(_ segment: Substring) -> Bool { segment.utf8.first == UInt8(ascii: "{") }
}

/// Routes of the own API that belong together: one resource with its verbs.
package protocol OwnAPIModule: Sendable {
    var routes: [OwnRoute] { get }
}

/// The routes of the own API. Look-up is by the canonical path that was judged, never by the path as sent.
struct OwnRouteTable: Sendable {
    /// What a look-up found.
    enum Match: Sendable {
        case route(OwnRoute, captures: [String], counter: HTTPRouteCounter)
        /// The path is served, but not with this method.
        case otherMethods([String])
        case none
    }

    let routes: [OwnRoute]
    /// The routes of so many segments, by what they end with.
    private let places: [Int: Ends]

    /// Routes in their order: paths differ at their ends.
    private struct Ends: Sendable {
        /// Those that a path with this last segment may fit.
        var ofSegment: [Substring: [Place]] = [:]
        /// Those that any other path may fit.
        var ofAny: [Place]

        init(_ places: [Place]) {
            ofAny = places.filter { $0.route.lastSegment == nil }
            for segment in Set(places.compactMap(\.route.lastSegment)) {
                ofSegment[segment] = places.filter { ($0.route.lastSegment ?? segment) == segment }
            }
        }
    }

    /// A route, and where its answers are counted.
    private struct Place: Sendable {
        let route: OwnRoute
        let counter: HTTPRouteCounter
    }

    init(metrics: HTTPMetrics, routes: [OwnRoute]) {
        self.routes = routes
        places = Dictionary(
            grouping: routes.map { Place(route: $0, counter: metrics.counter(ofPattern: $0.pattern)) }
        ) { $0.route.segments.count }.mapValues(Ends.init)
    }

    /// The route of a method and canonical path; HEAD is looked up as GET.
    func match(method: String, path: String) -> Match {
        let wanted = method == "HEAD" ? "GET" : method
        // By bytes: to look for characters is to look for the ends of clusters of them.
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }
        var others: [String] = []
        let ends = places[parts.count]
        for place in parts.last.flatMap({ ends?.ofSegment[$0] }) ?? ends?.ofAny ?? [] {
            guard let captures = place.route.captures(parts) else { continue }
            if place.route.method == wanted { return .route(place.route, captures: captures, counter: place.counter) }
            others.append(place.route.method)
        }
        return others.isEmpty ? .none : .otherMethods(others)
    }
}
