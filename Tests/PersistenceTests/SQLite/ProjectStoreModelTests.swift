// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

/// The same random batches of changes come to the same in both stores.
@Suite struct ProjectStoreModelTests {
    private static let tenants: [String?] = ["acme", "other", nil]
    private static let projects = ["zeus", "apollo", "hermes"]

    @Test(arguments: [UInt64](1...4)) func bothStoresDoTheSame(_ seed: UInt64) async throws {
        let directory = try TemporaryDirectory()
        let sqlite = try SQLiteStore(path: directory.path("store.sqlite"), clock: ManualClock())
        let memory = InMemoryProjectStore()
        let random = SeededRandom(seed: seed)
        for step in 0..<FuzzCases.count(120) {
            let batch = (0...random.below(3)).map { _ in Self.change(random, step) }
            let outcomes = (await Self.outcome(batch, sqlite), await Self.outcome(batch, memory))
            #expect(outcomes.0 == outcomes.1, "seed \(seed), step \(step): \(batch)")
            if step.isMultiple(of: 10) { try await Self.compare(sqlite, memory, "seed \(seed), step \(step)") }
        }
        try await Self.compare(sqlite, memory, "seed \(seed), end")
        try sqlite.close()
    }

    private static func outcome(_ batch: [ProjectChange], _ store: any ProjectStore) async -> String {
        do throws(ProjectStoreError) {
            try await store.write(batch)
            return "done"
        } catch {
            return error.code.rawValue
        }
    }

    private static func change(_ random: SeededRandom, _ step: Int) -> ProjectChange {
        let tenant = tenants[random.below(tenants.count)]
        let project = projects[random.below(projects.count)]
        let after = Int64(step / 4)
        switch random.below(12) {
        case 0...2: return .insertProject(ProjectStoreTests.project(project, tenant: tenant, after: after))
        case 3:
            var renamed = ProjectStoreTests.project(project, tenant: tenant)
            renamed.name = "name \(step)"
            return .renameProject(renamed)
        case 4: return .deleteProject(id: project, tenant: tenant)
        case 5: return .forgetEnded(ownerProject: project, tenant: tenant, keeping: random.below(3))
        case let kind:
            let receiver = projects[(random.below(2) + 1 + (projects.firstIndex(of: project) ?? 0)) % projects.count]
            let states = ProjectResourceAccess.State.allCases
            let number = random.below(3)
            // Parties and time follow from the id: no change of a share touches them.
            let share = ProjectStoreTests.share(
                "\(tenant ?? "none")-\(project)-\(receiver)-\(number)", from: project, to: receiver,
                tenant: tenant, state: states[random.below(states.count)], after: Int64(number),
                revision: Int64(1 + random.below(3)))
            return kind < 9 ? .insertShare(share) : .updateShare(share)
        }
    }

    /// Everything that can be read is the same.
    private static func compare(_ left: SQLiteStore, _ right: InMemoryProjectStore, _ place: String) async throws {
        for tenant in tenants {
            for limit in [2, 50] {
                let page = PageRequest(limit: limit)
                let (a, b) = (
                    try await left.projects(tenant: tenant, page: page),
                    try await right.projects(tenant: tenant, page: page)
                )
                #expect(a.items == b.items && a.total == b.total && a.next == b.next, "\(place)")
            }
            for project in projects {
                let outside = (
                    try await left.isProject(project, outside: tenant),
                    try await right.isProject(project, outside: tenant)
                )
                #expect(outside.0 == outside.1, "\(place)")
                let live = (
                    try await left.liveShares(project: project, tenant: tenant),
                    try await right.liveShares(project: project, tenant: tenant)
                )
                #expect(Set(live.0) == Set(live.1), "\(place)")
                for side in [ShareFilter.Side.given, .received] {
                    let filter = ShareFilter(tenant: tenant, project: project, side: side)
                    let lists = (
                        try await left.shares(filter, page: PageRequest(limit: 3)),
                        try await right.shares(filter, page: PageRequest(limit: 3))
                    )
                    #expect(lists.0.items.map(\.id) == lists.1.items.map(\.id), "\(place)")
                    #expect(lists.0.items == lists.1.items && lists.0.total == lists.1.total, "\(place)")
                    #expect(lists.0.next == lists.1.next, "\(place)")
                }
            }
        }
        #expect(Set(try await left.acceptedShares()) == Set(try await right.acceptedShares()), "\(place)")
    }
}
