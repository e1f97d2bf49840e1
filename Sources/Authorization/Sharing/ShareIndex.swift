// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The shares that count, kept up to date one record at a time. Records must come in the order in which they were stored.
struct ShareIndex: Sendable {
    private var shares: [ShareTable.Key: [AcceptedShare]] = [:]
    /// The records that count, by id and by parties.
    private var places: [String: ShareParties] = [:]
    private var holders: [ShareParties: String] = [:]

    /// Takes a record as it is now. One that counts takes the place of another between the same parties, of which there is never more than
    /// one that is pending or accepted; one that does not count only takes itself away.
    mutating func put(_ record: ProjectResourceAccess, at now: Timestamp) {
        guard record.counts(at: now) else { return remove(record.id, at: now) }
        let parties = record.parties
        if let former = holders[parties] { places[former] = nil }
        remove(parties, at: now)
        shares[parties.key, default: []].append(
            AcceptedShare(
                ownerProject: parties.ownerProject, permissions: record.terms.permissions,
                expiresAt: record.terms.expiresAt))
        places[record.id] = parties
        holders[parties] = record.id
    }

    /// Forgets a record that is not stored any more, or does not count.
    mutating func remove(_ id: String, at now: Timestamp) {
        guard let parties = places.removeValue(forKey: id) else { return }
        holders[parties] = nil
        remove(parties, at: now)
    }

    /// Takes away what counts between these parties, and what has expired beside it.
    private mutating func remove(_ parties: ShareParties, at now: Timestamp) {
        guard var present = shares[parties.key] else { return }
        present.removeAll { share in
            share.ownerProject.utf8.elementsEqual(parties.ownerProject.utf8)
                || share.expiresAt.map { $0 <= now } ?? false
        }
        shares[parties.key] = present.isEmpty ? nil : present
    }

    /// What the snapshot takes.
    var table: ShareTable { ShareTable(shares) }
}
