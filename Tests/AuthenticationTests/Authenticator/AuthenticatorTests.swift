// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct AuthenticatorTests {
    @Test func toldApartByShape() async throws {
        let world = TokenWorld(bootstrap: BootstrapSettings(token: Redacted(TokenWorld.bootstrapText)))
        let token = try await world.registry.create(CreateServiceToken(identifier: "ci"), caller: TokenWorld.root)
        let text = try #require(token.secret?.revealed)
        #expect(world.outcome(TokenWorld.adminText) == "200 admin")
        #expect(world.outcome(TokenWorld.bootstrapText) == "200 bootstrap")
        #expect(world.outcome(text) == "200 ci")
        #expect(world.outcome(text + "x") == "401 auth.invalid_token")
        #expect(world.outcome("a.b.c") == "401 auth.invalid_token")
        #expect(
            world.outcome("tgk_live_k3y0k3y0k3y0k3y0_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb1kUZsL")
                == "401 auth.invalid_token")
        #expect(world.outcome("anything") == "401 auth.invalid_token")
        #expect(world.outcome(nil) == "401 auth.missing_token")
        #expect(try world.count("tollgate_auth_bootstrap_used_total") == 1)
    }

    @Test func aSwitchedOffKindIsInvalid() async throws {
        var world = TokenWorld()
        let token = try await world.registry.create(CreateServiceToken(), caller: TokenWorld.root)
        let text = try #require(token.secret?.revealed)
        world.realm.serviceTokens = false
        #expect(world.outcome(text) == "401 auth.invalid_token")
    }

    @Test func saysWhyAGoodTextIsNotAccepted() async throws {
        let world = TokenWorld()
        let request = CreateServiceToken(
            identifier: "ci", grant: ServiceTokenGrant(allowedCIDRs: ["192.0.2.0/24"]), expiresInSeconds: 60)
        let text = try #require(try await world.registry.create(request, caller: TokenWorld.root).secret?.revealed)
        #expect(world.outcome(text, address: "203.0.113.1") == "403 auth.ip_forbidden")
        #expect(world.outcome(text, address: nil) == "403 auth.ip_forbidden")
        #expect(world.outcome(text) == "200 ci")
        world.clock.advance(seconds: 60)
        let expired = world.authenticate(text)
        #expect(expired.refusal?.message == "Service token has expired")
        _ = try await world.registry.revoke("ci", RevokeServiceToken(reason: "x"), caller: TokenWorld.root)
        #expect(world.outcome(text) == "401 auth.token_revoked")
    }

    @Test func aSilentStoreIsUnavailable() async throws {
        let world = TokenWorld()
        let text = try #require(
            try await world.registry.create(CreateServiceToken(), caller: TokenWorld.root).secret?.revealed)
        world.clock.advance(seconds: 60)
        #expect(world.outcome(text).hasPrefix("200"))
        world.clock.advance(seconds: 1)
        #expect(world.outcome(text) == "503 auth.store_unavailable")
        #expect(world.outcome(TokenWorld.adminText) == "200 admin")
        #expect(world.outcome("tgs_nonsense") == "401 auth.invalid_token")
    }

    @Test func publicRoutesLetEverybodyInAndCount() {
        let world = TokenWorld(limits: FailureLimitSettings(perAddress: 2))
        let surface = AuthenticationRequest.Surface.workload(publicRoute: true)
        for _ in 0..<2 { #expect(world.outcome("wrong-wrong-wrong", surface: surface) == "200 anonymous") }
        func blocked(_ text: String?) -> Bool {
            world.authenticator.addressRefusal(
                world.request(text, surface: surface), realm: world.realm, now: world.clock.now()) != nil
        }
        #expect(blocked("wrong-wrong-wrong"))
        #expect(!blocked(nil))
        #expect(world.limiter.blocks(now: world.clock.now()).map(\.key) == ["ip:192.0.2.10"])
    }

    @Test func disabledIgnoresBadCredentialsAndCountsNothing() {
        var world = TokenWorld(limits: FailureLimitSettings(perAddress: 1))
        world.realm.mode = .disabled
        for _ in 0..<3 { #expect(world.outcome("wrong-wrong-wrong") == "200 anonymous") }
        #expect(world.limiter.blocks(now: world.clock.now()).isEmpty)
        #expect(world.outcome("wrong-wrong-wrong", surface: .ownAPI) == "401 auth.invalid_token")
        #expect(world.outcome(nil, surface: .ownAPI) == "401 auth.missing_token")
    }

    @Test func trustedProxiesAreNeverCounted() throws {
        let world = TokenWorld(limits: FailureLimitSettings(perAddress: 1))
        var request = world.request("wrong-wrong-wrong")
        request.client.isTrustedProxy = true
        for _ in 0..<3 {
            #expect(
                world.authenticator.authenticate(request, realm: world.realm, now: world.clock.now()).refusal != nil)
            #expect(world.authenticator.addressRefusal(request, realm: world.realm, now: world.clock.now()) == nil)
        }
        #expect(try world.count("tollgate_auth_blocked_total", [("kind", "trusted_proxy")]) == 3)
    }

    @Test func schemeFaultsAreNoFailures() {
        let world = TokenWorld(limits: FailureLimitSettings(perAddress: 1))
        var request = world.request(nil)
        request.headers = HeaderList([("authorization", "Basic dTpw")])
        let result = world.authenticator.authenticate(request, realm: world.realm, now: world.clock.now())
        #expect(result.refusal?.code == .authInvalidScheme)
        #expect(world.limiter.blocks(now: world.clock.now()).isEmpty)
    }

    @Test func theBootstrapTokenGivesWay() async throws {
        let settings = BootstrapSettings(
            token: Redacted(TokenWorld.bootstrapText), scopes: [], autoDisable: true)
        let world = TokenWorld(bootstrap: settings)
        #expect(world.authenticate(TokenWorld.bootstrapText).principal?.admin == false)
        let grant = ServiceTokenGrant(scopes: ["admin:tokens:write"])
        _ = try await world.registry.create(CreateServiceToken(identifier: "m", grant: grant), caller: TokenWorld.root)
        #expect(world.outcome(TokenWorld.bootstrapText) == "401 auth.token_revoked")
        _ = try await world.registry.revoke("m", RevokeServiceToken(reason: "x"), caller: TokenWorld.root)
        #expect(world.outcome(TokenWorld.bootstrapText) == "200 bootstrap")
    }

    @Test func dryRunsLeaveNoTrace() async throws {
        let world = TokenWorld(limits: FailureLimitSettings(perAddress: 1, perIdentity: 1))
        let text = try #require(
            try await world.registry.create(CreateServiceToken(), caller: TokenWorld.root).secret?.revealed)
        for credential in [text, "wrong-wrong-wrong"] {
            var request = world.request(credential)
            request.client.isDryRun = true
            _ = world.authenticator.authenticate(request, realm: world.realm, now: world.clock.now())
        }
        #expect(world.table.drainUses().isEmpty)
        #expect(world.limiter.blocks(now: world.clock.now()).isEmpty)
    }

    @Test func describedCredentialsStandAlone() {
        let world = TokenWorld()
        var request = world.request("wrong-wrong-wrong")
        request.describedCredential = " \(TokenWorld.adminText) "
        let result = world.authenticator.authenticate(request, realm: world.realm, now: world.clock.now())
        #expect(result.principal?.tokenID == "admin")
        #expect(result.credentialHeader == nil)
    }

    /// Prints what one authentication costs; nothing is asserted about time.
    @Test func measuresTheHotPath() {
        let world = TokenWorld()
        let random = SeededRandom(seed: 9)
        var texts: [String] = []
        let records = (0..<100_000).map { index -> ServiceTokenRecord in
            let text = TokenText.generate(prefix: "tgs_", id: "token-number-\(index)", random: random).revealed
            if index % 100 == 0 { texts.append(text) }
            return ServiceTokenRecord(
                identifier: "token-number-\(index)", secretDigest: SecretDigest(of: text), grant: ServiceTokenGrant(),
                issuedAt: Timestamp(microseconds: Int64(index)), createdBy: "test")
        }
        world.table.put(records)
        let requests = texts.map { world.request($0) }
        let now = world.clock.now()
        var good = 0
        let watch = Stopwatch()
        let rounds = 20
        for _ in 0..<rounds {
            for request in requests
            where world.authenticator.authenticate(request, realm: world.realm, now: now).principal != nil { good += 1 }
        }
        let each = watch.nanoseconds / Int64(rounds * requests.count)
        print("authenticate: \(each) ns each with \(world.table.count) service tokens")
        #expect(good == rounds * requests.count)
    }
}
