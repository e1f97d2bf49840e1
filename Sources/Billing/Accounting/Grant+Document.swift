// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension Grant {
    /// As it is stored.
    package var row: GrantRow {
        GrantRow(id: id, key: key, document: JSONWriter.document { write(to: &$0) }, createdAt: createdAt)
    }

    /// Reads a stored one; members that are not known are passed over.
    ///
    /// - Throws: `BillingStoreError` of code `unreadable`.
    package init(_ row: GrantRow) throws {
        guard let object = (try? JSONParser.parse(text: row.document))?.objectValue, let grant = Grant(object) else {
            throw BillingStoreError.unreadable("grant")
        }
        self = grant
    }

    /// Writes the members of its object.
    func write(to writer: inout JSONWriter) {
        writer.member("id", id)
        writer.member("key", key == id ? nil : key)
        writer.member("digest", digest)
        writer.member("amount", microCredits)
        writer.member("source", source.rawValue)
        writer.member("priority", priority)
        writer.member("created", createdAt)
        if effectiveAt != createdAt { writer.member("effective", effectiveAt) }
        writer.member("expires", expiresAt)
        writer.member("reason", reason)
        writer.member("features", features)
        writer.member("origin", origin)
        if state != .open { writer.member("state", state.rawValue) }
        writer.member("left", remaining)
        writer.member("held", held)
        writer.member("spent", spent)
        writer.member("expired", expired)
        writer.member("voided", voided)
    }

    /// Reads the members of its object; nil where one is missing.
    init?(_ object: JSONObject) {
        var (id, key, digest, reason): (String?, String?, String, String) = (nil, nil, "", "")
        var (amount, left, held, spent, expired, voided): (Int64?, Int64, Int64, Int64, Int64, Int64) =
            (nil, 0, 0, 0, 0, 0)
        var (source, priority, state): (GrantSource?, Int64?, State?) = (nil, nil, .open)
        var (created, effective, expires): (Timestamp?, Timestamp?, Timestamp?) = (nil, nil, nil)
        var (features, origin): ([String], String?) = ([], nil)
        for member in object.members {
            let value = member.value
            switch member.name {
            case "id": id = value.stringValue
            case "key": key = value.stringValue
            case "digest": digest = value.stringValue ?? ""
            case "amount": amount = value.intValue
            case "source": source = value.stringValue.flatMap(GrantSource.init(rawValue:))
            case "priority": priority = value.intValue
            case "created": created = value.storedInstant
            case "effective": effective = value.storedInstant
            case "expires": expires = value.storedInstant
            case "reason": reason = value.stringValue ?? ""
            case "features": features = value.storedTexts
            case "origin": origin = value.stringValue
            case "state": state = value.stringValue.flatMap(State.init(rawValue:))
            case "left": left = value.intValue ?? 0
            case "held": held = value.intValue ?? 0
            case "spent": spent = value.intValue ?? 0
            case "expired": expired = value.intValue ?? 0
            case "voided": voided = value.intValue ?? 0
            default: break
            }
        }
        guard let id, let amount, let source, let priority, let created, let state else { return nil }
        self.init(
            id: id, key: key ?? id, digest: digest, microCredits: amount, source: source, priority: priority,
            createdAt: created, effectiveAt: effective ?? created, expiresAt: expires, reason: reason,
            features: features, origin: origin)
        self.state = state
        remaining = left
        self.held = held
        self.spent = spent
        self.expired = expired
        self.voided = voided
    }
}
