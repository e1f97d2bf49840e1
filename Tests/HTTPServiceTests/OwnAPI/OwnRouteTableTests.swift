// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Testing

@testable internal import HTTPService

@Suite struct OwnRouteTableTests {
    private static let table = OwnRouteTable(
        metrics: HTTPMetrics(registry: PrometheusRegistry()),
        routes: [
            ("GET", "/"), ("GET", "/v1/keys/{id}"), ("POST", "/v1/keys/import"), ("GET", "/v1/keys/import"),
            ("DELETE", "/v1/keys/{id}"), ("POST", "/v1/keys/{id}/rotate"), ("PUT", "/v1/{kind}/{id}/rotate"),
            ("GET", "/v1/keys"),
        ].map { method, pattern in OwnRoute(method, pattern, .read) { _ in .noContent } })

    private static func found(_ method: String, _ path: String) -> String {
        switch table.match(method: method, path: path) {
        case .route(let route, let captures, _): ([route.method, route.pattern] + captures).joined(separator: " ")
        case .otherMethods(let methods): "only " + methods.joined(separator: " ")
        case .none: "none"
        }
    }

    /// The first that fits holds, whether a name or anything stands at the end.
    @Test(arguments: [
        ("GET", "/v1/keys/7", "GET /v1/keys/{id} 7"), ("GET", "/v1/keys/import", "GET /v1/keys/{id} import"),
        ("HEAD", "/v1/keys/7", "GET /v1/keys/{id} 7"), ("POST", "/v1/keys/import", "POST /v1/keys/import"),
        ("PATCH", "/v1/keys/import", "only GET POST GET DELETE"), ("POST", "/v1/keys/7", "only GET DELETE"),
        ("POST", "/v1/keys/7/rotate", "POST /v1/keys/{id}/rotate 7"),
        ("PUT", "/v1/keys/7/rotate", "PUT /v1/{kind}/{id}/rotate keys 7"), ("GET", "/v1/keys/7/turn", "none"),
        ("GET", "/v1/keys", "GET /v1/keys"), ("GET", "/v1/locks", "none"), ("GET", "/", "GET /"),
        ("GET", "/v1/keys/7/rotate/now", "none"),
    ])
    func findsTheFirstThatFits(_ method: String, _ path: String, _ wanted: String) {
        #expect(Self.found(method, path) == wanted)
    }
}
