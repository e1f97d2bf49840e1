// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Authentication
package import Essentials
internal import Pipeline
internal import RuntimeState

/// `POST /v1/sidecar/records`: what sidecars have recorded and counted.
///
/// Their word is taken for what they decided, and every entry says whose word it is: it can neither speak for another tenant nor say that
/// anything but a decision happened.
package struct SidecarRecordsRoutes: OwnAPIModule {
    private static let bodyBytes = 4 << 20
    /// What a sidecar does by itself; everything else happens where the operator is.
    private static let actions: Set<String> = ["decision.check", "decision.explain", "auth.blocked"]

    private let audit: any AuditRecording
    private let tokens: ServiceTokenTable
    private let keys: APIKeyTable
    private let clock: any WallClock

    /// - Parameters:
    ///   - tokens: where uses of service tokens are counted.
    ///   - keys: where uses of API keys are counted.
    ///   - clock: says what is still to come and so cannot have happened.
    package init(audit: any AuditRecording, tokens: ServiceTokenTable, keys: APIKeyTable, clock: any WallClock) {
        self.audit = audit
        self.tokens = tokens
        self.keys = keys
        self.clock = clock
    }

    package var routes: [OwnRoute] {
        [
            OwnRoute("POST", "/v1/sidecar/records", .write, bodyBytes: Self.bodyBytes) { call throws(Refusal) in
                let records = try SidecarRecords(call.body, now: clock.now())
                let scope = try SnapshotRoutes.scope(call.caller)
                var accepted: Int64 = 0
                for entry in records.entries {
                    guard let draft = Self.draft(entry, records.writer, call.caller, scope) else { continue }
                    // What does not fit into the queue is sent again with the rest of the report.
                    try await audit.accept(draft)
                    accepted += 1
                }
                tokens.take(records.tokenUses) { scope.covers($0) }
                keys.take(records.keyUses) { scope.covers($0) }
                keys.take(records.keyUsage) { scope.covers($0) }
                var answer = OwnAnswer.json(["accepted": .int(accepted)])
                answer.auditResource = "sidecar/\(records.writer)"
                answer.auditMetadata = [
                    "entries": .int(Int64(records.entries.count)), "accepted": .int(accepted),
                    "token_uses": .int(Int64(records.tokenUses.count)), "key_uses": .int(Int64(records.keyUses.count)),
                ]
                return answer
            }
        ]
    }

    /// Nil for what is not a sidecar's to say.
    private static func draft(
        _ entry: JSONValue, _ writer: String, _ caller: OwnCaller, _ scope: SnapshotScope
    ) -> AuditDraft? {
        guard let action = entry["action"]?.stringValue, actions.contains(action),
            let actor = entry["actor"]?.stringValue, let resource = entry["resource"]?.stringValue,
            let outcome = entry["outcome"]?.stringValue.flatMap(AuditDraft.Outcome.init(rawValue:))
        else { return nil }
        var metadata = entry["metadata"]?.objectValue ?? JSONObject()
        metadata["reported_by"] = .string(caller.principal.subject)
        metadata["reported_writer"] = .string(writer)
        metadata["reported_id"] = entry["id"] ?? .null
        metadata["reported_at"] = entry["timestamp"] ?? .null
        var tenant = entry["tenant"]?.stringValue
        if case .tenant(let own) = scope { tenant = own }
        return AuditDraft(
            actor: actor, action: action, resource: resource, outcome: outcome, metadata: metadata,
            ip: entry["ip"]?.stringValue.flatMap { IPAddress($0) }?.description, tenant: tenant,
            requestID: entry["request_id"]?.stringValue)
    }
}
