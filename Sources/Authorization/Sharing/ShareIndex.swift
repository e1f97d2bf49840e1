// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The shares that count, kept up to date one record at a time. Records must come in the order in which they were stored.
struct ShareIndex: Sendable {
    private var shares: [ShareTable.Key: [AcceptedShare]] = [:]

    /// Takes a record as it is now. A record that does not count takes the place of one that did: between the same parties there is never
    /// more than one that is pending or accepted.
    mutating func put(_ record: ProjectResourceAccess, at now: Timestamp) {
        let key = record.parties.key
        let owner = record.parties.ownerProject
        var present = shares[key] ?? []
        present.removeAll { share in
            share.ownerProject.utf8.elementsEqual(owner.utf8) || share.expiresAt.map { $0 <= now } ?? false
        }
        if record.counts(at: now) {
            present.append(
                AcceptedShare(
                    ownerProject: owner, permissions: record.terms.permissions, expiresAt: record.terms.expiresAt))
        }
        shares[key] = present.isEmpty ? nil : present
    }

    /// What the snapshot takes.
    var table: ShareTable { ShareTable(shares) }
}
