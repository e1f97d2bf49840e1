// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Usage that was acknowledged before it is applied.
extension BillingService {
    /// Applies claims of one account in one transaction that ends them as well. What cannot be applied is set aside, and the owner told.
    ///
    /// - Returns: one result for each, in their order.
    /// - Throws: `billing.account_not_found`, `billing.unavailable`: nothing was done, and the claims are still there.
    package func apply(_ claims: [UsageClaim], account: String) async throws(Refusal) -> [UsageResult] {
        let candidates = claims.enumerated().map { UsageCandidate($1.event, index: $0) }
        return try await record(candidates, account: account) { results, work, transaction in
            for (claim, result) in zip(claims, results) {
                try transaction.removePending(id: claim.id)
                guard case .rejected(let refusal) = result.outcome else { continue }
                let dead = DeadUsage(claim, reason: refusal.code.rawValue, at: work.now)
                try transaction.put(dead.row)
                work.changes.tell(dead.alert)
            }
        }
    }

    /// Sets a claim aside that failed too often, and tells the owner where there is an account.
    ///
    /// - Parameters:
    ///   - row: as it is stored; it need not be readable.
    ///   - reason: in one line; no secrets.
    /// - Throws: `billing.unavailable`.
    package func bury(_ row: PendingUsageRow, reason: String) async throws(Refusal) {
        let dead = DeadUsage(
            id: row.id, payload: row.payload, attempts: row.attempts, reason: reason, at: clock.now())
        do throws(Refusal) {
            try await change(row.account, makes: false) { work, transaction in
                try transaction.removePending(id: row.id)
                try transaction.put(dead.row)
                work.changes.tell(dead.alert)
            }
        } catch {
            // An account that is not there, or cannot be read, has nobody to tell.
            do {
                try await ledger.transact(row.account) { transaction in
                    try transaction.removePending(id: row.id)
                    try transaction.put(dead.row)
                }
            } catch { throw fault(error, row.account) }
        }
    }
}

/// Acknowledged usage that was not applied, as it is kept for a person to look at.
struct DeadUsage {
    let id: String
    /// The event.
    let payload: String
    let attempts: Int64
    let reason: String
    let at: Timestamp

    init(id: String, payload: String, attempts: Int64, reason: String, at: Timestamp) {
        self.id = id
        self.payload = payload
        self.attempts = attempts
        self.reason = reason
        self.at = at
    }

    init(_ claim: UsageClaim, reason: String, at: Timestamp) {
        self.init(id: claim.id, payload: claim.event.document, attempts: claim.attempts, reason: reason, at: at)
    }

    /// `{reason, attempts, at, event}`; an event that cannot be read is kept as a text.
    var row: NamedRow {
        // As a text it is all there.
        let event = (try? JSONParser.parse(text: payload)) ?? .string(payload)
        let document: JSONValue = [
            "reason": .string(reason), "attempts": .int(attempts), "at": .string(at.rfc3339Micros), "event": event,
        ]
        return NamedRow(kind: .deadUsage, name: id, document: document.jsonText)
    }

    /// The same as it is shown, with its id.
    ///
    /// - Throws: `BillingStoreError` of code `unreadable`.
    static func shown(_ row: NamedRow) throws -> JSONValue {
        guard var object = (try? JSONParser.parse(text: row.document))?.objectValue else {
            throw BillingStoreError.unreadable("usage that was set aside")
        }
        object["id"] = .string(row.name)
        return .object(object)
    }

    /// `billing.alert` with `{reason: "usage_not_applied", code, source, id}`.
    var alert: AccountEvent {
        let event = try? UsageEvent(document: payload)
        return AccountEvent(
            .alert, at: at,
            data: [
                "reason": "usage_not_applied", "code": .string(reason), "source": .optional(event?.source),
                "id": .optional(event?.id),
            ])
    }
}
