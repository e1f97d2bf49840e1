// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Authorization
internal import Essentials
internal import Pipeline
internal import TestSupport
internal import Testing

@Suite struct ExplainTests {
    private func explain(
        _ world: PipelineWorld, _ method: String = "GET", _ host: String = "api.example.com",
        _ target: String = "/tasks/t1", token: String? = nil, dryRun: Bool = true
    ) async -> Decision {
        var input = PipelineWorld.input(method, host, target, token: token, door: .json)
        input.explain = true
        input.dryRun = dryRun
        return await world.pipeline.decide(input)
    }

    private static func shape(_ decision: Decision) -> [String] {
        decision.steps.map { "\($0.name) \($0.outcome.rawValue)\($0.code.map { " \($0.rawValue)" } ?? "")" }
    }

    @Test func everyStepIsThereInOrderWhateverHappens() async throws {
        let world = try PipelineWorld()
        let tokens = try await world.standardTokens()
        for row in RefusalTests.rows {
            var input = PipelineWorld.input(
                row.method, row.host, row.target, token: row.token.map { tokens[$0] ?? "no-such-token" })
            input.explain = true
            input.dryRun = true
            let decision = await world.pipeline.decide(input)
            #expect(PipelineWorld.text(decision) == row.expected, "the explanation changes nothing")
            #expect(decision.steps.map(\.name) == DecisionStep.allCases.map(\.rawValue), "\(row)")
            let first = decision.steps.first { $0.outcome == .deny || $0.outcome == .unavailable }
            #expect(first?.code == decision.refusal?.code, "\(row)")
            for step in decision.steps {
                let isRefused = step.outcome == .deny || step.outcome == .unavailable
                #expect((step.remedy != nil) == isRefused, "\(row): \(step)")
                #expect(!step.detail.isEmpty, "\(row): \(step)")
            }
        }
    }

    @Test func withoutExplainThereAreNoSteps() async throws {
        let world = try PipelineWorld()
        #expect(await world.pipeline.decide(PipelineWorld.input()).steps.isEmpty)
    }

    @Test func anAllowedRequestPassesEveryStep() async throws {
        let world = try PipelineWorld()
        let decision = await explain(world, token: PipelineWorld.adminText, dryRun: false)
        #expect(
            Self.shape(decision) == [
                "normalise pass", "select pass", "failure_limit pass", "authenticate pass", "authorise pass",
                "request_limit skip", "entitlement skip", "meter skip", "audit pass",
            ])
        #expect(decision.steps[3].detail.contains("verified"))
        #expect(decision.steps[4].detail.contains("permission tasks:read"))
        #expect(decision.steps[4].detail.contains("admin"))
    }

    @Test func checksOfTheCallerDoNotRepeatThatThereIsNone() async throws {
        let world = try PipelineWorld()
        let decision = await explain(world)
        #expect(
            Self.shape(decision) == [
                "normalise pass", "select pass", "failure_limit pass", "authenticate deny auth.missing_token",
                "authorise skip", "request_limit skip", "entitlement skip", "meter skip", "audit pass",
            ])
        #expect(
            decision.steps[4].detail
                == "needs a verified caller\npermission tasks:read\nthe least roles that grant it: a2a-agent, viewer")
        #expect(decision.policy?.permission == "tasks:read")
    }

    @Test func itGoesOnAfterTheFirstRefusal() async throws {
        let world = try PipelineWorld(limits: FailureLimitSettings(perAddress: 1))
        let reader = try await world.token("reader", ServiceTokenGrant(scopes: ["tasks:read"]))
        _ = await world.outcome(token: "bad-token-0")
        let decision = await explain(world, "DELETE", token: reader)
        #expect(PipelineWorld.text(decision) == "429 auth.rate_limited.ip")
        #expect(
            Array(Self.shape(decision)[2...4]) == [
                "failure_limit deny auth.rate_limited.ip", "authenticate pass",
                "authorise deny policy.scope_denied",
            ])
        #expect(decision.principal.subject == "reader")
    }

    @Test func detailsHoldNoSecret() async throws {
        let bootstrap = "bootstrap-secret-of-the-test-runs-01"
        let world = try PipelineWorld(bootstrap: BootstrapSettings(token: Redacted(bootstrap)))
        var tokens = try await world.standardTokens()
        tokens["bootstrap"] = bootstrap
        tokens["jwt"] = try world.jwt(["tenant_id": "acme"])
        tokens["expired jwt"] = try world.jwt(["exp": 1])
        tokens["forged jwt"] = try world.jwt([:]) + "AAAA"
        tokens["api key"] = try #require(
            try await world.keys.create(CreateAPIKey(name: "a"), caller: Self.keyOwner).key?.revealed)
        tokens["unknown token"] = TokenText.generate(prefix: "tgs_", id: "nobody", random: world.random).revealed
        tokens["key"] = TokenText.generate(prefix: "tgk_live_", id: "nobody", random: world.random).revealed
        tokens["malformed"] = "tgs_reader_0123456789012345678901234567890123456789"
        tokens["unknown text"] = "some-secret-text-of-no-known-shape-00001"
        let hosts = ["api.example.com", "jwt.example.com", "maybe.example.com", "open.example.com"]
        for (name, text) in tokens.sorted(by: { $0.key < $1.key }) {
            for host in hosts {
                for target in ["/tasks/t1?access_token=\(text)", "/admin", "/tenants/other/tasks"] {
                    let decision = await explain(world, "GET", host, target, token: text)
                    let shown = ([decision.refusal?.message] + decision.steps.flatMap { [$0.detail, $0.remedy] })
                        .compactMap { $0 }.joined(separator: "\n")
                    for secret in Self.secretParts(of: text) { #expect(!shown.contains(secret), "\(name): \(shown)") }
                    #expect(!shown.contains(StandardManifests.secret))
                }
            }
        }
    }

    /// What of a credential must never be shown: its text, its end, the parts of a signed token, its digest.
    private static func secretParts(of text: String) -> [String] {
        [text, String(text.suffix(20)), SecretDigest(of: text).hex]
            + text.split(separator: ".").map(String.init).filter { $0.count > 12 }
    }

    private static let keyOwner = TokenCaller(
        principal: Principal(
            subject: "u1", identityType: .user, authSource: .jwt, tenantID: "acme", roles: ["editor"],
            issuer: "https://id.example"), admin: false
    ) { _ in true }

    @Test func anAPIKeyIsExplainedWithItsAccount() async throws {
        let world = try PipelineWorld()
        let made = try await world.keys.create(
            CreateAPIKey(name: "a", scopes: ["tasks:read"]), caller: Self.keyOwner)
        let text = try #require(made.key?.revealed)
        let id = made.record.id
        let good = await explain(world, token: text)
        #expect(
            good.steps[3].detail.split(separator: "\n").map(String.init) == [
                "mode required, a credential is needed", "API key in Authorization", "id \(id), family \(id)",
                "tenant acme", "account acme", "verified: u1, api_key, tenant acme",
            ])
        #expect(good.steps[4].detail.contains("scope: [tasks:read] covers tasks:read"))
        let denied = await explain(world, "DELETE", token: text)
        #expect(denied.steps[4].remedy?.contains("`tollgate key update \(id)`") == true)
        _ = try await world.keys.revoke(id, RevokeAPIKey(reason: "x"), caller: Self.keyOwner)
        let revoked = await explain(world, token: text)
        #expect(revoked.refusal?.code == .authTokenRevoked)
        #expect(revoked.steps[3].remedy?.hasPrefix("Use another API key: `tollgate key create`") == true)
    }

    @Test func aTenantIsNotToldAboutOthers() async throws {
        let shop = """
            apiVersion: tollgate.dev/v1alpha1
            kind: AuthConfig
            metadata: {name: shop, namespace: acme}
            spec: {hosts: [shop.acme.example], mode: required, require: {scopes: ["vip:read"]}}
            """
        let world = try PipelineWorld(manifests: StandardManifests.text + "\n---\n" + shop)
        let own = try await world.token("own", ServiceTokenGrant(scopes: ["tasks:read"], tenantID: "globex"))
        let others = try await world.token(
            "others-token", ServiceTokenGrant(scopes: ["special:scope"], tenantID: "acme"))
        func ask(_ host: String, _ token: String, dryRun: Bool = true) async -> Decision {
            var input = PipelineWorld.input("GET", host, "/tasks/t1", token: token, door: .json)
            input.explain = true
            input.dryRun = dryRun
            input.audience = ExplainAudience(tenant: "globex", isPlatform: false)
            return await world.pipeline.decide(input)
        }
        func said(_ decision: Decision) -> String {
            decision.steps.flatMap { [$0.detail, $0.remedy ?? ""] }.joined(separator: "\n")
        }
        let mine = await ask("api.example.com", own)
        #expect(mine.principal.subject == "own" && !mine.isBlanked)
        #expect(said(mine).contains("id own, family own") && said(mine).contains("default/api"))
        #expect(!said(mine).contains("failures of"))

        let caller = await ask("api.example.com", others)
        #expect(caller.refusal?.code == .policyScopeDenied && caller.refusal?.details == nil)
        #expect(caller.principal.isAnonymous && caller.isBlanked && caller.blanks.caller && !caller.blanks.host)
        #expect(said(caller).contains("belongs to another tenant"))
        for text in ["others-token", "acme", "special:scope"] { #expect(!said(caller).contains(text), "\(text)") }

        let host = await ask("shop.acme.example", own)
        #expect(host.isBlanked && host.blanks.host && host.authConfig == nil && host.policy == nil)
        for text in ["acme/shop", "vip:read", "mode required"] { #expect(!said(host).contains(text), "\(text)") }

        // A gateway gets its answer; only what is said about it is left out.
        let live = await ask("api.example.com", others, dryRun: false)
        #expect(live.principal.subject == "others-token" && !live.isBlanked && live.blanks.caller)
        #expect(!said(live).contains("others-token"))
        let entries = world.audit.entries
        #expect(entries.queued.contains { $0.actor == "others-token" }, "the trail names it all the same")
    }

    @Test func aDryRunShowsWhatTheStagesWouldSay() async throws {
        let log = StageLog()
        let limit = Refusal(.rateLimited, retryAfterSeconds: 7)
        var stage = FakeStage(step: .requestLimit, log: log)
        stage.previewed = .admitted(detail: "minute: 3 of 30", giveBack: nil)
        let reader = ServiceTokenGrant(scopes: ["tasks:read"])
        let world = try PipelineWorld(stages: [stage])
        let token = try await world.token("reader", reader)
        let good = await explain(world, token: token)
        #expect(good.refusal == nil)
        #expect(good.steps[5].outcome == .pass && good.steps[5].detail == "minute: 3 of 30")
        let denied = await explain(world, "DELETE", token: token)
        #expect(denied.refusal?.code == .policyScopeDenied)
        #expect(denied.steps[5].outcome == .pass, "it goes on after the first refusal")
        let unknown = await explain(world)
        #expect(unknown.steps[5].outcome == .skip, "nobody's windows cannot be looked at")
        let open = await explain(world, "GET", "api.example.com", "/public/x", token: token)
        #expect(open.steps[5].detail == "left out: the route is public")
        #expect(log.all == ["looked at request_limit", "looked at request_limit"])

        stage.previewed = .refused(limit, detail: "minute: 30 of 30")
        let full = try PipelineWorld(stages: [stage])
        let limited = await explain(full, token: try await full.token("reader", reader))
        #expect(limited.refusal?.code == .rateLimited)
        #expect(
            limited.steps[5].remedy == "Wait for the time in Retry-After, call less often, or have the limit raised.")
        let withoutExplain = await full.outcome(token: try await full.token("other", reader))
        #expect(withoutExplain == "200 other", "a preview takes part in explanations only")
    }

    @Test func aPathThatIsNotCanonicalIsNotTheEnd() async throws {
        let world = try PipelineWorld()
        let decision = await explain(world, "GET", "api.example.com", "/a//b", token: PipelineWorld.adminText)
        #expect(
            Self.shape(decision).prefix(5) == [
                "normalise deny policy.path_invalid", "select pass", "failure_limit pass", "authenticate pass",
                "authorise skip",
            ])
        #expect(decision.authConfig == "default/api")
        #expect(decision.steps[1].detail.hasSuffix("\nthere is no path to look for a route with"))
        #expect(decision.steps[4].detail == "needs a canonical path")
    }

    @Test func aMissingRouteNamesWhatToAddAndWhatIsThere() async throws {
        let world = try PipelineWorld()
        let decision = await explain(
            world, "PUT", "api.example.com", "/tasks/t1?x=1", token: PipelineWorld.adminText)
        #expect(decision.steps[1].detail.hasSuffix("no route matches\nrules cover this path for: GET, DELETE"))
        #expect(
            decision.steps[4].remedy == "Add a rule for PUT /tasks/t1 to spec.policy.routes of AuthConfig default/api.")
        let unknown = await explain(world, "OPTIONS")
        #expect(unknown.steps[4].detail.contains("refused for a verified caller too"))
    }

    @Test func itIsSaidThatNothingIsMetered() async throws {
        let world = try PipelineWorld()
        let decision = await explain(world, token: PipelineWorld.adminText)
        for step in decision.steps where step.name == "entitlement" || step.name == "meter" {
            #expect(step.detail == "nothing is metered here: nothing is asked for, nothing is counted")
        }
    }

    @Test func aDryRunCountsNothingAndIsRecordedAsOne() async throws {
        let world = try PipelineWorld(limits: FailureLimitSettings(perAddress: 1, perIdentity: 1))
        let reader = try await world.token("reader", ServiceTokenGrant(scopes: ["tasks:read"]))
        for _ in 0..<3 { #expect(PipelineWorld.text(await explain(world, token: "bad-token-0")).hasPrefix("401")) }
        #expect(PipelineWorld.text(await explain(world, token: reader)) == "200 reader")
        #expect(world.limiter.blocks(now: world.clock.now()).isEmpty)
        #expect(world.registry.table.drainUses().isEmpty)
        let entries = world.audit.entries
        #expect(entries.allowed.isEmpty)
        #expect(entries.queued.map(\.action) == Array(repeating: "decision.explain", count: 4))
        #expect(entries.queued.map(\.outcome) == [.denied, .denied, .denied, .success])
        // A block that is there is seen.
        _ = await world.outcome(token: "bad-token-0")
        #expect(PipelineWorld.text(await explain(world, token: reader)) == "429 auth.rate_limited.ip")
    }
}
