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
        #expect(decision.steps[4].detail == "needs a verified caller; permission tasks:read")
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
        let world = try PipelineWorld()
        let tokens = try await world.standardTokens()
        for (name, text) in tokens.sorted(by: { $0.key < $1.key }) {
            for target in ["/tasks/t1?access_token=\(text)", "/admin", "/tenants/other/tasks"] {
                let decision = await explain(world, "GET", "api.example.com", target, token: text)
                let shown = decision.steps.map(\.detail).joined(separator: "\n")
                #expect(!shown.contains(text), "\(name)")
                #expect(!shown.contains(text.suffix(20)), "\(name)")
                #expect(!shown.contains(SecretDigest(of: text).hex), "\(name)")
            }
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
