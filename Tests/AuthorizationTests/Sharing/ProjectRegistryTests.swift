// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct ProjectRegistryTests {
    private func refusal(_ body: () async throws -> Void) async -> Refusal? {
        do {
            try await body()
            return nil
        } catch {
            return error as? Refusal
        }
    }

    @Test func opensWithTheAcceptanceAndClosesWithTheRevocation() async throws {
        let world = try await ShareWorld.with("zeus", "apollo")
        let share = try await world.offer()
        #expect(share.state == .pending && share.createdBy == "olga" && share.revision == 1)
        #expect(world.inForce().isEmpty)
        _ = try await world.accept(share.id)
        #expect(world.inForce() == [AcceptedShare(ownerProject: "zeus", permissions: .read)])
        _ = try await world.revoke(share.id)
        #expect(world.inForce().isEmpty && world.table.isEmpty)
    }

    @Test func theSameOfferIsTheSameRecord() async throws {
        let world = try await ShareWorld.with("zeus", "apollo")
        let first = try await world.offer()
        let again = try await world.offer()
        #expect(again == first)
        let accepted = try await world.accept(first.id)
        #expect(try await world.offer() == accepted)
        let more = try await world.offer("m1", .use)
        #expect(more.id == first.id && more.state == .pending && more.acceptedBy == nil)
        #expect(world.inForce().isEmpty)
    }

    @Test func whatWasEndedIsOfferedAnew() async throws {
        let world = try await ShareWorld.with("zeus", "apollo")
        let declined = try await world.offer()
        _ = try await world.registry.apply(.decline, to: declined.id, as: "apollo", scope: ShareWorld.acme)
        let second = try await world.offer()
        #expect(second.id != declined.id && second.state == .pending)
        _ = try await world.revoke(second.id)
        let third = try await world.offer()
        #expect(third.id != second.id)
        _ = try await world.accept(third.id)
        #expect(world.inForce().count == 1)
        let back = try await world.registry.share(second.id, as: "zeus", scope: ShareWorld.acme)
        #expect(back.state == .revoked)
    }

    @Test func refusesOffersThatCannotBe() async throws {
        let world = try await ShareWorld.with("zeus", "apollo")
        try await world.project("far", scope: ShareWorld.other)
        let own = await refusal { _ = try await world.offer(to: "zeus") }
        #expect(own?.code == .policyShareInvalid)
        #expect(own?.message == "project: the offering project itself")
        #expect(
            own?.details?["fields"] == [["field": "project", "reason": "the offering project itself"]])
        let foreign = await refusal { _ = try await world.offer(to: "far") }
        #expect(foreign?.code == .policyTenantDenied)
        #expect(foreign?.message == "Project 'far' is not of your tenant")
        let unknown = await refusal { _ = try await world.offer(to: "nobody") }
        #expect(unknown?.code == .policyProjectNotFound)
        #expect(unknown?.message == "Project 'nobody' not found")
        let fromNowhere = await refusal { _ = try await world.offer(from: "nobody") }
        #expect(fromNowhere?.code == .policyProjectNotFound)
        let fromFar = await refusal { _ = try await world.offer(from: "far") }
        #expect(fromFar?.code == .policyProjectNotFound)
        #expect(fromFar?.message == "Project 'far' not found")
        let over = await refusal { _ = try await world.offer(expiresAt: world.clock.now()) }
        #expect(over?.code == .policyShareInvalid)
        #expect(over?.message == "expires_at: not in the future")
    }

    @Test func tenantsDoNotSeeEachOther() async throws {
        let world = try await ShareWorld.with("zeus", "apollo")
        try await world.project("zeus", scope: ShareWorld.other)
        try await world.project("apollo", scope: ShareWorld.other)
        let share = try await world.offer()
        let theirs = ShareWorld.other
        let shown = await refusal { _ = try await world.registry.share(share.id, as: "zeus", scope: theirs) }
        #expect(shown?.code == .policyShareNotFound)
        #expect(shown?.message == "Share '\(share.id)' not found")
        for event in [ShareEvent.accept, .decline, .revoke(reason: nil)] {
            let refused = await refusal {
                _ = try await world.registry.apply(event, to: share.id, as: "apollo", scope: theirs)
            }
            #expect(refused?.code == .policyShareNotFound)
        }
        let listed = try await world.registry.shares(
            .received, of: "apollo", states: nil, page: PageRequest(), scope: theirs)
        #expect(listed.items.isEmpty && listed.total == 0)
        let own = try await world.offer(scope: theirs)
        #expect(own.id != share.id)
        _ = try await world.accept(share.id)
        #expect(
            world.table.shares(.init(tenant: "other", type: "agent", id: "m1", project: "apollo")).isEmpty)
        _ = try await world.registry.deleteProject("zeus", scope: theirs)
        #expect(world.inForce().count == 1)
    }

    @Test func makesAndNamesProjects() async throws {
        let world = ShareWorld()
        let made = try await world.registry.createProject(id: nil, name: "One", scope: ShareWorld.acme)
        let project = try #require(made.after)
        #expect(Project.isIdentifier(project.id) && project.tenantID == "acme" && project.createdBy == "olga")
        let taken = await refusal {
            _ = try await world.registry.createProject(id: project.id, name: "Two", scope: ShareWorld.acme)
        }
        #expect(taken?.code == .policyProjectExists)
        #expect(taken?.message == "Project '\(project.id)' already exists")
        let renamed = try await world.registry.renameProject(project.id, name: "New", scope: ShareWorld.acme)
        #expect(renamed.before?.name == "One" && renamed.after?.name == "New")
        #expect(try await world.registry.project(project.id, scope: ShareWorld.acme).name == "New")
        for scope in [ShareWorld.other, ProjectScope(tenantID: nil, subject: "root")] {
            let hidden = await refusal { _ = try await world.registry.project(project.id, scope: scope) }
            #expect(hidden?.code == .policyProjectNotFound)
            #expect(hidden?.message == "Project '\(project.id)' not found")
        }
        _ = try await world.registry.deleteProject(project.id, scope: ShareWorld.acme)
        let again = await refusal { _ = try await world.registry.deleteProject(project.id, scope: ShareWorld.acme) }
        #expect(again?.code == .policyProjectNotFound)
    }

    @Test func deletingAProjectRevokesWhatItGaveAndGot() async throws {
        let world = try await ShareWorld.with("zeus", "apollo", "hermes")
        let given = try await world.offer()
        let got = try await world.offer(from: "hermes", to: "zeus")
        let pending = try await world.offer("m2")
        let between = try await world.offer("m3", from: "hermes", to: "apollo")
        _ = try await world.accept(given.id)
        _ = try await world.accept(got.id, as: "zeus")
        _ = try await world.accept(between.id)
        let outcome = try await world.registry.deleteProject("zeus", scope: ShareWorld.acme)
        #expect(Set(outcome.revoked.map(\.after.id)) == [given.id, got.id, pending.id])
        #expect(outcome.revoked.allSatisfy { $0.after.state == .revoked && $0.after.reason == "project deleted" })
        #expect(world.inForce().isEmpty && world.inForce(for: "zeus").isEmpty)
        #expect(world.inForce("m3").count == 1)
        try await world.project("zeus")
        let back = try await world.registry.shares(
            .given, of: "zeus", states: [.pending, .accepted], page: PageRequest(), scope: ShareWorld.acme)
        #expect(back.items.isEmpty)
    }

    @Test func saysWhoMayUseAResource() async throws {
        let world = try await ShareWorld.with("zeus", "apollo", "hermes")
        func users() async throws -> [String] {
            try await world.registry.users(ofResource: "agent", "m1", scope: ShareWorld.acme).map {
                "\($0.project) \($0.permissions.names.joined(separator: "+")) \($0.source.rawValue)"
            }
        }
        #expect(try await users().isEmpty)
        let first = try await world.offer("m1", .use)
        #expect(try await users() == ["zeus manage+read+use owner"])
        _ = try await world.accept(first.id)
        let second = try await world.offer(to: "hermes", expiresAt: world.clock.now().adding(seconds: 10))
        _ = try await world.accept(second.id, as: "hermes")
        #expect(
            try await users() == ["zeus manage+read+use owner", "apollo use share", "hermes read share"])
        world.clock.advance(seconds: 10)
        #expect(try await users() == ["zeus manage+read+use owner", "apollo use share"])
        _ = try await world.revoke(first.id)
        #expect(try await users().isEmpty)
    }

    @Test func boundsHowManyThereAre() async throws {
        let world = ShareWorld(limits: .init(projectsOfTenant: 3, sharesOfSide: 2))
        for project in ["zeus", "apollo", "hermes"] { try await world.project(project) }
        let tooMany = await refusal { try await world.project("fourth") }
        #expect(tooMany?.code == .requestInvalid)
        #expect(
            tooMany?.message == "The tenant has 3 projects, which is the most there may be: delete some")
        _ = try await world.offer("m1")
        let second = try await world.offer("m2")
        let given = await refusal { _ = try await world.offer("m3", to: "hermes") }
        #expect(given?.code == .policyShareInvalid)
        #expect(
            given?.message == "Project 'zeus' has 2 shares, which is the most there may be: revoke some")
        let got = await refusal { _ = try await world.offer("m4", from: "hermes") }
        #expect(got?.message == "Project 'apollo' has 2 shares, which is the most there may be: revoke some")
        #expect(try await world.offer("m2") == second)
        _ = try await world.revoke(second.id)
        for _ in 0..<4 {
            world.clock.advance(seconds: 1)
            _ = try await world.revoke(try await world.offer("m3").id)
        }
        let ended = try await world.registry.shares(
            .given, of: "zeus", states: [.revoked], page: PageRequest(), scope: ShareWorld.acme)
        #expect(ended.total <= 3)
    }

    @Test func nothingIsInForceThatIsNotStored() async throws {
        let world = try await ShareWorld.with("zeus", "apollo")
        let share = try await world.offer()
        let before = world.publications
        world.store.failWrites(.unavailable)
        let refused = await refusal { _ = try await world.accept(share.id) }
        #expect(refused?.code == .authStoreUnavailable)
        #expect(refused?.message == "Project store unavailable")
        #expect(refused?.retryAfterSeconds == 1)
        #expect(world.publications == before && world.inForce().isEmpty && world.faults == ["unavailable"])
        _ = try await world.accept(share.id)
        world.store.failWrites(.unavailable)
        _ = await refusal { _ = try await world.revoke(share.id) }
        #expect(world.inForce().count == 1)
    }

    @Test func computesAnewWhatAnotherProcessChanged() async throws {
        let world = try await ShareWorld.with("zeus", "apollo")
        let share = try await world.offer()
        world.store.failWrites(.conflict, .notFound)
        #expect(try await world.accept(share.id).state == .accepted)
        world.store.failWrites(
            .conflict, .conflict, .conflict, .conflict, .conflict, .conflict, .conflict, .conflict)
        let refused = await refusal { _ = try await world.revoke(share.id) }
        #expect(refused?.code == .authStoreUnavailable)
        #expect(world.inForce().count == 1)
    }

    @Test func aShareThatRanOutLeavesTheTable() async throws {
        let world = try await ShareWorld.with("zeus", "apollo", "hermes")
        let share = try await world.offer(expiresAt: world.clock.now().adding(seconds: 10))
        _ = try await world.accept(share.id)
        #expect(world.inForce().first?.expiresAt == share.terms.expiresAt)
        world.clock.advance(seconds: 10)
        let longer = ShareTermsChange(expiresAt: .some(world.clock.now().adding(seconds: 5)))
        let updated = try await world.registry.apply(.update(longer), to: share.id, as: "zeus", scope: ShareWorld.acme)
        #expect(updated.after.state == .accepted && world.inForce().count == 1)
        world.clock.advance(seconds: 5)
        _ = try await world.registry.apply(
            .update(ShareTermsChange(permissions: .read)), to: share.id, as: "zeus", scope: ShareWorld.acme)
        let narrowed = try await world.registry.apply(
            .revoke(reason: nil), to: share.id, as: "apollo", scope: ShareWorld.acme)
        #expect(narrowed.after.state == .revoked && world.inForce().isEmpty)
    }

    @Test func oneOfManyAnswersWins() async throws {
        for round in 0..<20 {
            let world = try await ShareWorld.with("zeus", "apollo")
            let share = try await world.offer()
            let events: [ShareEvent] = [.accept, .accept, .decline, .revoke(reason: "a"), .revoke(reason: "b")]
            let good = await withTaskGroup(of: ShareEvent?.self) { group in
                for event in events.shuffled() {
                    group.addTask {
                        let side = event == .accept || event == .decline ? "apollo" : "zeus"
                        let answer = await self.refusal {
                            _ = try await world.registry.apply(event, to: share.id, as: side, scope: ShareWorld.acme)
                        }
                        return answer == nil ? event : nil
                    }
                }
                return await group.reduce(into: [ShareEvent]()) { if let event = $1 { $0.append(event) } }
            }
            let end = try await world.registry.share(share.id, as: "zeus", scope: ShareWorld.acme)
            #expect(good.filter { $0 == .accept || $0 == .decline }.count <= 1, "round \(round)")
            #expect(end.state == (good.contains(.decline) ? .declined : .revoked), "round \(round)")
            #expect(world.inForce().isEmpty, "round \(round)")
        }
    }

    @Test func manyOffersAtOnceAreOneRecord() async throws {
        let world = try await ShareWorld.with("zeus", "apollo")
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { try await world.offer().id } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
    }
}
