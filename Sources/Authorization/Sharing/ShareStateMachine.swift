// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What is asked of a share.
package enum ShareEvent: Sendable, Hashable {
    /// The offering project makes the same offer again, perhaps on other terms.
    case offer(ShareTerms)
    /// The offering project changes the terms.
    case update(ShareTermsChange)
    case accept
    case decline
    case revoke(reason: String?)
}

/// New terms; what is nil stays.
package struct ShareTermsChange: Sendable, Hashable {
    package var permissions: SharePermissions?
    /// The inner nil takes the end away.
    package var expiresAt: Timestamp??

    package init(permissions: SharePermissions? = nil, expiresAt: Timestamp?? = nil) {
        self.permissions = permissions
        self.expiresAt = expiresAt
    }
}

/// For which project somebody acts on a share.
package struct ShareActor: Sendable, Hashable {
    package let subject: String
    /// The caller's side.
    package let project: String

    package init(subject: String, project: String) {
        self.subject = subject
        self.project = project
    }
}

/// The life of a share: pure.
///
/// | state | offer again, update (owner) | accept (receiver) | decline (receiver) | revoke (either side) |
/// | --- | --- | --- | --- | --- |
/// | pending | new terms, still pending | accepted, unless expired | declined | revoked |
/// | accepted | new terms; more permissions: pending | 409 | 409 | revoked |
/// | declined | 409 | 409 | 409 | 409 |
/// | revoked | 409 | 409 | 409 | the same record |
///
/// An offer after `declined` or `revoked` is a new record: what was ended never comes back.
package enum ShareStateMachine {
    /// The record after the event; equal to the one before when there is nothing to change.
    ///
    /// - Throws: `policy.share_not_found` for a project that is no side of it, `policy.project_denied` for the wrong side,
    ///   `policy.share_state`, `policy.share_invalid` for terms that are over already.
    package static func apply(
        _ event: ShareEvent, to share: ProjectResourceAccess, by actor: ShareActor, at now: Timestamp
    ) throws(Refusal) -> ProjectResourceAccess {
        try demandSide(event, share, actor)
        var next = share
        switch event {
        case .offer(let terms):
            try demandLive(share, now)
            try change(&next, to: terms, now)
        case .update(let change):
            try demandLive(share, now)
            let terms = ShareTerms(
                permissions: change.permissions ?? share.terms.permissions,
                expiresAt: change.expiresAt ?? share.terms.expiresAt)
            try self.change(&next, to: terms, now)
        case .accept:
            guard share.state == .pending, !share.isExpired(at: now) else { throw wrongState(share, now) }
            next.state = .accepted
            next.acceptedBy = actor.subject
            next.acceptedAt = now
        case .decline:
            guard share.state == .pending else { throw wrongState(share, now) }
            next.state = .declined
        case .revoke(let reason):
            if share.state == .revoked { return share }
            try demandLive(share, now)
            next.state = .revoked
            next.revokedBy = actor.subject
            next.revokedAt = now
            next.reason = reason
        }
        if next != share { next.revision = share.revision + 1 }
        return next
    }

    /// Demands that an end lies ahead.
    ///
    /// - Throws: `policy.share_invalid` naming `expires_at`.
    package static func demandAhead(_ expiresAt: Timestamp?, of now: Timestamp) throws(Refusal) {
        guard let expiresAt, expiresAt <= now else { return }
        throw invalid("expires_at", "not in the future")
    }

    /// A refusal of one value.
    package static func invalid(_ field: String, _ reason: String) -> Refusal {
        Refusal(
            .policyShareInvalid, message: "\(field): \(reason)",
            details: ["fields": [["field": .string(field), "reason": .string(reason)]]])
    }

    /// That there is no such share, for whoever asked.
    package static func notFound(_ id: String) -> Refusal {
        Refusal(.policyShareNotFound, message: "Share '\(id)' not found")
    }

    private static func change(
        _ share: inout ProjectResourceAccess, to terms: ShareTerms, _ now: Timestamp
    ) throws(Refusal) {
        // An end that is not changed is not judged: a share that ran out may still be narrowed.
        if terms.expiresAt != share.terms.expiresAt { try demandAhead(terms.expiresAt, of: now) }
        if share.state == .accepted, terms.permissions.exceeds(share.terms.permissions) {
            share.state = .pending
            share.acceptedBy = nil
            share.acceptedAt = nil
        }
        share.terms = terms
    }

    private static func demandSide(
        _ event: ShareEvent, _ share: ProjectResourceAccess, _ actor: ShareActor
    ) throws(Refusal) {
        let isOwner = actor.project == share.parties.ownerProject
        guard isOwner || actor.project == share.parties.project else { throw notFound(share.id) }
        switch event {
        case .offer, .update:
            guard isOwner else {
                throw Refusal(.policyProjectDenied, message: "Only the offering project changes a share")
            }
        case .accept, .decline:
            guard !isOwner else {
                throw Refusal(.policyProjectDenied, message: "Only the receiving project answers an offer")
            }
        case .revoke: break
        }
    }

    private static func demandLive(_ share: ProjectResourceAccess, _ now: Timestamp) throws(Refusal) {
        guard share.state.isLive else { throw wrongState(share, now) }
    }

    private static func wrongState(_ share: ProjectResourceAccess, _ now: Timestamp) -> Refusal {
        let isOver = share.state == .pending && share.isExpired(at: now)
        let state = isOver ? "expired" : share.state.rawValue
        return Refusal(
            .policyShareState, message: "The share is \(state)", details: ["state": .string(state)])
    }
}
