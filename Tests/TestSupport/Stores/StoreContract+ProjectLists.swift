// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

extension StoreContract {
    /// How stores list projects and shares.
    package static let projectLists: [Behaviour] = [
        Behaviour("projects: list pages, the newest first") { try await $0.projectPagesNewestFirst() },
        Behaviour("projects: list what was given and received") { try await $0.listsGivenAndReceived() },
        Behaviour("projects: forget the oldest that ended") { try await $0.forgetsTheOldestThatEnded() },
    ]

    private func projectPagesNewestFirst() async throws {
        // Three of each second, so that a page ends between records of one instant.
        for index in 0..<10 {
            try await projects.write([.insertProject(StoreRecords.project("p\(index)", after: Int64(index / 3)))])
        }
        try await projects.write([.insertProject(StoreRecords.project("far", tenant: "other"))])
        var seen: [String] = []
        var cursor: PageCursor?
        repeat {
            let page = try await projects.projects(tenant: "acme", page: PageRequest(limit: 4, cursor: cursor))
            try hold(page.total == 10 && page.items.count <= 4)
            seen += page.items.map(\.id)
            cursor = page.next
        } while cursor != nil
        try hold(seen == (0..<10).reversed().map { "p\($0)" })
    }

    private func listsGivenAndReceived() async throws {
        try await fill()
        try await fill(tenant: "other")
        for index in 0..<5 {
            try await projects.write([.insertShare(StoreRecords.share("g\(index)", "m\(index)", after: 1))])
        }
        try await projects.write([
            .insertShare(StoreRecords.share("r", from: "hermes", to: "zeus", state: .accepted, after: 9)),
            .insertShare(StoreRecords.share("f", tenant: "other")),
            .updateShare(StoreRecords.share("g1", "m1", state: .revoked, after: 1, revision: 2)),
        ])
        func list(
            _ side: ShareFilter.Side, _ project: String, _ states: Set<ProjectResourceAccess.State>? = nil,
            limit: Int = 50, _ cursor: PageCursor? = nil
        ) async throws -> Page<ProjectResourceAccess> {
            try await projects.shares(
                ShareFilter(tenant: "acme", project: project, side: side, states: states),
                page: PageRequest(limit: limit, cursor: cursor))
        }
        let first = try await list(.given, "zeus", limit: 3)
        try hold(first.items.map(\.id) == ["g4", "g3", "g2"] && first.total == 5)
        let second = try await list(.given, "zeus", limit: 3, first.next)
        try hold(second.items.map(\.id) == ["g1", "g0"] && second.next == nil && second.total == 5)
        try hold(try await list(.received, "zeus").items.map(\.id) == ["r"])
        try hold(try await list(.received, "apollo", [.pending]).total == 4)
        try hold(try await list(.received, "apollo", [.revoked, .accepted]).items.map(\.id) == ["g1"])
        try hold(try await list(.received, "apollo", []).items.isEmpty)
        try hold(
            Set(try await projects.liveShares(project: "zeus", tenant: "acme").map(\.id))
                == ["g0", "g2", "g3", "g4", "r"])
        func live(_ resource: String, limit: Int = 10) async throws -> [String] {
            try await projects.liveShares(
                resourceType: "agent", resourceID: resource, tenant: "acme", limit: limit
            ).map(\.id)
        }
        try hold(try await live("m1") == ["r"])
        try hold(try await live("m2") == ["g2"])
        try hold(try await live("m2", limit: 0).isEmpty)
    }

    private func forgetsTheOldestThatEnded() async throws {
        try await fill()
        for index in 0..<6 {
            try await projects.write([
                .insertShare(StoreRecords.share("e\(index)", state: .revoked, after: Int64(index)))
            ])
        }
        try await projects.write([
            .insertShare(StoreRecords.share("live")),
            .forgetEnded(ownerProject: "zeus", tenant: "acme", keeping: 2),
            .forgetEnded(ownerProject: "zeus", tenant: "other", keeping: 0),
            .forgetEnded(ownerProject: "apollo", tenant: "acme", keeping: 0),
        ])
        let page = try await projects.shares(
            ShareFilter(tenant: "acme", project: "zeus", side: .given), page: PageRequest())
        try hold(page.items.map(\.id) == ["e5", "e4", "live"])
    }
}
