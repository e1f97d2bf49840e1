// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What an offer names beside the offering project.
package struct ShareOffer: Sendable, Hashable {
    package var resourceType: String
    package var resourceID: String
    /// The receiving project.
    package var project: String
    package var terms: ShareTerms

    package init(resourceType: String, resourceID: String, project: String, terms: ShareTerms) {
        self.resourceType = resourceType
        self.resourceID = resourceID
        self.project = project
        self.terms = terms
    }
}

extension ProjectRegistry {
    /// Offers a resource of a project to another project of the tenant. While the same offer is pending or accepted, it is that record,
    /// with the terms of the last offer.
    ///
    /// - Parameter owner: the offering project.
    /// - Throws: `policy.project_not_found` for either project, `policy.tenant_denied` for a receiving project of another tenant,
    ///   `policy.share_invalid` for the own project, an end that is not ahead, or too many shares, `auth.store_unavailable`.
    package func offer(_ offer: ShareOffer, from owner: String, scope: ProjectScope) async throws(Refusal)
        -> ShareChange
    {
        try await change { () throws(ChangeFault) in
            _ = try await demandProject(owner, scope)
            if offer.project == owner {
                throw .refused(ShareStateMachine.invalid("project", "the offering project itself"))
            }
            try await demandReceiver(offer.project, scope)
            let now = clock.now()
            let parties = ShareParties(
                tenantID: scope.tenantID, resourceType: offer.resourceType, resourceID: offer.resourceID,
                ownerProject: owner, project: offer.project)
            let actor = ShareActor(subject: scope.subject, project: owner)
            if let live = try await stored({ () throws(ProjectStoreError) in try await store.liveShare(parties) }) {
                return Self.answer(live, try Self.apply(.offer(offer.terms), to: live, by: actor, at: now))
            }
            do throws(Refusal) {
                try ShareStateMachine.demandAhead(offer.terms.expiresAt, of: now)
            } catch {
                throw .refused(error)
            }
            try await demandRoom(.given, owner, scope)
            try await demandRoom(.received, offer.project, scope)
            let share = ProjectResourceAccess(
                id: UUIDv7.make(at: now, random: random), parties: parties, terms: offer.terms,
                createdBy: scope.subject, createdAt: now)
            return (
                [
                    .insertShare(share),
                    .forgetEnded(ownerProject: owner, tenant: scope.tenantID, keeping: limits.sharesOfSide),
                ],
                ShareChange(before: nil, after: share)
            )
        }
    }

    /// Changes a share for one of its sides.
    ///
    /// - Throws: `policy.project_not_found`, `policy.share_not_found`, `policy.project_denied`, `policy.share_state`,
    ///   `policy.share_invalid`, `auth.store_unavailable`.
    package func apply(
        _ event: ShareEvent, to id: String, as project: String, scope: ProjectScope
    ) async throws(Refusal) -> ShareChange {
        try await change { () throws(ChangeFault) in
            _ = try await demandProject(project, scope)
            let found = try await stored { () throws(ProjectStoreError) in
                try await store.share(id, tenant: scope.tenantID)
            }
            guard let share = found else { throw .refused(ShareStateMachine.notFound(id)) }
            let actor = ShareActor(subject: scope.subject, project: project)
            return Self.answer(share, try Self.apply(event, to: share, by: actor, at: clock.now()))
        }
    }

    /// Shows a share to one of its sides.
    ///
    /// - Throws: `policy.project_not_found`, `policy.share_not_found`, `auth.store_unavailable`.
    package func share(
        _ id: String, as project: String, scope: ProjectScope
    ) async throws(Refusal) -> ProjectResourceAccess {
        _ = try await self.project(project, scope: scope)
        let found = try await read { () throws(ProjectStoreError) in
            try await store.share(id, tenant: scope.tenantID)
        }
        guard let found, [found.parties.ownerProject, found.parties.project].contains(project) else {
            throw ShareStateMachine.notFound(id)
        }
        return found
    }

    /// Lists what a project gave or got, the newest first.
    ///
    /// - Throws: `policy.project_not_found`, `auth.store_unavailable`.
    package func shares(
        _ side: ShareFilter.Side, of project: String, states: Set<ProjectResourceAccess.State>?, page: PageRequest,
        scope: ProjectScope
    ) async throws(Refusal) -> Page<ProjectResourceAccess> {
        _ = try await self.project(project, scope: scope)
        return try await read { () throws(ProjectStoreError) in
            try await store.shares(
                ShareFilter(tenant: scope.tenantID, project: project, side: side, states: states), page: page)
        }
    }

    /// The projects that may use a resource, owners first, each group sorted by project.
    ///
    /// Tollgate keeps no register of resources: an owner is known only because it offered the resource, and the offer is still pending or
    /// accepted. A project of which no such offer is known is not listed, even where the resource is its own.
    ///
    /// - Throws: `auth.store_unavailable`.
    package func users(
        ofResource type: String, _ id: String, scope: ProjectScope
    ) async throws(Refusal) -> [ResourceUser] {
        let now = clock.now()
        let live = try await read { () throws(ProjectStoreError) in
            try await store.liveShares(
                resourceType: type, resourceID: id, tenant: scope.tenantID, limit: limits.sharesOfSide)
        }
        let owners = Set(live.filter { !$0.isExpired(at: now) }.map(\.parties.ownerProject))
        let shares = live.filter { $0.counts(at: now) }.map { share in
            ResourceUser(project: share.parties.project, permissions: share.terms.permissions, source: .share)
        }
        return ASCII.sortedByBytes(owners).map {
            ResourceUser(project: $0, permissions: [.read, .use, .manage], source: .owner)
        } + shares.sorted { $0.project.utf8.lexicographicallyPrecedes($1.project.utf8) }
    }
}

extension ProjectRegistry {
    private static func answer(
        _ before: ProjectResourceAccess, _ after: ProjectResourceAccess
    ) -> (changes: [ProjectChange], outcome: ShareChange) {
        (after == before ? [] : [.updateShare(after)], ShareChange(before: before, after: after))
    }

    private func demandReceiver(_ id: String, _ scope: ProjectScope) async throws(ChangeFault) {
        let found = try await stored { () throws(ProjectStoreError) in
            try await store.project(id, tenant: scope.tenantID)
        }
        guard found == nil else { return }
        let isForeign = try await stored { () throws(ProjectStoreError) in
            try await store.isProject(id, outside: scope.tenantID)
        }
        guard !isForeign else {
            throw .refused(Refusal(.policyTenantDenied, message: "Project '\(id)' is not of your tenant"))
        }
        throw .refused(Self.projectNotFound(id))
    }

    private func demandRoom(
        _ side: ShareFilter.Side, _ project: String, _ scope: ProjectScope
    ) async throws(ChangeFault) {
        let filter = ShareFilter(
            tenant: scope.tenantID, project: project, side: side, states: [.pending, .accepted])
        let count = try await stored { () throws(ProjectStoreError) in
            try await store.shares(filter, page: PageRequest(limit: 1)).total
        }
        guard count >= limits.sharesOfSide else { return }
        throw .refused(
            Refusal(
                .policyShareInvalid,
                message: "Project '\(project)' has \(count) shares, which is the most there may be: revoke some",
                details: ["limit": .int(Int64(limits.sharesOfSide)), "project": .string(project)]))
    }
}
