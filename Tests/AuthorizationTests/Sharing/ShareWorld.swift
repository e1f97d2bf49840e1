// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Synchronization
internal import TestSupport

/// A registry over a store in memory, with the table that it last published.
final class ShareWorld: Sendable {
    let clock = ManualClock()
    let store: FlakyProjectStore
    let registry: ProjectRegistry
    private let published: PublishedTable

    var table: ShareTable { published.table }
    var publications: Int { published.count }
    var faults: [String] { published.faults }

    init(limits: ProjectRegistry.Limits = ProjectRegistry.Limits(), seed: UInt64 = 1) {
        let published = PublishedTable()
        let store = FlakyProjectStore()
        self.published = published
        self.store = store
        registry = ProjectRegistry(
            store: store, clock: clock, random: SeededRandom(seed: seed), limits: limits,
            publish: { published.publish($0) }, report: { published.report($0) })
    }

    static let acme = ProjectScope(tenantID: "acme", subject: "olga")
    static let other = ProjectScope(tenantID: "other", subject: "otto")

    /// A world in which acme has these projects.
    static func with(_ projects: String...) async throws -> ShareWorld {
        let world = ShareWorld()
        for project in projects { try await world.project(project) }
        return world
    }

    func project(_ id: String, scope: ProjectScope = acme) async throws {
        _ = try await registry.createProject(id: id, name: id, scope: scope)
    }

    func offer(
        _ id: String = "m1", from owner: String = "zeus", to project: String = "apollo",
        _ permissions: SharePermissions = .read, expiresAt: Timestamp? = nil, scope: ProjectScope = acme
    ) async throws(Refusal) -> ProjectResourceAccess {
        let terms = ShareTerms(permissions: permissions, expiresAt: expiresAt)
        let offer = ShareOffer(resourceType: "agent", resourceID: id, project: project, terms: terms)
        return try await registry.offer(offer, from: owner, scope: scope).after
    }

    func accept(_ id: String, as project: String = "apollo") async throws(Refusal) -> ProjectResourceAccess {
        try await registry.apply(.accept, to: id, as: project, scope: Self.acme).after
    }

    func revoke(_ id: String, as project: String = "zeus") async throws(Refusal) -> ProjectResourceAccess {
        try await registry.apply(.revoke(reason: nil), to: id, as: project, scope: Self.acme).after
    }

    /// What the published table says about a resource and a receiving project of acme.
    func inForce(_ id: String = "m1", for project: String = "apollo") -> [AcceptedShare] {
        table.shares(ShareTable.Key(tenant: "acme", type: "agent", id: id, project: project))
    }
}

/// What a registry published and reported.
private final class PublishedTable: Sendable {
    private let state = Mutex((table: ShareTable.empty, count: 0, faults: [String]()))

    var table: ShareTable { state.withLock { $0.table } }
    var count: Int { state.withLock { $0.count } }
    var faults: [String] { state.withLock { $0.faults } }

    func publish(_ table: ShareTable) {
        state.withLock { state in
            state.table = table
            state.count += 1
        }
    }

    func report(_ fault: ProjectStoreError) { state.withLock { $0.faults.append(fault.code.rawValue) } }
}

/// The store in memory, which can be taken away or disturbed.
final class FlakyProjectStore: ProjectStore {
    private let memory = InMemoryProjectStore()
    private let next = Mutex<[ProjectStoreError.Code]>([])

    /// The next writes fail so, in this order.
    func failWrites(_ codes: ProjectStoreError.Code...) { next.withLock { $0 = codes } }

    func acceptedShares() async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try await memory.acceptedShares()
    }

    func shares(ids: [String]) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try await memory.shares(ids: ids)
    }

    func project(_ id: String, tenant: String?) async throws(ProjectStoreError) -> Project? {
        try await memory.project(id, tenant: tenant)
    }

    func isProject(_ id: String, outside tenant: String?) async throws(ProjectStoreError) -> Bool {
        try await memory.isProject(id, outside: tenant)
    }

    func projects(tenant: String?, page: PageRequest) async throws(ProjectStoreError) -> Page<Project> {
        try await memory.projects(tenant: tenant, page: page)
    }

    func share(_ id: String, tenant: String?) async throws(ProjectStoreError) -> ProjectResourceAccess? {
        try await memory.share(id, tenant: tenant)
    }

    func liveShare(_ parties: ShareParties) async throws(ProjectStoreError) -> ProjectResourceAccess? {
        try await memory.liveShare(parties)
    }

    func shares(
        _ filter: ShareFilter, page: PageRequest
    ) async throws(ProjectStoreError) -> Page<ProjectResourceAccess> {
        try await memory.shares(filter, page: page)
    }

    func liveShares(project: String, tenant: String?) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try await memory.liveShares(project: project, tenant: tenant)
    }

    func liveShares(
        resourceType: String, resourceID: String, tenant: String?, limit: Int
    ) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try await memory.liveShares(
            resourceType: resourceType, resourceID: resourceID, tenant: tenant, limit: limit)
    }

    func write(_ changes: [ProjectChange]) async throws(ProjectStoreError) {
        if let code = next.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { throw ProjectStoreError(code, "flaky") }
        try await memory.write(changes)
    }
}
