// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// A store that forgets everything when the process ends.
package final class InMemoryProjectStore: ProjectStore {
    private struct ProjectKey: Hashable {
        let tenant: [UInt8]
        let id: [UInt8]

        init(_ id: String, _ tenant: String?) {
            self.tenant = Array((tenant ?? "").utf8)
            self.id = Array(id.utf8)
        }
    }

    private struct State {
        var projects: [ProjectKey: Project] = [:]
        var shares: [String: ProjectResourceAccess] = [:]

        func live(_ parties: ShareParties) -> ProjectResourceAccess? {
            shares.values.first { $0.state.isLive && $0.parties == parties }
        }
    }

    private let state = Mutex(State())

    /// An empty store.
    package init() {}

    package func acceptedShares() async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        state.withLock { $0.shares.values.filter { $0.state == .accepted } }
    }

    package func shares(ids: [String]) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        state.withLock { state in Set(ids).compactMap { state.shares[$0] } }
    }

    package func project(_ id: String, tenant: String?) async throws(ProjectStoreError) -> Project? {
        state.withLock { $0.projects[ProjectKey(id, tenant)] }
    }

    package func isProject(_ id: String, outside tenant: String?) async throws(ProjectStoreError) -> Bool {
        let own = ProjectKey(id, tenant)
        return state.withLock { $0.projects.keys.contains { $0.id == own.id && $0.tenant != own.tenant } }
    }

    package func projects(tenant: String?, page: PageRequest) async throws(ProjectStoreError) -> Page<Project> {
        let own = ProjectKey("", tenant).tenant
        let found = state.withLock { $0.projects.filter { $0.key.tenant == own }.map(\.value) }
        return Self.page(found, page) { PageCursor(createdAt: $0.createdAt, id: $0.id) }
    }

    package func share(_ id: String, tenant: String?) async throws(ProjectStoreError) -> ProjectResourceAccess? {
        state.withLock { state in state.shares[id].flatMap { Self.isSame($0.parties.tenantID, tenant) ? $0 : nil } }
    }

    package func liveShare(_ parties: ShareParties) async throws(ProjectStoreError) -> ProjectResourceAccess? {
        state.withLock { $0.live(parties) }
    }

    package func shares(
        _ filter: ShareFilter, page: PageRequest
    ) async throws(ProjectStoreError) -> Page<ProjectResourceAccess> {
        let found = state.withLock { state in
            state.shares.values.filter { share in
                let side = filter.side == .given ? share.parties.ownerProject : share.parties.project
                return Self.isSame(share.parties.tenantID, filter.tenant) && Self.isSame(side, filter.project)
                    && (filter.states?.contains(share.state) ?? true)
            }
        }
        return Self.page(found, page) { PageCursor(createdAt: $0.createdAt, id: $0.id) }
    }

    package func liveShares(
        project: String, tenant: String?
    ) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        state.withLock { state in
            state.shares.values.filter { Self.involves($0, project: project, tenant: tenant) && $0.state.isLive }
        }
    }

    package func liveShares(
        resourceType: String, resourceID: String, tenant: String?, limit: Int
    ) async throws(ProjectStoreError) -> [ProjectResourceAccess] {
        let found = state.withLock { state in
            state.shares.values.filter { share in
                share.state.isLive && Self.isSame(share.parties.tenantID, tenant)
                    && Self.isSame(share.parties.resourceType, resourceType)
                    && Self.isSame(share.parties.resourceID, resourceID)
            }
        }
        let newestFirst = Self.newestFirst(found) { PageCursor(createdAt: $0.createdAt, id: $0.id) }
        return Array(newestFirst.prefix(max(0, limit)))
    }

    package func write(_ changes: [ProjectChange]) async throws(ProjectStoreError) {
        let fault = state.withLock { state -> ProjectStoreError? in
            var next = state
            for change in changes {
                if let fault = Self.apply(change, &next) { return fault }
            }
            state = next
            return nil
        }
        if let fault { throw fault }
    }
}

extension InMemoryProjectStore {
    private static func apply(_ change: ProjectChange, _ state: inout State) -> ProjectStoreError? {
        switch change {
        case .insertProject(let project):
            let key = ProjectKey(project.id, project.tenantID)
            guard state.projects[key] == nil else { return ProjectStoreError(.exists, project.id) }
            state.projects[key] = project
        case .renameProject(let project):
            let key = ProjectKey(project.id, project.tenantID)
            guard state.projects[key] != nil else { return ProjectStoreError(.notFound, project.id) }
            state.projects[key]?.name = project.name
        case .deleteProject(let id, let tenant):
            guard state.projects[ProjectKey(id, tenant)] != nil else { return ProjectStoreError(.notFound, id) }
            let isShared = state.shares.values.contains {
                $0.state.isLive && involves($0, project: id, tenant: tenant)
            }
            guard !isShared else { return ProjectStoreError(.conflict, id) }
            state.projects[ProjectKey(id, tenant)] = nil
        case .insertShare(let share):
            let parties = share.parties
            for project in [parties.ownerProject, parties.project]
            where state.projects[ProjectKey(project, parties.tenantID)] == nil {
                return ProjectStoreError(.notFound, project)
            }
            guard state.shares[share.id] == nil, state.live(parties) == nil else {
                return ProjectStoreError(.conflict, share.id)
            }
            state.shares[share.id] = share
        case .updateShare(let share):
            guard let old = state.shares[share.id] else { return ProjectStoreError(.notFound, share.id) }
            guard old.revision == share.revision - 1 else { return ProjectStoreError(.conflict, share.id) }
            state.shares[share.id] = share
        case .forgetEnded(let project, let tenant, let keeping):
            let ended = state.shares.values.filter {
                !$0.state.isLive && isSame($0.parties.tenantID, tenant) && isSame($0.parties.ownerProject, project)
            }
            let old = newestFirst(ended) { PageCursor(createdAt: $0.createdAt, id: $0.id) }.dropFirst(keeping)
            for share in old { state.shares[share.id] = nil }
        }
        return nil
    }

    private static func involves(_ share: ProjectResourceAccess, project: String, tenant: String?) -> Bool {
        let parties = share.parties
        return isSame(parties.tenantID, tenant)
            && (isSame(parties.ownerProject, project) || isSame(parties.project, project))
    }

    private static func isSame(_ left: String?, _ right: String?) -> Bool {
        (left ?? "").utf8.elementsEqual((right ?? "").utf8)
    }

    private static func newestFirst<Item>(_ items: [Item], _ position: (Item) -> PageCursor) -> [Item] {
        items.sorted { isNewer(position($0), position($1)) }
    }

    private static func isNewer(_ left: PageCursor, _ right: PageCursor) -> Bool {
        left.createdAt != right.createdAt
            ? left.createdAt > right.createdAt : right.id.utf8.lexicographicallyPrecedes(left.id.utf8)
    }

    private static func page<Item>(
        _ items: [Item], _ request: PageRequest, _ position: (Item) -> PageCursor
    ) -> Page<Item> {
        let rest = newestFirst(items, position).filter { item in
            request.cursor.map { isNewer($0, position(item)) } ?? true
        }
        return Page(
            oneMore: Array(rest.prefix(request.limit + 1)), total: items.count, limit: request.limit, cursor: position)
    }
}
