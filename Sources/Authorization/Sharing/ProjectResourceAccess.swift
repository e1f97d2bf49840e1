// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a share is about: one resource, the project that offers it and the one that gets it. Two that are equal, byte by byte, are the
/// same offer.
package struct ShareParties: Sendable {
    /// Nil = the projects belong to callers without a tenant.
    package let tenantID: String?
    package let resourceType: String
    package let resourceID: String
    package let ownerProject: String
    /// The receiving project.
    package let project: String

    package init(
        tenantID: String?, resourceType: String, resourceID: String, ownerProject: String, project: String
    ) {
        self.tenantID = tenantID
        self.resourceType = resourceType
        self.resourceID = resourceID
        self.ownerProject = ownerProject
        self.project = project
    }

    /// What the decision looks the share up by.
    package var key: ShareTable.Key {
        ShareTable.Key(tenant: tenantID ?? "", type: resourceType, id: resourceID, project: project)
    }
}

extension ShareParties: Hashable {
    package static func == (left: ShareParties, right: ShareParties) -> Bool {
        left.key == right.key && left.ownerProject.utf8.elementsEqual(right.ownerProject.utf8)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// What is offered, and until when.
package struct ShareTerms: Sendable, Hashable {
    package var permissions: SharePermissions
    /// Nil = until it is revoked.
    package var expiresAt: Timestamp?

    package init(permissions: SharePermissions, expiresAt: Timestamp? = nil) {
        self.permissions = permissions
        self.expiresAt = expiresAt
    }
}

/// One share of a resource between two projects of a tenant.
package struct ProjectResourceAccess: Sendable, Hashable {
    /// `pending` waits for the receiving project; `declined` and `revoked` are final.
    package enum State: String, Sendable, CaseIterable {
        case pending, accepted, declined, revoked

        /// Whether something can still come of it.
        package var isLive: Bool { self == .pending || self == .accepted }
    }

    package let id: String
    package let parties: ShareParties
    package internal(set) var terms: ShareTerms
    package internal(set) var state: State
    package let createdBy: String
    package let createdAt: Timestamp
    /// Who accepted the terms as they are; nil again when more is offered.
    package internal(set) var acceptedBy: String?
    package internal(set) var acceptedAt: Timestamp?
    package internal(set) var revokedBy: String?
    package internal(set) var revokedAt: Timestamp?
    /// Why it was revoked.
    package internal(set) var reason: String?
    /// Counts its changes, from 1: a change that was computed from an older record is not stored.
    package internal(set) var revision: Int64

    /// A record as a store gives it back.
    package init(
        id: String, parties: ShareParties, terms: ShareTerms, state: State = .pending, createdBy: String,
        createdAt: Timestamp, acceptedBy: String? = nil, acceptedAt: Timestamp? = nil, revokedBy: String? = nil,
        revokedAt: Timestamp? = nil, reason: String? = nil, revision: Int64 = 1
    ) {
        self.id = id
        self.parties = parties
        self.terms = terms
        self.state = state
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.acceptedBy = acceptedBy
        self.acceptedAt = acceptedAt
        self.revokedBy = revokedBy
        self.revokedAt = revokedAt
        self.reason = reason
        self.revision = revision
    }

    /// Whether its time is over.
    package func isExpired(at now: Timestamp) -> Bool { terms.expiresAt.map { $0 <= now } ?? false }

    /// Whether it opens something: accepted and in time.
    package func counts(at now: Timestamp) -> Bool { state == .accepted && !isExpired(at: now) }

    /// The record as the API and the audit show it.
    package var json: JSONObject {
        func time(_ instant: Timestamp?) -> JSONValue { .optional(instant?.rfc3339) }
        return [
            "id": .string(id), "resource_type": .string(parties.resourceType),
            "resource_id": .string(parties.resourceID), "owner_project": .string(parties.ownerProject),
            "project": .string(parties.project), "permissions": .strings(terms.permissions.names),
            "state": .string(state.rawValue), "expires_at": time(terms.expiresAt), "created_by": .string(createdBy),
            "created_at": time(createdAt), "accepted_by": .optional(acceptedBy), "accepted_at": time(acceptedAt),
            "revoked_by": .optional(revokedBy), "revoked_at": time(revokedAt), "reason": .optional(reason),
        ]
    }
}
