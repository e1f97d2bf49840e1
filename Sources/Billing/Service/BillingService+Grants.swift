// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A grant as its owner sees it.
package struct GrantAnswer: Sendable, Hashable {
    package let grant: Grant
    /// Credits less debt, in micro-credits.
    package let balanceMicroCredits: Int64

    /// `{id, key, micro_credits, source, priority, effective_at, expires_at, reason, features, state, remaining_micro_credits, …}`
    package var json: JSONValue {
        var object = grant.json
        object["balance_micro_credits"] = .int(balanceMicroCredits)
        return .object(object)
    }
}

extension Grant {
    /// `{id, key, micro_credits, source, …}`
    package var json: JSONObject {
        [
            "id": .string(id), "key": .string(key), "micro_credits": .int(microCredits),
            "source": .string(source.rawValue), "priority": .int(priority),
            "created_at": .string(createdAt.rfc3339), "effective_at": .string(effectiveAt.rfc3339),
            "expires_at": .optional(expiresAt?.rfc3339), "reason": .string(reason), "features": .strings(features),
            "state": .string(state.rawValue), "remaining_micro_credits": .int(remaining),
            "held_micro_credits": .int(held), "spent_micro_credits": .int(spent),
            "expired_micro_credits": .int(expired), "voided_micro_credits": .int(voided),
        ]
    }
}

/// What somebody wants granted.
package struct GrantOrder: Sendable, Hashable {
    package var key: String
    package var microCredits: Int64
    package var source: GrantSource
    package var priority: Int64?
    /// Nil = now.
    package var effectiveAt: Timestamp?
    package var expiresAt: Timestamp?
    package var reason: String
    package var features: [String]
    /// Of the new grant; nil = one is made.
    package var id: String?
    /// Whether another reason makes it another grant: where a body of a caller is compared. An object may be given better words.
    package var comparesReason = false

    package init(
        key: String, microCredits: Int64, source: GrantSource, priority: Int64? = nil, effectiveAt: Timestamp? = nil,
        expiresAt: Timestamp? = nil, reason: String, features: [String] = [], id: String? = nil
    ) {
        self.key = key
        self.microCredits = microCredits
        self.source = source
        self.priority = priority
        self.effectiveAt = effectiveAt
        self.expiresAt = expiresAt
        self.reason = reason
        self.features = features
        self.id = id
    }

    /// Takes what a body asks for.
    package init(_ request: GrantRequest) {
        self.init(
            key: request.key, microCredits: request.microCredits,
            source: GrantSource(rawValue: request.source.rawValue) ?? .admin, priority: request.priority,
            effectiveAt: request.effectiveAt, expiresAt: request.expiresAt, reason: request.reason,
            features: request.features ?? [])
        comparesReason = true
    }

    /// What tells another grant of the same key.
    var digest: String {
        let amount = "\(microCredits) \(source.rawValue) \(priority ?? source.defaultPriority)"
        let span = "\(effectiveAt?.microseconds ?? -1) \(expiresAt?.microseconds ?? -1)"
        return "\(amount) \(span) \(features.joined(separator: ","))"
    }
}

extension AccountWork {
    /// Grants credits; the same key with the same body is the same grant.
    ///
    /// - Throws: `Refusal` `request.idempotency_mismatch`, `request.invalid`, `billing.overflow`; `BillingStoreError`.
    package mutating func grant(_ order: GrantOrder) throws -> Grant {
        if let row = try transaction.grant(key: order.key) {
            let known = try Grant(row)
            guard known.digest == order.digest, !order.comparesReason || known.reason == order.reason else {
                throw Refusal(.requestIdempotencyMismatch)
            }
            return book.grants.first { $0.id == known.id } ?? known
        }
        let grant = Grant(
            id: order.id ?? "g-\(order.key)", key: order.key, digest: order.digest, microCredits: order.microCredits,
            source: order.source, priority: order.priority, createdAt: now, effectiveAt: order.effectiveAt ?? now,
            expiresAt: order.expiresAt, reason: order.reason, features: order.features)
        try book.grant(grant, standing: standing, into: &changes)
        return book.grants.first { $0.id == grant.id } ?? changes.grants.last { $0.id == grant.id } ?? grant
    }

    /// Takes away what is left of a grant; again it changes nothing.
    ///
    /// - Throws: `Refusal` `billing.not_found`; `BillingStoreError`.
    package mutating func void(grant id: String) throws -> Grant {
        if let grant = book.void(grant: id, into: &changes) { return grant }
        if let open = book.grants.first(where: { $0.id == id }) { return open }
        guard let row = try transaction.grant(id: id) else { throw Refusal(.billingNotFound) }
        return try Grant(row)
    }
}

extension BillingService {
    /// Grants credits.
    ///
    /// - Throws: `request.idempotency_mismatch`, `request.invalid`, `billing.overflow`.
    package func grant(
        _ order: GrantOrder, account: String, actor: String
    ) async throws(Refusal) -> GrantAnswer {
        try await change(account, actor: actor) { work, _ in
            GrantAnswer(grant: try work.grant(order), balanceMicroCredits: work.book.balance)
        }
    }

    /// Takes away what is left of a grant.
    ///
    /// - Throws: `billing.not_found`.
    package func void(grant id: String, account: String, actor: String) async throws(Refusal) -> GrantAnswer {
        try await change(account, actor: actor) { work, _ in
            GrantAnswer(grant: try work.void(grant: id), balanceMicroCredits: work.book.balance)
        }
    }
}
