// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import HTTPTypes
internal import Pipeline

/// The healing events of the trail, also under the name by which older dashboards know them.
struct HealingAuditRoutes: Sendable {
    let dependencies: HTTPDependencies

    var routes: [OwnRoute] {
        let list: @Sendable (OwnCall) async throws(Refusal) -> OwnAnswer = { call throws(Refusal) in
            try await events(try HealingQuery(parsing: call.query), call)
        }
        return [
            OwnRoute("GET", "/audit", .read, handle: list),
            OwnRoute("GET", "/api/ops/autoheal/audit", .read, handle: list),
            OwnRoute("GET", "/api/ops/autoheal/healthz", .read) { _ throws(Refusal) in
                var answer = OwnAnswer.json(
                    HealthDoor(readiness: dependencies.readiness, clock: dependencies.clock).state)
                answer.fields[.cacheControl] = "no-store"
                answer.isRecorded = false
                return answer
            },
        ]
    }

    private func events(_ query: HealingQuery, _ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let events = try await dependencies.auditTrail.healingEvents(query, as: AuditReader(call.caller))
        var writer = JSONWriter(reserving: 64 + events.count * 400)
        writer.raw("{\"count\":")
        writer.integer(Int64(events.count))
        writer.raw(",\"events\":[")
        for (index, event) in events.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.raw(HealingView.encoded(event))
        }
        writer.raw("]}")
        var answer = OwnAnswer()
        answer.text = (writer.bytes, "application/json")
        answer.auditAction = "audit.query"
        answer.auditMetadata["filters"] = .object(query.metadata)
        return answer
    }
}

extension AuditReader {
    /// Platform callers see every tenant, everybody else the own one.
    init(_ caller: OwnCaller) {
        let principal = caller.principal
        self = caller.admin || principal.platform ? .platform : .tenant(principal.tenantID)
    }
}

extension HealingQuery {
    /// Reads the parameters of `GET /audit`.
    ///
    /// - Throws: `request.malformed` for an unknown parameter, `request.invalid` naming a bad one, `audit.bad_query`.
    init(parsing items: QueryItems) throws(Refusal) {
        self.init()
        let given = try items.object(known: ["n", "since", "kind", "alertname", "contains", "q"])
        var reader = FieldReader()
        if let text = given["n"]?.stringValue {
            let number = text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
            if let number, (1...5000).contains(number) {
                count = number
            } else {
                reader.fault("n", "must be a number from 1 to 5000")
            }
        }
        if let text = given["since"]?.stringValue {
            if let instant = Self.instant(text) {
                since = instant.microseconds == 0 ? nil : instant
            } else {
                reader.fault("since", "must be Unix seconds or RFC 3339 with a zone")
            }
        }
        // A form sends fields that nobody filled in as empty ones.
        func text(_ name: String) -> String? { given[name]?.stringValue.flatMap { $0.isEmpty ? nil : $0 } }
        kind = text("kind")
        if let kind, !HealingView.kinds.contains(kind) { reader.fault("kind", HealingView.kindsInWords) }
        filter.alertname = text("alertname")
        filter.contains = text("contains")
        try reader.finish()
        if let text = given["q"]?.stringValue { filter.query = try BooleanQuery(parsing: text) }
    }

    /// Unix seconds, whose fraction is rounded up to the microsecond, so that nothing before the instant is kept; or RFC 3339.
    private static func instant(_ text: String) -> Timestamp? {
        if let instant = Timestamp(rfc3339: text) { return instant }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let areDigits = parts.allSatisfy { part in !part.isEmpty && part.allSatisfy { (0x30...0x39).contains($0) } }
        guard areDigits, let seconds = Int64(String(decoding: parts[0], as: UTF8.self)),
            seconds <= Timestamp.latest.seconds
        else { return nil }
        guard parts.count == 2 else { return Timestamp(seconds: seconds) }
        let digits = Array(parts[1])
        var micros: Int64 = 0
        for place in 0..<6 { micros = micros * 10 + (place < digits.count ? Int64(digits[place] - 0x30) : 0) }
        if digits.dropFirst(6).contains(where: { $0 != 0x30 }) { micros += 1 }
        return Timestamp(microseconds: seconds * 1_000_000 + micros)
    }
}
