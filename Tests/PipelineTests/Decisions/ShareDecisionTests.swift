// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Pipeline
internal import RuntimeState
internal import TestSupport
internal import Testing

/// A share opens a workload's resource from its acceptance on, and not for one request after its revocation was answered.
@Suite struct ShareDecisionTests {
    private static let scope = ProjectScope(tenantID: "acme", subject: "olga")

    private let world: PipelineWorld
    private let registry: ProjectRegistry

    init() throws {
        let world = try PipelineWorld()
        let snapshots = world.snapshots
        self.world = world
        registry = ProjectRegistry(
            store: InMemoryProjectStore(), clock: world.clock, random: SeededRandom(seed: 3),
            publish: { snapshots.replace(shares: $0) }, report: { _ in })
    }

    /// What a caller of a project of acme gets at the agent m1 of the project zeus.
    private func outcome(
        _ method: String = "GET", _ target: String = "/agents/m1", project: String = "apollo", tenant: String = "acme",
        owner: String = "zeus"
    ) async throws -> String {
        let token = try world.jwt([
            "roles": ["editor"], "tenant_id": .string(tenant), "project_id": .string(project),
        ])
        var input = PipelineWorld.input(method, "jwt.example.com", target, token: token)
        input.resource = ResourceAttributes(tenant: "acme", project: owner)
        return PipelineWorld.text(await world.pipeline.decide(input))
    }

    private func offered(
        _ permissions: SharePermissions = .read, expiresAt: Timestamp? = nil
    ) async throws -> String {
        for project in ["zeus", "apollo"] {
            _ = try await registry.createProject(id: project, name: project, scope: Self.scope)
        }
        let offer = ShareOffer(
            resourceType: "agent", resourceID: "m1", project: "apollo",
            terms: ShareTerms(permissions: permissions, expiresAt: expiresAt))
        return try await registry.offer(offer, from: "zeus", scope: Self.scope).after.id
    }

    private func accept(_ id: String) async throws {
        _ = try await registry.apply(.accept, to: id, as: "apollo", scope: Self.scope)
    }

    @Test func opensWithTheAcceptanceAndClosesWithTheRevocation() async throws {
        #expect(try await outcome() == "403 policy.project_denied")
        let id = try await offered()
        #expect(try await outcome() == "403 policy.project_denied")
        try await accept(id)
        #expect(try await outcome() == "200 u1")
        _ = try await registry.apply(.revoke(reason: nil), to: id, as: "zeus", scope: Self.scope)
        #expect(try await outcome() == "403 policy.project_denied")
    }

    @Test func opensNothingElse() async throws {
        try await accept(try await offered())
        #expect(try await outcome() == "200 u1")
        #expect(try await outcome(project: "hermes") == "403 policy.project_denied")
        #expect(try await outcome("GET", "/agents/m2") == "403 policy.project_denied")
        #expect(try await outcome("POST", "/agents/m1/hire") == "403 policy.project_denied")
        #expect(try await outcome(owner: "hera") == "403 policy.project_denied")
        #expect(try await outcome(tenant: "other") == "403 policy.tenant_denied")
    }

    @Test func closesWhenMoreIsOfferedAndWhenTheProjectGoes() async throws {
        let id = try await offered()
        try await accept(id)
        let more = ShareEvent.update(ShareTermsChange(permissions: .use))
        _ = try await registry.apply(more, to: id, as: "zeus", scope: Self.scope)
        #expect(try await outcome() == "403 policy.project_denied")
        try await accept(id)
        #expect(try await outcome("POST", "/agents/m1/hire") == "200 u1")
        _ = try await registry.deleteProject("zeus", scope: Self.scope)
        #expect(try await outcome() == "403 policy.project_denied")
    }

    @Test func closesWhenItsTimeIsOver() async throws {
        try await accept(try await offered(expiresAt: world.clock.now().adding(seconds: 60)))
        world.clock.advance(seconds: 59)
        #expect(try await outcome() == "200 u1")
        world.clock.advance(seconds: 1)
        #expect(try await outcome() == "403 policy.project_denied")
    }

    @Test func staysInForceWhenObjectsAreCompiledAnew() async throws {
        let id = try await offered()
        try await accept(id)
        try world.publish(StandardManifests.text)
        #expect(try await outcome() == "200 u1")
        _ = try await registry.apply(.revoke(reason: nil), to: id, as: "apollo", scope: Self.scope)
        try world.publish(StandardManifests.text)
        #expect(try await outcome() == "403 policy.project_denied")
    }

    /// Requests that begin after the answer are refused, however many are under way.
    @Test func noRequestPassesAfterTheAnswer() async throws {
        let id = try await offered()
        for _ in 0..<10 {
            let offer = try await registry.share(id, as: "zeus", scope: Self.scope)
            let live = offer.state == .pending ? id : try await offeredAgain()
            try await accept(live)
            let registry = registry
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<5 { _ = try await self.outcome() }
                    }
                }
                group.addTask {
                    _ = try await registry.apply(.revoke(reason: nil), to: live, as: "zeus", scope: Self.scope)
                    #expect(try await self.outcome() == "403 policy.project_denied")
                }
                try await group.waitForAll()
            }
        }
    }

    private func offeredAgain() async throws -> String {
        let offer = ShareOffer(
            resourceType: "agent", resourceID: "m1", project: "apollo", terms: ShareTerms(permissions: .read))
        return try await registry.offer(offer, from: "zeus", scope: Self.scope).after.id
    }
}
