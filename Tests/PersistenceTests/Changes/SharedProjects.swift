// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

/// Projects in a shared database, as one replica sees it.
struct SharedProjects: ProjectStore {
    let shared: FakeSharedStore

    private var store: InMemoryProjectStore { shared.projects }

    private func answer() throws(ProjectStoreError) {
        if shared.draw(shared.faults.unanswered) { throw ProjectStoreError(.unavailable, "no answer") }
    }

    func acceptedShares() async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try answer()
        return try await store.acceptedShares()
    }

    func shares(ids: [String]) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try answer()
        return try await store.shares(ids: ids)
    }

    func write(_ changes: [ProjectChange]) async throws(ProjectStoreError) {
        try answer()
        let transaction = shared.begin()
        do throws(ProjectStoreError) {
            try await store.write(changes)
        } catch {
            shared.commit(transaction, [])
            throw error
        }
        shared.commit(
            transaction,
            changes.compactMap { change in
                switch change {
                case .insertShare(let share), .updateShare(let share): StoreChange(.share, share.id)
                case .insertProject(let project), .renameProject(let project): StoreChange(.project, project.id)
                case .deleteProject(let id, _): StoreChange(.project, id)
                case .forgetEnded: nil
                }
            })
        if shared.draw(shared.faults.unknownOutcomes) { throw ProjectStoreError(.unavailable, "who knows") }
    }

    func project(_ id: String, tenant: String?) async throws(ProjectStoreError) -> Project? {
        try await store.project(id, tenant: tenant)
    }

    func isProject(_ id: String, outside tenant: String?) async throws(ProjectStoreError) -> Bool {
        try await store.isProject(id, outside: tenant)
    }

    func projects(tenant: String?, page: PageRequest) async throws(ProjectStoreError) -> Page<Project> {
        try await store.projects(tenant: tenant, page: page)
    }

    func share(_ id: String, tenant: String?) async throws(ProjectStoreError) -> ProjectResourceAccess? {
        try await store.share(id, tenant: tenant)
    }

    func liveShare(_ parties: ShareParties) async throws(ProjectStoreError) -> ProjectResourceAccess? {
        try await store.liveShare(parties)
    }

    func shares(
        _ filter: ShareFilter, page: PageRequest
    ) async throws(ProjectStoreError) -> Page<ProjectResourceAccess> {
        try await store.shares(filter, page: page)
    }

    func liveShares(project: String, tenant: String?) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try await store.liveShares(project: project, tenant: tenant)
    }

    func liveShares(
        resourceType: String, resourceID: String, tenant: String?, limit: Int
    ) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        try await store.liveShares(resourceType: resourceType, resourceID: resourceID, tenant: tenant, limit: limit)
    }
}
