// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// What every proxy in front of a service must do with Tollgate's answers. Each proxy's suite runs all of it on the configuration of its guide.
struct ProxyContract {
    /// Starts a proxy that listens at `port`, asks Tollgate at `tollgate` and passes on to `upstream`, and runs `body` while it runs.
    typealias Start =
        @Sendable (
            _ port: Int, _ tollgate: Int, _ upstream: Int, _ folder: TemporaryDirectory,
            _ body: @escaping () async throws -> Void
        ) async throws -> Void

    /// The host that the AuthConfig covers.
    static let host = "service.example"

    /// A host whose rate is soon used up.
    static let limitedHost = "limited.example"

    static let manifests = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata:
          name: service
          namespace: default
        spec:
          hosts: [\(host)]
          mode: required
          policy:
            builtinRoutes: false
            routes:
              - {methods: ["*"], path: "/reports/**", permission: "tasks:read"}
              - {methods: ["*"], path: "/vault/**", permission: "tasks:delete"}
              - {methods: ["*"], path: "/whoami", authenticated: true}
              - {methods: [GET], path: "/open/**", public: true}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata:
          name: limited
          namespace: default
        spec:
          hosts: [\(limitedHost)]
          mode: required
          rate: {hour: 2}
          policy:
            builtinRoutes: false
            routes:
              - {methods: [GET], path: "/reports/**", permission: "tasks:read"}
        """

    /// Headers by which a client would like to be somebody else or to have asked something else.
    static let spoofed = [
        ("X-Auth-Request-User", "root"), ("X-Auth-Request-Email", "root@service.example"),
        ("X-Auth-Request-Groups", "wheel"), ("X-Tollgate-Subject", "root"), ("X-Tollgate-Tenant", "root"),
        ("X-Tollgate-Roles", "admin"), ("X-Tollgate-Scopes", "admin:access"), ("X-Tollgate-Plan", "root"),
        ("X-Tollgate-Credits-Remaining", "1000000"), ("X-Tollgate-Assertion", "root"),
    ]

    static let misdirecting = [
        ("X-Original-URL", "http://service.example/open/x"), ("X-Original-URI", "/open/x"),
        ("X-Original-Method", "GET"), ("X-Forwarded-Uri", "/open/x"), ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Host", "service.example"), ("X-Tollgate-Resource-Owner", "reader"),
    ]

    /// Targets that some server reads as something below `/vault`, which the asking token may not reach.
    static let disguises = [
        "/vault/x", "/%76ault/x", "/vault%2fx", "/vault%2Fx", "/open/..%2fvault/x", "/open/%2e%2e/vault/x",
        "/open/../vault/x", "/open/./../vault/x", "/open/..%2f..%2fvault/x", "//vault/x", "/open//../vault/x",
        "/reports/..;/vault/x", "/reports/%2e%2e%2fvault/x", "/reports/%252e%252e/vault/x", "/reports/..%5cvault/x",
        "/reports/..\\vault/x", "/./vault/x", "/vault/", "/vault/./x", "/vault/x?next=/open/x", "/vault/x#/open/x",
        "/reports/%2e%2e/%76ault/x",
    ]

    let daemon: TollgateDaemon
    let upstream: EchoUpstream
    let port: Int
    let token: String

    /// Starts the three in a row and runs `body` with all of them up.
    ///
    /// - Parameter settings: of Tollgate, beside the usual ones.
    static func with(
        _ start: Start, settings: [String: String] = [:],
        body: @escaping (ProxyContract, PeerProcess) async throws -> Void
    ) async throws {
        let daemon = try TollgateDaemon(manifests: manifests, settings: settings)
        try await EchoUpstream.with { upstream in
            try await daemon.running { process in
                let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
                let port = try FreePort.next()
                try await start(port, daemon.port, upstream.port, daemon.folder) {
                    let contract = ProxyContract(daemon: daemon, upstream: upstream, port: port, token: token)
                    try await body(contract, process)
                }
            }
        }
    }

    /// Sends a request through the proxy.
    func send(
        _ method: String = "GET", _ target: String, token: String? = nil, headers: [(String, String)] = []
    ) async throws -> PlainHTTP.Answer {
        let credential = token.map { [("Authorization", "Bearer \($0)")] } ?? []
        return try await PlainHTTP.send(
            method, target, port: port, headers: [("Host", Self.host)] + credential + headers)
    }

    func allowedPassesWithIdentity() async throws {
        let answer = try await send("GET", "/reports/1?page=2", token: token)
        #expect(answer.status == 200)
        let seen = try #require(upstream.requests.last)
        #expect(seen.method == "GET")
        #expect(seen.path == "/reports/1?page=2")
        #expect(seen.headers["x-tollgate-subject"] == ["reader"])
        #expect(seen.headers["x-auth-request-user"] == ["reader"])
        #expect(seen.headers["x-tollgate-scopes"] == ["tasks:read"])
        #expect(seen.headers["authorization"] == nil)
        let post = try await send("POST", "/reports/1", token: token)
        #expect(post.status == 200)
        #expect(upstream.requests.last?.method == "POST")
    }

    func spoofedIdentityDoesNotGetThrough() async throws {
        for (target, token, subject) in [("/whoami", token, ["reader"]), ("/open/page", nil, [])] {
            let answer = try await send("GET", target, token: token, headers: Self.spoofed)
            #expect(answer.status == 200, "\(target)")
            let seen = try #require(upstream.requests.last)
            for (name, value) in Self.spoofed {
                let values = seen.headers[name.lowercased()] ?? []
                #expect(!values.contains { $0.contains(value) }, "\(target): \(name) got through as \(values)")
            }
            #expect((seen.headers["x-tollgate-subject"] ?? []).filter { !$0.isEmpty } == subject, "\(target)")
        }
    }

    func misdirectionDoesNotHelp() async throws {
        let before = upstream.requests.count
        for (name, value) in Self.misdirecting {
            let answer = try await send("DELETE", "/vault/x", token: token, headers: [(name, value)])
            #expect(answer.status >= 400, "\(name)")
        }
        let answer = try await send("DELETE", "/vault/x", token: token, headers: Self.misdirecting)
        #expect(answer.status >= 400)
        #expect(upstream.requests.count == before)
    }

    func unauthenticatedCarriesChallenge() async throws {
        let before = upstream.requests.count
        for credential in [nil, "tgs_nobody_" + String(repeating: "x", count: 49)] {
            let answer = try await send("GET", "/reports/1", token: credential)
            #expect(answer.status == 401)
            let challenge = try #require(answer.value("WWW-Authenticate"))
            #expect(challenge.hasPrefix("Bearer"))
        }
        #expect(upstream.requests.count == before)
    }

    func forbiddenCarriesReason() async throws {
        let before = upstream.requests.count
        let answer = try await send("GET", "/vault/x", token: token)
        #expect(answer.status == 403)
        #expect(answer.value("X-Auth-Reason") == "policy.scope_denied")
        let unmapped = try await send("GET", "/nowhere", token: token)
        #expect(unmapped.status == 403)
        #expect(unmapped.value("X-Auth-Reason") == "policy.route_unmapped")
        #expect(upstream.requests.count == before)
    }

    func limitsReachTheClient() async throws {
        func ask() async throws -> PlainHTTP.Answer {
            try await PlainHTTP.send(
                "GET", "/reports/1", port: port,
                headers: [("Host", Self.limitedHost), ("Authorization", "Bearer \(token)")])
        }
        for left in ["1", "0"] {
            let answer = try await ask()
            #expect(answer.status == 200)
            #expect(answer.value("X-RateLimit-Limit") == "2")
            #expect(answer.value("X-RateLimit-Remaining") == left)
            #expect(answer.value("X-RateLimit-Reset").flatMap(Int.init) != nil)
        }
        let before = upstream.requests.count
        let refused = try await ask()
        #expect(refused.status == 429)
        #expect(refused.value("X-Auth-Reason") == "rate.limited")
        #expect(refused.value("X-RateLimit-Remaining") == "0")
        let wait = try #require(refused.value("Retry-After").flatMap(Int.init))
        #expect((1...3600).contains(wait))
        #expect(upstream.requests.count == before)
    }

    func apiKeysPassInEitherHeader() async throws {
        let key = try await daemon.mintKey("reader", account: "acme", scopes: ["tasks:read"])
        for header in [("X-API-Key", key), ("Authorization", "Bearer \(key)")] {
            let answer = try await send("GET", "/reports/1", headers: [header])
            #expect(answer.status == 200, "\(header.0)")
            #expect(answer.value("X-RateLimit-Limit") == "30", "the fallback plan limits keys")
            let seen = try #require(upstream.requests.last)
            #expect(seen.headers["x-tollgate-tenant"] == ["acme"])
            #expect(seen.headers["x-api-key"] == nil && seen.headers["authorization"] == nil, "\(header.0)")
        }
        let refused = try await send("GET", "/vault/x", headers: [("X-API-Key", key)])
        #expect(refused.status == 403)
        #expect(refused.value("X-Auth-Reason") == "policy.scope_denied")
    }

    func disguisedPathReachesNothing() async throws {
        for target in Self.disguises {
            for credential in [token, nil] {
                let before = upstream.requests.count
                // A proxy that drops the connection at such a target has refused it.
                let status = try? await send("GET", target, token: credential).status
                let passed = upstream.requests.dropFirst(before)
                if let status, status < 400, status != 200 {
                    #expect(passed.isEmpty, "\(target) was redirected and passed on")
                }
                for seen in passed {
                    #expect(!LenientPath.mayReach("vault", seen.path), "\(target) reached the service as \(seen.path)")
                }
            }
        }
    }

    func nobodyGetsInWithoutTollgate() async throws {
        let before = upstream.requests.count
        for (target, credential) in [("/reports/1", token), ("/open/page", nil), ("/vault/x", nil)] {
            let answer = try await send("GET", target, token: credential)
            #expect(answer.status >= 500, "\(target)")
        }
        #expect(upstream.requests.count == before)
    }

    func accessReturns() async throws {
        try await Eventually.holds("access after the restart") {
            try await send("GET", "/reports/1", token: token).status == 200
        }
    }
}
