// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

extension StoreContract {
    /// The same random batches of changes come to the same as in memory.
    package static let projectModel: [Behaviour] = [UInt64](1...4).map { seed in
        Behaviour("projects: random changes with seed \(seed) do as in memory") { try await $0.modelled(seed) }
    }

    private static let tenants: [String?] = ["acme", "other", nil]
    private static let names = ["zeus", "apollo", "hermes"]

    private func modelled(_ seed: UInt64) async throws {
        let memory = InMemoryProjectStore()
        let random = SeededRandom(seed: seed)
        for step in 0..<FuzzCases.count(120) {
            let batch = (0...random.below(3)).map { _ in Self.change(random, step) }
            let outcomes = (await Self.outcome(batch, projects), await Self.outcome(batch, memory))
            try hold(outcomes.0 == outcomes.1, "seed \(seed), step \(step), \(outcomes): \(batch)")
            if step.isMultiple(of: 10) { try await compare(projects, memory, "seed \(seed), step \(step)") }
        }
        try await compare(projects, memory, "seed \(seed), end")
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
        let project = names[random.below(names.count)]
        let after = Int64(step / 4)
        switch random.below(12) {
        case 0...2: return .insertProject(StoreRecords.project(project, tenant: tenant, after: after))
        case 3:
            var renamed = StoreRecords.project(project, tenant: tenant)
            renamed.name = "name \(step)"
            return .renameProject(renamed)
        case 4: return .deleteProject(id: project, tenant: tenant)
        case 5: return .forgetEnded(ownerProject: project, tenant: tenant, keeping: random.below(3))
        case let kind:
            let receiver = names[(random.below(2) + 1 + (names.firstIndex(of: project) ?? 0)) % names.count]
            let states = ProjectResourceAccess.State.allCases
            let number = random.below(3)
            // Parties and time follow from the id: no change of a share touches them.
            let share = StoreRecords.share(
                "\(tenant ?? "none")-\(project)-\(receiver)-\(number)", from: project, to: receiver,
                tenant: tenant, state: states[random.below(states.count)], after: Int64(number),
                revision: Int64(1 + random.below(3)))
            return kind < 9 ? .insertShare(share) : .updateShare(share)
        }
    }

    /// Everything that can be read is the same.
    private func compare(
        _ left: any ProjectStore, _ right: InMemoryProjectStore, _ place: String
    ) async throws {
        for tenant in Self.tenants {
            for limit in [2, 50] {
                let page = PageRequest(limit: limit)
                let (a, b) = (
                    try await left.projects(tenant: tenant, page: page),
                    try await right.projects(tenant: tenant, page: page)
                )
                try hold(a.items == b.items && a.total == b.total && a.next == b.next, place)
            }
            for project in Self.names {
                let outside = (
                    try await left.isProject(project, outside: tenant),
                    try await right.isProject(project, outside: tenant)
                )
                try hold(outside.0 == outside.1, place)
                let live = (
                    try await left.liveShares(project: project, tenant: tenant),
                    try await right.liveShares(project: project, tenant: tenant)
                )
                try hold(Set(live.0) == Set(live.1), place)
                for side in [ShareFilter.Side.given, .received] {
                    let filter = ShareFilter(tenant: tenant, project: project, side: side)
                    let lists = (
                        try await left.shares(filter, page: PageRequest(limit: 3)),
                        try await right.shares(filter, page: PageRequest(limit: 3))
                    )
                    try hold(lists.0.items.map(\.id) == lists.1.items.map(\.id), place)
                    try hold(lists.0.items == lists.1.items && lists.0.total == lists.1.total, place)
                    try hold(lists.0.next == lists.1.next, place)
                }
            }
        }
        try hold(Set(try await left.acceptedShares()) == Set(try await right.acceptedShares()), place)
    }
}
