// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials

/// What the audit trail has of API keys: of one, or of every key that the caller may see.
struct APIKeyEvents: Sendable {
    let keys: any APIKeyService
    let auditTrail: any AuditQuerying

    /// What happens to keys. The trail is asked for each by itself, because it filters by one action.
    private static let actions = [
        "api_key.create", "api_key.update", "api_key.use", "api_key.rotate", "api_key.revoke",
    ]
    private static let prefix = "api_key."
    /// How often the trail is asked again when what it gave belongs to others.
    private static let rounds = 8
    private static let maximumOffset = 800

    /// Which part of the events is asked for.
    private struct Window {
        var limit = 50
        var offset = 0
        var cursor: String?
    }

    /// The events of one key, newest first.
    func ofKey(_ call: OwnCall, acceptsOffset: Bool = false) async throws(Refusal) -> OwnAnswer {
        _ = try await keys.show(call.captures[0], caller: call.caller)
        let window = try Self.window(call, acceptsOffset: acceptsOffset)
        var query = AuditQuery()
        query.resource = call.captures[0]
        query.cursor = window.cursor
        query.limit = window.limit + window.offset
        let page = try await auditTrail.query(query, as: .platform)
        // Something else may have the same name.
        let rows = page.rows.filter { $0.action.utf8.starts(with: Self.prefix.utf8) }
        return Self.answer(rows.dropFirst(window.offset), next: page.nextCursor)
    }

    /// The events of every key that the caller may see, newest first.
    func all(_ call: OwnCall, acceptsOffset: Bool = false) async throws(Refusal) -> OwnAnswer {
        let window = try Self.window(call, acceptsOffset: acceptsOffset)
        var position: EventPosition?
        if let text = window.cursor {
            position = EventPosition(text: text)
            guard position != nil else { throw Refusal(.auditBadCursor) }
        }
        let wanted = window.limit + window.offset
        var found: [AuditRow] = []
        var hasMore = true
        for _ in 0..<Self.rounds where hasMore && found.count <= wanted {
            let batch = try await batch(after: position, atLeast: wanted + 1)
            found += batch.rows.filter { keys.sees($0.resource, caller: call.caller) }
            hasMore = batch.hasMore
            position = batch.end ?? position
        }
        var next: EventPosition?
        if found.count > wanted { next = EventPosition(found[wanted - 1]) } else if hasMore { next = position }
        return Self.answer(found.prefix(wanted).dropFirst(window.offset), next: next?.text)
    }

    /// The next events of all kinds and all keys behind a place, as far as every kind is known.
    private func batch(
        after position: EventPosition?, atLeast count: Int
    ) async throws(Refusal) -> (rows: [AuditRow], hasMore: Bool, end: EventPosition?) {
        var rows: [AuditRow] = []
        var bound: EventPosition?
        for action in Self.actions {
            var query = AuditQuery()
            query.action = action
            // The instant of the place itself once more: several events may share it.
            query.to = position.map { Timestamp(microseconds: $0.at.microseconds + 1) }
            query.limit = min(1000, count + 50)
            let page = try await auditTrail.query(query, as: .platform)
            rows += page.rows
            if page.nextCursor != nil, let last = page.rows.last.map({ EventPosition($0) }) {
                bound = bound.map { max($0, last) } ?? last
            }
        }
        let known = rows.filter { row in
            let place = EventPosition(row)
            return (position.map { place < $0 } ?? true) && (bound.map { place >= $0 } ?? true)
        }
        let sorted = known.sorted { EventPosition($1) < EventPosition($0) }
        return (sorted, bound != nil, bound)
    }

    private static func window(_ call: OwnCall, acceptsOffset: Bool) throws(Refusal) -> Window {
        let items = try call.query.object(known: acceptsOffset ? ["limit", "cursor", "offset"] : ["limit", "cursor"])
        var reader = FieldReader()
        var window = Window()
        window.cursor = items["cursor"]?.stringValue
        if let text = items["limit"]?.stringValue {
            window.limit = Int(text) ?? 0
            if !(1...200).contains(window.limit) { reader.fault("limit", "not a number from 1 to 200") }
        }
        if let text = items["offset"]?.stringValue {
            window.offset = Int(text) ?? -1
            if !(0...maximumOffset).contains(window.offset) {
                reader.fault("offset", "not a number from 0 to \(maximumOffset): use cursor to go further")
            }
        }
        try reader.finish()
        return window
    }

    private static func answer(_ rows: ArraySlice<AuditRow>, next: String?) -> OwnAnswer {
        var json = JSONWriter(reserving: 1024)
        json.raw(#"{"events":["#)
        for (index, row) in rows.enumerated() {
            if index > 0 { json.raw(",") }
            json.raw(row.line)
        }
        json.raw(#"],"next_cursor":"#)
        json.string(next)
        json.raw("}")
        var answer = OwnAnswer()
        answer.text = (json.bytes, "application/json")
        return answer
    }
}

/// A place in the order of events. It says nothing that its holder may not know: whatever lies behind it is looked at again.
private struct EventPosition: Comparable {
    let at: Timestamp
    let id: String

    init(_ row: AuditRow) {
        at = row.at
        id = row.id
    }

    init?(text: String) {
        guard text.utf8.count <= 128, let bytes = Base64URL.decode(Array(text.utf8)),
            let plain = String(validating: bytes, as: UTF8.self), let colon = plain.firstIndex(of: ":"),
            let micros = Int64(plain[..<colon]), (0..<Timestamp.latest.microseconds).contains(micros)
        else { return nil }
        at = Timestamp(microseconds: micros)
        id = String(plain[plain.index(after: colon)...])
    }

    var text: String { Base64URL.encode(Array("\(at.microseconds):\(id)".utf8)) }

    static func < (left: EventPosition, right: EventPosition) -> Bool {
        left.at != right.at ? left.at < right.at : left.id < right.id
    }
}
