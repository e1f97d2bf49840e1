// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Where credits come from.
package enum GrantSource: String, Sendable, CaseIterable {
    case rollover, subscription, promotion, admin, purchase

    /// The lower number is spent first.
    package var defaultPriority: Int64 {
        switch self {
        case .rollover: 9
        case .subscription: 10
        case .promotion: 20
        case .admin: 30
        case .purchase: 50
        }
    }
}

/// Credits that were granted, and what became of them. All amounts are micro-credits; what was granted is always the sum of what is left, held,
/// spent, expired and voided.
package struct Grant: Sendable, Hashable {
    /// Whether it still pays.
    package enum State: String, Sendable {
        case open, expired, voided
    }

    /// The most that one grant may be.
    package static let maximumMicroCredits: Int64 = 1_000_000_000_000_000

    package var id: String
    /// Unique within the account.
    package var key: String
    /// Of the body that it was asked for with: tells a repeat from another grant of the same key.
    package var digest: String
    package var microCredits: Int64
    package var source: GrantSource
    /// 1–255; the lower is spent first.
    package var priority: Int64
    package var createdAt: Timestamp
    package var effectiveAt: Timestamp
    /// Nil = never.
    package var expiresAt: Timestamp?
    package var reason: String
    /// What it pays for: `tokens`, `agents` or model ids; empty = everything.
    package var features: [String]
    /// Of a pool: the subscription that must be in force for it to be spent; nil for grants that stand for themselves.
    package var origin: String?

    package var state = State.open
    /// Neither held nor gone.
    package var remaining: Int64
    package var held: Int64 = 0
    package var spent: Int64 = 0
    package var expired: Int64 = 0
    package var voided: Int64 = 0

    package init(
        id: String, key: String, digest: String, microCredits: Int64, source: GrantSource, priority: Int64? = nil,
        createdAt: Timestamp, effectiveAt: Timestamp, expiresAt: Timestamp? = nil, reason: String,
        features: [String] = [], origin: String? = nil
    ) {
        self.id = id
        self.key = key
        self.digest = digest
        self.microCredits = microCredits
        self.source = source
        self.priority = priority ?? source.defaultPriority
        self.createdAt = createdAt
        self.effectiveAt = effectiveAt
        self.expiresAt = expiresAt
        self.reason = reason
        self.features = features
        self.origin = origin
        remaining = microCredits
    }

    /// Whether nothing can come of it any more.
    var isFinished: Bool { held == 0 && remaining == 0 }

    /// Whether it is spent before another: lower priority number, earlier expiry (none is last), earlier creation, id.
    func precedes(_ other: Grant) -> Bool {
        if priority != other.priority { return priority < other.priority }
        if expiresAt != other.expiresAt {
            guard let end = expiresAt else { return false }
            guard let otherEnd = other.expiresAt else { return true }
            return end < otherEnd
        }
        if createdAt != other.createdAt { return createdAt < other.createdAt }
        return id < other.id
    }

    /// Whether it pays for something of that kind.
    func pays(for purpose: SpendPurpose) -> Bool {
        guard !features.isEmpty else { return true }
        return switch purpose {
        case .tokens(let model): features.contains("tokens") || (!model.isEmpty && features.contains(model))
        case .agents: features.contains("agents")
        case .other: false
        }
    }
}

/// What credits are spent on: some grants pay for one kind only.
package enum SpendPurpose: Sendable, Hashable {
    /// Of a model; empty where it is not known.
    case tokens(model: String)
    case agents
    case other
}
