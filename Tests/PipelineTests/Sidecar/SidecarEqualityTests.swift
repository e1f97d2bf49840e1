// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Pipeline
internal import RuntimeState
internal import TestSupport
internal import Testing

/// A sidecar decides as its operator does, of everything that it was given.
@Suite struct SidecarEqualityTests {
    /// Credentials of every kind, good and bad.
    private static func credentials(_ world: SidecarWorld) async throws -> [String?] {
        let reader = try await world.upstream.token("reader", .init(scopes: ["tasks:read"], tenantID: "acme"))
        let old = try await world.upstream.token("old", .init(scopes: ["tasks:read"]), expiresIn: 60)
        let bound = try await world.upstream.token(
            "bound", .init(scopes: ["tasks:read"], allowedCIDRs: ["198.51.100.0/24"]))
        let platform = try await world.upstream.token(
            "platform", .init(scopes: ["tasks:read", "tasks:delete"], roles: ["admin"], platform: true))
        let suspended = try await world.upstream.token("late", .init(scopes: ["tasks:read"], tenantID: "globex"))
        let gone = try await world.upstream.token("gone", .init(scopes: ["tasks:read"]))
        let caller = TokenCaller(
            principal: Principal(
                subject: "u7", identityType: .user, authSource: .jwt, tenantID: "acme", roles: ["editor"],
                issuer: "https://es.example"), admin: false
        ) { _ in true }
        let key = try await world.upstream.keys.create(CreateAPIKey(name: "a"), caller: caller).key?.revealed
        world.upstream.clock.advance(seconds: 120)
        world.sidecar.clock.advance(seconds: 120)
        for side in [world.upstream, world.sidecar] {
            side.registry.table.heard(at: side.clock.now())
            side.keys.table.heard(at: side.clock.now())
        }
        var revoked = try #require(world.upstream.registry.table.entry("gone")).record
        revoked.revokedAt = world.upstream.clock.now()
        revoked.revision += 1
        world.upstream.registry.table.put([revoked])
        return [
            nil, reader, old, bound, platform, suspended, gone, key, "tgs_reader_wrong",
            String(reader.dropLast()) + "x",
            "nonsense", "a.b.c",
            try world.jwt(["groups": ["staff"], "tenant_id": "acme", "roles": ["viewer"]]),
            try world.jwt(["roles": ["viewer"], "scope": "tasks:read"], issuer: "https://hs.example"),
            try world.jwt(["roles": ["viewer"]], issuer: "https://hs.example", secret: SidecarWorld.secret + "x"),
            try world.jwt(["aud": "someone"]), try world.jwt(["exp": 1]),
            try world.jwt([:], issuer: "https://nobody.example"),
        ]
    }

    private static let hosts = [
        "shop.example", "a.shop.example", "held.shop.example", "maybe.example", "broken.example", "nobody.example",
    ]
    private static let targets = [
        "/tasks/t1", "/tasks/night1", "/public/x", "/me", "/tenants/acme/tasks", "/tenants/globex/tasks", "/unknown",
        "/tasks/%2e%2e/x", "//", "/tasks/t1?x=1",
    ]

    /// A world whose every host is closed would answer alike too.
    @Test func hasAllKindsOfAnswersInTheTable() async throws {
        let world = try SidecarWorld()
        let credentials = try await Self.credentials(world)
        try await world.feed()
        var seen: Set<String> = []
        for credential in credentials {
            for host in Self.hosts {
                for target in Self.targets {
                    let answer = await world.answers("GET", host, target, token: credential).sidecar
                    seen.insert(String(answer.split(separator: " ").prefix(2).joined(separator: " ")))
                }
            }
        }
        for wanted in [
            "200 anonymous", "200 reader", "200 u1", "200 u7", "401 auth.missing_token", "401 auth.invalid_token",
            "401 auth.token_revoked", "401 auth.token_expired", "401 auth.invalid_audience", "401 auth.invalid_issuer",
            "403 auth.account_suspended", "403 auth.ip_forbidden", "403 policy.tenant_denied", "403 policy.rule_denied",
            "403 policy.route_unmapped", "400 policy.path_invalid", "404 auth.no_config", "503 config.invalid",
        ] { #expect(seen.contains(wanted), "\(wanted): \(seen.sorted())") }
    }

    @Test func answersAlikeOverTheTable() async throws {
        let world = try SidecarWorld()
        let credentials = try await Self.credentials(world)
        try await world.feed()
        for (index, credential) in credentials.enumerated() {
            for host in Self.hosts where host != "held.shop.example" {
                for target in Self.targets {
                    for method in ["GET", "DELETE"] {
                        let (left, right) = await world.answers(method, host, target, token: credential)
                        #expect(left == right, "credential \(index): \(method) \(host) \(target)")
                    }
                }
            }
        }
    }

    @Test func answersAlikeWhateverIsAsked() async throws {
        let world = try SidecarWorld()
        let credentials = try await Self.credentials(world)
        try await world.feed()
        let random = SeededRandom(seed: 20_261_121)
        let alphabet = [
            "/", "tasks", "t1", "..", "%2F", "%00", "?", "tenants", "acme", "é", ";", "night", "\\", "public",
        ]
        for number in 0..<FuzzCases.count(3000) {
            let target = "/" + (0..<random.below(6)).map { _ in alphabet[random.below(alphabet.count)] }.joined()
            let host = random.below(4) == 0 ? "X\(random.below(9)).SHOP.example:443" : Self.hosts[random.below(2)]
            let method = ["GET", "DELETE", "POST", "get", ""][random.below(5)]
            let address = ["192.0.2.10", "198.51.100.7", nil][random.below(3)]
            let credential = credentials[random.below(credentials.count)]
            let (left, right) = await world.answers(method, host, target, token: credential, address: address)
            #expect(left == right, "question \(number): \(method) \(host) \(target)")
        }
    }

    @Test func leavesTheHostsOfOthersToThem() async throws {
        let world = try SidecarWorld()
        try await world.feed()
        let (left, right) = await world.answers("GET", "held.shop.example", "/x")
        #expect(left.contains("default/elsewhere"))
        #expect(right.hasPrefix("404 auth.no_config"))
    }

    @Test func knowsNobodyOfOtherTenants() async throws {
        let world = try SidecarWorld()
        let own = try await world.upstream.token("own", .init(scopes: ["tasks:read"], tenantID: "acme"))
        let other = try await world.upstream.token("other", .init(scopes: ["tasks:read"], tenantID: "umbrella"))
        try await world.feed(scope: .tenant("acme"))
        #expect(await world.answers(token: own).sidecar.hasPrefix("200 own"))
        #expect(await world.answers(token: other).upstream.hasPrefix("200 other"))
        #expect(await world.answers(token: other).sidecar.hasPrefix("401 auth.invalid_token"))
    }

    @Test func refusesWhatWasRevokedMeanwhile() async throws {
        let world = try SidecarWorld()
        let text = try await world.upstream.token("t", .init(scopes: ["tasks:read"], tenantID: "acme"))
        try await world.feed(version: 1)
        #expect(await world.answers(token: text).sidecar.hasPrefix("200 t"))
        var record = try #require(world.upstream.registry.table.entry("t")).record
        record.revokedAt = world.upstream.clock.now()
        record.revision += 1
        world.upstream.registry.table.put([record])
        try await world.feed(version: 2)
        #expect(await world.answers(token: text).sidecar.hasPrefix("401 auth.token_revoked"))
    }
}
