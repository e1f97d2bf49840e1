// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The keys whose signatures count, united from all their places. State is judged at the time of each use.
package struct TrustedToolKeys: Sendable, Hashable {
    /// Keys that are kept at the most.
    package static let most = 64

    /// By id, no id twice.
    package private(set) var records: [ToolKeyRecord] = []
    /// Ids that were given two different keys: neither is used.
    package private(set) var conflicting: [String] = []
    /// Ids beyond `most`, which are not used.
    package private(set) var surplus: [String] = []

    /// Unites records. Of one key under one id in several places every restriction counts.
    package init(_ all: [ToolKeyRecord]) {
        var byID: [String: ToolKeyRecord] = [:]
        var doubled: Set<String> = []
        var order: [String] = []
        for record in all {
            guard let known = byID[record.keyID] else {
                byID[record.keyID] = record
                order.append(record.keyID)
                continue
            }
            if known.publicKey == record.publicKey {
                byID[record.keyID] = Self.narrowed(known, record)
            } else {
                doubled.insert(record.keyID)
            }
        }
        let usable = order.filter { !doubled.contains($0) }
        records = usable.prefix(Self.most).compactMap { byID[$0] }
        surplus = Array(usable.dropFirst(Self.most))
        conflicting = doubled.sorted()
    }

    /// The key of that id.
    package subscript(id: String) -> ToolKeyRecord? { records.first { $0.keyID == id } }

    /// Why a key may not be used at that time; nil when it may.
    package static func refusal(_ record: ToolKeyRecord, at now: Timestamp) -> Refusal? {
        if let revokedAt = record.revokedAt, revokedAt <= now {
            return Refusal(
                .toolsKeyRevoked,
                message: "Key \(record.keyID) is revoked since \(revokedAt.rfc3339): sign with another")
        }
        if let time = record.unreadableTime {
            return Refusal(
                .toolsKeyExpired, message: "Key \(record.keyID) is not used: its \(time) is no RFC 3339 time")
        }
        if let notBefore = record.notBefore, now < notBefore {
            return Refusal(
                .toolsKeyExpired, message: "Key \(record.keyID) is good only from \(notBefore.rfc3339) on")
        }
        if let expiresAt = record.expiresAt, now >= expiresAt {
            return Refusal(
                .toolsKeyExpired, message: "Key \(record.keyID) was good until \(expiresAt.rfc3339): sign with another")
        }
        return nil
    }

    private static func narrowed(_ left: ToolKeyRecord, _ right: ToolKeyRecord) -> ToolKeyRecord {
        var record = left
        record.notBefore = [left.notBefore, right.notBefore].compactMap(\.self).max()
        record.expiresAt = [left.expiresAt, right.expiresAt].compactMap(\.self).min()
        record.revokedAt = [left.revokedAt, right.revokedAt].compactMap(\.self).min()
        record.unreadableTime = left.unreadableTime ?? right.unreadableTime
        return record
    }
}
