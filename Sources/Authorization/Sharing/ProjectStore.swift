// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Where projects and shares are kept for good. Everything but `acceptedShares`, `shares(ids:)` and `isProject` sees one tenant; nil is the
/// tenant of those who have none.
package protocol ProjectStore: Sendable {
    /// Every accepted share of every tenant, for the start.
    func acceptedShares() async throws(ProjectStoreError) -> [ProjectResourceAccess]

    /// The shares of those ids, of whatever tenant and in any state; one that is not there is left out.
    func shares(ids: [String]) async throws(ProjectStoreError) -> [ProjectResourceAccess]

    /// The project of that id.
    func project(_ id: String, tenant: String?) async throws(ProjectStoreError) -> Project?

    /// Whether another tenant has a project of that id.
    func isProject(_ id: String, outside tenant: String?) async throws(ProjectStoreError) -> Bool

    /// The projects of a tenant, the newest first.
    func projects(tenant: String?, page: PageRequest) async throws(ProjectStoreError) -> Page<Project>

    /// The share of that id, in any state.
    func share(_ id: String, tenant: String?) async throws(ProjectStoreError) -> ProjectResourceAccess?

    /// The pending or accepted share between those parties.
    func liveShare(_ parties: ShareParties) async throws(ProjectStoreError) -> ProjectResourceAccess?

    /// The shares that a project gave or got, the newest first.
    func shares(_ filter: ShareFilter, page: PageRequest) async throws(ProjectStoreError) -> Page<ProjectResourceAccess>

    /// The pending and accepted shares that a project gave or got.
    func liveShares(project: String, tenant: String?) async throws(ProjectStoreError) -> [ProjectResourceAccess]

    /// The pending and accepted shares of a resource, the newest first, at most that many.
    func liveShares(
        resourceType: String, resourceID: String, tenant: String?, limit: Int
    ) async throws(ProjectStoreError) -> [ProjectResourceAccess]

    /// Makes all changes or none; they are durable when this returns. Cancelling the caller changes nothing.
    ///
    /// - Throws: the fault of the first change that cannot be made, else `unavailable`.
    func write(_ changes: [ProjectChange]) async throws(ProjectStoreError)
}

/// One change of the store.
package enum ProjectChange: Sendable {
    /// A project whose id is new in the tenant, else `exists`.
    case insertProject(Project)
    /// Replaces the name, else `notFound`.
    case renameProject(Project)
    /// Removes a project, else `notFound`; `conflict` while it has a pending or accepted share.
    case deleteProject(id: String, tenant: String?)
    /// A new share: `notFound` unless both projects are there, `conflict` when the same offer is pending or accepted.
    case insertShare(ProjectResourceAccess)
    /// Replaces a share whose stored revision is the one before, else `conflict`; `notFound`.
    case updateShare(ProjectResourceAccess)
    /// Forgets the oldest declined and revoked shares that a project gave, but for the newest.
    case forgetEnded(ownerProject: String, tenant: String?, keeping: Int)
}

/// Which shares a list shows.
package struct ShareFilter: Sendable, Hashable {
    /// On which side the project stands.
    package enum Side: Sendable {
        case given, received
    }

    package var tenant: String?
    package var project: String
    package var side: Side
    /// Nil = all.
    package var states: Set<ProjectResourceAccess.State>?

    package init(
        tenant: String?, project: String, side: Side, states: Set<ProjectResourceAccess.State>? = nil
    ) {
        self.tenant = tenant
        self.project = project
        self.side = side
        self.states = states
    }
}

/// Why a store did not do what it was asked.
package struct ProjectStoreError: Error, CustomStringConvertible {
    package enum Code: String, Sendable {
        case exists, notFound, conflict, unavailable, corrupt
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message): \($0)" } ?? message }
}
