// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

extension StoreContract {
    /// What stores do with changes of projects and shares.
    package static let projectChanges: [Behaviour] = [
        Behaviour("projects: give back what they took") { try await $0.projectsGiveBack() },
        Behaviour("projects: an identifier is unique in its tenant") { try await $0.projectsAreUniqueInTheirTenant() },
        Behaviour("projects: are renamed and removed") { try await $0.projectsAreRenamedAndRemoved() },
        Behaviour("projects: one offer is live at a time") { try await $0.oneOfferIsLiveAtATime() },
        Behaviour("projects: change only what was read") { try await $0.sharesChangeOnlyWhatWasRead() },
        Behaviour("projects: change all or nothing") { try await $0.projectsChangeAllOrNothing() },
        Behaviour("projects: one of many makes the offer") { try await $0.oneOfManyMakesTheOffer() },
    ]

    func fill(tenant: String? = "acme") async throws {
        try await projects.write(
            ["zeus", "apollo", "hermes"].map { .insertProject(StoreRecords.project($0, tenant: tenant)) })
    }

    private func projectsGiveBack() async throws {
        for tenant in ["acme", nil] {
            try await fill(tenant: tenant)
            try hold(try await projects.project("zeus", tenant: tenant) == StoreRecords.project("zeus", tenant: tenant))
            let end = StoreRecords.start.adding(seconds: 5)
            let full = ProjectResourceAccess(
                id: "full-\(tenant ?? "none")",
                parties: ShareParties(
                    tenantID: tenant, resourceType: "agent", resourceID: "caf\u{E9} \"1\"", ownerProject: "zeus",
                    project: "apollo"),
                terms: ShareTerms(permissions: .use, expiresAt: end), state: .revoked, createdBy: "a",
                createdAt: StoreRecords.start, acceptedBy: "b", acceptedAt: end, revokedBy: "c", revokedAt: end,
                reason: "why", revision: 7)
            try await projects.write([.insertShare(full)])
            try hold(try await projects.share(full.id, tenant: tenant) == full)
            try hold(try await projects.share(full.id, tenant: "other") == nil)
        }
        try hold(try await projects.project("zeus", tenant: "other") == nil)
        try hold(try await projects.share("none", tenant: "acme") == nil)
    }

    private func projectsAreUniqueInTheirTenant() async throws {
        try await projects.write([.insertProject(StoreRecords.project("zeus"))])
        try hold(
            await projectFault { try await projects.write([.insertProject(StoreRecords.project("zeus"))]) } == .exists)
        try await projects.write([.insertProject(StoreRecords.project("zeus", tenant: "other"))])
        try hold(try await projects.isProject("zeus", outside: "acme"))
        try hold(try await projects.isProject("zeus", outside: nil))
        try hold(try await !projects.isProject("apollo", outside: "acme"))
        try await projects.write([.deleteProject(id: "zeus", tenant: "other")])
        try hold(try await !projects.isProject("zeus", outside: "acme"))
        try hold(try await projects.project("zeus", tenant: "acme") != nil)
    }

    private func projectsAreRenamedAndRemoved() async throws {
        try await fill()
        var project = StoreRecords.project("zeus")
        project.name = "New"
        try await projects.write([.renameProject(project)])
        try hold(try await projects.project("zeus", tenant: "acme") == project)
        try hold(
            await projectFault { try await projects.write([.renameProject(StoreRecords.project("nobody"))]) }
                == .notFound)
        try hold(
            await projectFault { try await projects.write([.deleteProject(id: "zeus", tenant: nil)]) } == .notFound)
        try await projects.write([.insertShare(StoreRecords.share("s"))])
        for side in ["zeus", "apollo"] {
            try hold(
                await projectFault { try await projects.write([.deleteProject(id: side, tenant: "acme")]) } == .conflict
            )
        }
        try await projects.write([
            .updateShare(StoreRecords.share("s", state: .revoked, revision: 2)),
            .deleteProject(id: "zeus", tenant: "acme"),
        ])
        try hold(try await projects.project("zeus", tenant: "acme") == nil)
        try hold(try await projects.share("s", tenant: "acme")?.state == .revoked)
    }

    private func oneOfferIsLiveAtATime() async throws {
        try await fill()
        try await fill(tenant: "other")
        try await projects.write([.insertShare(StoreRecords.share("a"))])
        try hold(await projectFault { try await projects.write([.insertShare(StoreRecords.share("b"))]) } == .conflict)
        try hold(
            await projectFault { try await projects.write([.insertShare(StoreRecords.share("a", "m2"))]) } == .conflict)
        try await projects.write([
            .insertShare(StoreRecords.share("c", "m2")), .insertShare(StoreRecords.share("d", to: "hermes")),
            .insertShare(StoreRecords.share("e", from: "apollo", to: "zeus")),
            .insertShare(StoreRecords.share("f", tenant: "other")),
        ])
        try hold(try await projects.liveShare(StoreRecords.share("a").parties)?.id == "a")
        try await projects.write([.updateShare(StoreRecords.share("a", state: .declined, revision: 2))])
        try hold(try await projects.liveShare(StoreRecords.share("a").parties) == nil)
        try await projects.write([.insertShare(StoreRecords.share("b"))])
        try hold(
            await projectFault {
                try await projects.write([.insertShare(StoreRecords.share("g", from: "nobody"))])
            } == .notFound)
        try hold(
            await projectFault { try await projects.write([.insertShare(StoreRecords.share("g", to: "nobody"))]) }
                == .notFound)
    }

    private func sharesChangeOnlyWhatWasRead() async throws {
        try await fill()
        try await projects.write([.insertShare(StoreRecords.share("a"))])
        try await projects.write([.updateShare(StoreRecords.share("a", state: .accepted, revision: 2))])
        let stale = await projectFault {
            try await projects.write([.updateShare(StoreRecords.share("a", state: .declined, revision: 2))])
        }
        try hold(stale == .conflict)
        try hold(
            await projectFault { try await projects.write([.updateShare(StoreRecords.share("b", revision: 2))]) }
                == .notFound)
        try hold(try await projects.share("a", tenant: "acme")?.state == .accepted)
        try hold(try await projects.acceptedShares().map(\.id) == ["a"])
        try hold(try await projects.shares(ids: ["a", "b"]).map(\.revision) == [2])
        try hold(try await projects.shares(ids: []).isEmpty)
    }

    private func projectsChangeAllOrNothing() async throws {
        try await fill()
        try await projects.write([.insertShare(StoreRecords.share("a"))])
        let fault = await projectFault {
            try await projects.write([
                .insertProject(StoreRecords.project("new")),
                .updateShare(StoreRecords.share("a", state: .revoked, revision: 2)),
                .deleteProject(id: "nobody", tenant: "acme"),
            ])
        }
        try hold(fault == .notFound)
        try hold(try await projects.project("new", tenant: "acme") == nil)
        try hold(try await projects.share("a", tenant: "acme")?.state == .pending)
    }

    private func oneOfManyMakesTheOffer() async throws {
        try await fill()
        let good = await countAtOnce(100) { index in
            await projectFault { try await projects.write([.insertShare(StoreRecords.share("s\(index)"))]) } == nil
        }
        try hold(good == 1)
    }
}
