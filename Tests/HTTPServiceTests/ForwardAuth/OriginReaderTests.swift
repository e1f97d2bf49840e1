// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import HTTPService
internal import Pipeline
internal import Testing

@Suite struct OriginReaderTests {
    private func read(_ door: Door, _ headers: [(String, String)], target: String = "/v1/forward-auth/x")
        -> Result<OriginalRequest, Refusal>
    {
        Result { () throws(Refusal) in
            try OriginReader.read(
                door: door, method: "GET", target: target, authority: "gate.internal", headers: HeaderList(headers))
        }
    }

    @Test(arguments: [Door.traefik, .caddy, .plain])
    func readsTheForwardedFamily(_ door: Door) throws {
        let origin = try read(
            door,
            [
                ("X-Forwarded-Method", "DELETE"), ("X-Forwarded-Host", "api.example.com"),
                ("X-Forwarded-Uri", "/v1/x?y=1,2"), ("X-Forwarded-Proto", "http"),
                ("X-Tollgate-Resource-Owner", "u1"),
            ]
        ).get()
        #expect(origin.method == "DELETE")
        #expect(origin.host == "api.example.com")
        #expect(origin.target == "/v1/x?y=1,2")
        #expect(origin.scheme == "http")
        #expect(origin.resource.owner == "u1")
    }

    @Test(arguments: [Door.nginx, .oauth2, .plain])
    func readsTheOriginalURL(_ door: Door) throws {
        let origin = try read(
            door, [("X-Original-URL", "https://Api.example.com:443/v1/x?y=1"), ("X-Original-Method", "PUT")]
        ).get()
        #expect(origin.method == "PUT")
        #expect(origin.host == "Api.example.com:443")
        #expect(origin.target == "/v1/x?y=1")
        #expect(origin.scheme == "https")
    }

    @Test func takesTheSameHostInTwoSpellings() throws {
        let origin = try read(
            .nginx, [("X-Original-URL", "https://API.example.com.:443/"), ("X-Forwarded-Host", "api.example.com")]
        ).get()
        #expect(origin.host == "API.example.com.:443")
    }

    @Test(arguments: [
        [("X-Original-URL", "https://a.example/x"), ("X-Forwarded-Host", "b.example")],
        [("X-Original-URL", "https://a.example/x"), ("X-Original-URI", "/y")],
        [("X-Original-URL", "https://a.example/x"), ("X-Forwarded-Proto", "http")],
        [("X-Original-URL", "https://a.example/x"), ("X-Forwarded-Host", "")],
    ])
    func refusesSourcesThatDisagree(_ headers: [(String, String)]) {
        guard case .failure(let refusal) = read(.nginx, headers) else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.code == .requestConflictingOrigin)
        #expect(refusal.message == "Two headers describe the original request differently")
    }

    @Test(arguments: [
        (Door.traefik, [("X-Forwarded-Method", "GET"), ("X-Forwarded-Method", "GET")], "x-forwarded-method"),
        (.traefik, [("X-Forwarded-Host", "a.example, b.example")], "x-forwarded-host"),
        (.caddy, [("X-Forwarded-Uri", "/a, /b")], "x-forwarded-uri"),
        (.nginx, [("X-Original-Method", "GET,POST")], "x-original-method"),
        (.envoy, [("Host", "second.example")], "host"),
        (.envoy, [("X-Tollgate-Resource-Id", "1"), ("X-Tollgate-Resource-Id", "2")], "x-tollgate-resource-id"),
    ])
    func refusesAHeaderThatCameTwice(_ door: Door, _ headers: [(String, String)], _ name: String) {
        guard case .failure(let refusal) = read(door, headers, target: "/v1/forward-auth/envoy/x") else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.code == .requestDuplicateHeader)
        #expect(refusal.details?["header"] == .string(name))
    }

    @Test func nginxDoorIgnoresTheForwardedMethodAndURI() throws {
        let origin = try read(.nginx, [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/health")]).get()
        #expect(origin.method == nil)
        #expect(origin.target == nil)
    }

    @Test(arguments: [
        ("/v1/forward-auth/envoy", "/"), ("/v1/forward-auth/envoy?a=1", "?a=1"),
        ("/v1/forward-auth/envoy/a%2Fb?c", "/a%2Fb?c"), ("/v1/forward-auth/envoy//x", "//x"),
    ])
    func cutsEnvoysPrefixAsBytes(_ target: String, _ expected: String) throws {
        let origin = try read(.envoy, [], target: target).get()
        #expect(origin.target == expected)
        #expect(origin.method == "GET")
        #expect(origin.host == "gate.internal")
    }

    @Test(arguments: ["/v1/forward-auth/envoyx", "/v1/forward-auth/Envoy/x", "/v1/forward-auth/env%6Fy/x"])
    func refusesPathsThatOnlyLookLikeEnvoys(_ target: String) {
        guard case .failure(let refusal) = read(.envoy, [], target: target) else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.code == .requestNotFound)
    }
}
