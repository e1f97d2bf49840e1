// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

/// What every store of projects and shares must do.
@Suite struct ProjectStoreTests {
    enum Kind: String, CaseIterable, Sendable { case sqlite, inMemory }

    static let start = Timestamp(microseconds: 1_772_366_400_123_456)

    private static func with(_ kind: Kind, _ body: (any ProjectStore) async throws -> Void) async throws {
        switch kind {
        case .inMemory: try await body(InMemoryProjectStore())
        case .sqlite:
            let directory = try TemporaryDirectory()
            let store = try SQLiteStore(path: directory.path("store.sqlite"), clock: ManualClock())
            try await body(store)
            try store.close()
        }
    }

    static func project(_ id: String, tenant: String? = "acme", after seconds: Int64 = 0) -> Project {
        Project(
            id: id, name: "ä \"\(id)\"", tenantID: tenant, createdBy: "olga",
            createdAt: start.adding(seconds: seconds))
    }

    static func share(
        _ id: String, _ resource: String = "m1", from owner: String = "zeus", to project: String = "apollo",
        tenant: String? = "acme", state: ProjectResourceAccess.State = .pending, after seconds: Int64 = 0,
        revision: Int64 = 1
    ) -> ProjectResourceAccess {
        ProjectResourceAccess(
            id: id,
            parties: ShareParties(
                tenantID: tenant, resourceType: "agent", resourceID: resource, ownerProject: owner, project: project),
            terms: ShareTerms(permissions: [.read, .manage]), state: state, createdBy: "olga",
            createdAt: start.adding(seconds: seconds), revision: revision)
    }

    private static func code(_ body: () async throws -> Void) async -> ProjectStoreError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? ProjectStoreError)?.code
        }
    }

    private static func fill(_ store: any ProjectStore, tenant: String? = "acme") async throws {
        try await store.write(
            ["zeus", "apollo", "hermes"].map { .insertProject(Self.project($0, tenant: tenant)) })
    }

    @Test(arguments: Kind.allCases) func givesBackWhatItTook(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            for tenant in ["acme", nil] {
                try await Self.fill(store, tenant: tenant)
                #expect(try await store.project("zeus", tenant: tenant) == Self.project("zeus", tenant: tenant))
                let end = Self.start.adding(seconds: 5)
                let full = ProjectResourceAccess(
                    id: "full-\(tenant ?? "none")",
                    parties: ShareParties(
                        tenantID: tenant, resourceType: "agent", resourceID: "caf\u{E9} \"1\"", ownerProject: "zeus",
                        project: "apollo"),
                    terms: ShareTerms(permissions: .use, expiresAt: end), state: .revoked, createdBy: "a",
                    createdAt: Self.start, acceptedBy: "b", acceptedAt: end, revokedBy: "c", revokedAt: end,
                    reason: "why", revision: 7)
                try await store.write([.insertShare(full)])
                #expect(try await store.share(full.id, tenant: tenant) == full)
                #expect(try await store.share(full.id, tenant: "other") == nil)
            }
            #expect(try await store.project("zeus", tenant: "other") == nil)
            #expect(try await store.share("none", tenant: "acme") == nil)
        }
    }

    @Test(arguments: Kind.allCases) func anIdentifierIsUniqueInItsTenant(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await store.write([.insertProject(Self.project("zeus"))])
            #expect(await Self.code { try await store.write([.insertProject(Self.project("zeus"))]) } == .exists)
            try await store.write([.insertProject(Self.project("zeus", tenant: "other"))])
            #expect(try await store.isProject("zeus", outside: "acme"))
            #expect(try await store.isProject("zeus", outside: nil))
            #expect(try await !store.isProject("apollo", outside: "acme"))
            try await store.write([.deleteProject(id: "zeus", tenant: "other")])
            #expect(try await !store.isProject("zeus", outside: "acme"))
            #expect(try await store.project("zeus", tenant: "acme") != nil)
        }
    }

    @Test(arguments: Kind.allCases) func renamesAndRemoves(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await Self.fill(store)
            var project = Self.project("zeus")
            project.name = "New"
            try await store.write([.renameProject(project)])
            #expect(try await store.project("zeus", tenant: "acme") == project)
            #expect(
                await Self.code { try await store.write([.renameProject(Self.project("nobody"))]) } == .notFound)
            #expect(
                await Self.code { try await store.write([.deleteProject(id: "zeus", tenant: nil)]) } == .notFound)
            try await store.write([.insertShare(Self.share("s"))])
            for side in ["zeus", "apollo"] {
                #expect(
                    await Self.code { try await store.write([.deleteProject(id: side, tenant: "acme")]) } == .conflict)
            }
            try await store.write([
                .updateShare(Self.share("s", state: .revoked, revision: 2)), .deleteProject(id: "zeus", tenant: "acme"),
            ])
            #expect(try await store.project("zeus", tenant: "acme") == nil)
            #expect(try await store.share("s", tenant: "acme")?.state == .revoked)
        }
    }

    @Test(arguments: Kind.allCases) func oneOfferIsLiveAtATime(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await Self.fill(store)
            try await Self.fill(store, tenant: "other")
            try await store.write([.insertShare(Self.share("a"))])
            #expect(await Self.code { try await store.write([.insertShare(Self.share("b"))]) } == .conflict)
            #expect(await Self.code { try await store.write([.insertShare(Self.share("a", "m2"))]) } == .conflict)
            try await store.write([
                .insertShare(Self.share("c", "m2")), .insertShare(Self.share("d", to: "hermes")),
                .insertShare(Self.share("e", from: "apollo", to: "zeus")),
                .insertShare(Self.share("f", tenant: "other")),
            ])
            #expect(try await store.liveShare(Self.share("a").parties)?.id == "a")
            try await store.write([.updateShare(Self.share("a", state: .declined, revision: 2))])
            #expect(try await store.liveShare(Self.share("a").parties) == nil)
            try await store.write([.insertShare(Self.share("b"))])
            #expect(
                await Self.code {
                    try await store.write([.insertShare(Self.share("g", from: "nobody"))])
                } == .notFound)
            #expect(
                await Self.code { try await store.write([.insertShare(Self.share("g", to: "nobody"))]) } == .notFound)
        }
    }

    @Test(arguments: Kind.allCases) func changesOnlyWhatWasRead(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await Self.fill(store)
            try await store.write([.insertShare(Self.share("a"))])
            try await store.write([.updateShare(Self.share("a", state: .accepted, revision: 2))])
            let stale = await Self.code {
                try await store.write([.updateShare(Self.share("a", state: .declined, revision: 2))])
            }
            #expect(stale == .conflict)
            #expect(
                await Self.code { try await store.write([.updateShare(Self.share("b", revision: 2))]) } == .notFound)
            #expect(try await store.share("a", tenant: "acme")?.state == .accepted)
            #expect(try await store.acceptedShares().map(\.id) == ["a"])
        }
    }

    @Test(arguments: Kind.allCases) func changesAllOrNothing(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await Self.fill(store)
            try await store.write([.insertShare(Self.share("a"))])
            let fault = await Self.code {
                try await store.write([
                    .insertProject(Self.project("new")), .updateShare(Self.share("a", state: .revoked, revision: 2)),
                    .deleteProject(id: "nobody", tenant: "acme"),
                ])
            }
            #expect(fault == .notFound)
            #expect(try await store.project("new", tenant: "acme") == nil)
            #expect(try await store.share("a", tenant: "acme")?.state == .pending)
        }
    }

    @Test(arguments: Kind.allCases) func listsPagesNewestFirst(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            // Three of each second, so that a page ends between records of one instant.
            for index in 0..<10 {
                try await store.write([.insertProject(Self.project("p\(index)", after: Int64(index / 3)))])
            }
            try await store.write([.insertProject(Self.project("far", tenant: "other"))])
            var seen: [String] = []
            var cursor: PageCursor?
            repeat {
                let page = try await store.projects(tenant: "acme", page: PageRequest(limit: 4, cursor: cursor))
                #expect(page.total == 10 && page.items.count <= 4)
                seen += page.items.map(\.id)
                cursor = page.next
            } while cursor != nil
            #expect(seen == (0..<10).reversed().map { "p\($0)" })
        }
    }

    @Test(arguments: Kind.allCases) func listsGivenAndReceived(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await Self.fill(store)
            try await Self.fill(store, tenant: "other")
            for index in 0..<5 { try await store.write([.insertShare(Self.share("g\(index)", "m\(index)", after: 1))]) }
            try await store.write([
                .insertShare(Self.share("r", from: "hermes", to: "zeus", state: .accepted, after: 9)),
                .insertShare(Self.share("f", tenant: "other")),
                .updateShare(Self.share("g1", "m1", state: .revoked, after: 1, revision: 2)),
            ])
            func list(
                _ side: ShareFilter.Side, _ project: String, _ states: Set<ProjectResourceAccess.State>? = nil,
                limit: Int = 50, _ cursor: PageCursor? = nil
            ) async throws -> Page<ProjectResourceAccess> {
                try await store.shares(
                    ShareFilter(tenant: "acme", project: project, side: side, states: states),
                    page: PageRequest(limit: limit, cursor: cursor))
            }
            let first = try await list(.given, "zeus", limit: 3)
            #expect(first.items.map(\.id) == ["g4", "g3", "g2"] && first.total == 5)
            let second = try await list(.given, "zeus", limit: 3, first.next)
            #expect(second.items.map(\.id) == ["g1", "g0"] && second.next == nil && second.total == 5)
            #expect(try await list(.received, "zeus").items.map(\.id) == ["r"])
            #expect(try await list(.received, "apollo", [.pending]).total == 4)
            #expect(try await list(.received, "apollo", [.revoked, .accepted]).items.map(\.id) == ["g1"])
            #expect(try await list(.received, "apollo", []).items.isEmpty)
            #expect(
                Set(try await store.liveShares(project: "zeus", tenant: "acme").map(\.id))
                    == ["g0", "g2", "g3", "g4", "r"])
            func live(_ resource: String, limit: Int = 10) async throws -> [String] {
                try await store.liveShares(
                    resourceType: "agent", resourceID: resource, tenant: "acme", limit: limit
                ).map(\.id)
            }
            #expect(try await live("m1") == ["r"])
            #expect(try await live("m2") == ["g2"])
            #expect(try await live("m2", limit: 0).isEmpty)
        }
    }

    @Test(arguments: Kind.allCases) func forgetsTheOldestThatEnded(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await Self.fill(store)
            for index in 0..<6 {
                try await store.write([
                    .insertShare(Self.share("e\(index)", state: .revoked, after: Int64(index)))
                ])
            }
            try await store.write([
                .insertShare(Self.share("live")),
                .forgetEnded(ownerProject: "zeus", tenant: "acme", keeping: 2),
                .forgetEnded(ownerProject: "zeus", tenant: "other", keeping: 0),
                .forgetEnded(ownerProject: "apollo", tenant: "acme", keeping: 0),
            ])
            let page = try await store.shares(
                ShareFilter(tenant: "acme", project: "zeus", side: .given), page: PageRequest())
            #expect(page.items.map(\.id) == ["e5", "e4", "live"])
        }
    }

    @Test(arguments: Kind.allCases) func oneOfManyMakesTheOffer(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await Self.fill(store)
            let good = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        await Self.code { try await store.write([.insertShare(Self.share("s\(index)"))]) } == nil
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(good == 1)
        }
    }
}
