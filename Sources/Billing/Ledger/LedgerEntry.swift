// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One entry of the ledger of an account: double entry, append-only.
package struct LedgerEntry: Sendable, Hashable {
    /// What an entry is about.
    package enum Kind: String, Sendable, CaseIterable {
        case grant, hold, settle, release, expire, void, rollover, overage, repay, adjust
    }

    /// Where micro-credits lie.
    package enum Bucket: Sendable, Hashable {
        case issued
        case grant(String)
        case held(String)
        case consumed, expired, voided, overage

        /// As it is stored and shown: `issued`, `grant:<id>`, `held:<reservation>`, `consumed`, `expired`, `voided`, `overage`.
        package var text: String {
            switch self {
            case .issued: "issued"
            case .grant(let id): "grant:\(id)"
            case .held(let id): "held:\(id)"
            case .consumed: "consumed"
            case .expired: "expired"
            case .voided: "voided"
            case .overage: "overage"
            }
        }

        /// Nil where the text is none of them.
        package init?(text: some StringProtocol) {
            switch text {
            case "issued": self = .issued
            case "consumed": self = .consumed
            case "expired": self = .expired
            case "voided": self = .voided
            case "overage": self = .overage
            default:
                if text.hasPrefix("grant:") {
                    self = .grant(String(text.dropFirst(6)))
                } else if text.hasPrefix("held:") {
                    self = .held(String(text.dropFirst(5)))
                } else {
                    return nil
                }
            }
        }
    }

    /// A bucket and what it gains, in micro-credits; negative where it loses.
    package struct Leg: Sendable, Hashable {
        package var bucket: Bucket
        package var microCredits: Int64

        package init(_ bucket: Bucket, _ microCredits: Int64) {
            self.bucket = bucket
            self.microCredits = microCredits
        }
    }

    /// Within the account, from 1, without gaps.
    package var sequence: Int64
    package var id: String
    /// Unique within the account.
    package var key: String
    package var kind: Kind
    /// When it took effect.
    package var at: Timestamp
    /// When it was written.
    package var recordedAt: Timestamp
    /// They sum to 0.
    package var legs: [Leg]
    /// What it is about: `event:<source>/<id>`, `reservation:<id>`, `invoice:<id>`, `grant:<id>`; for `adjust` the entry that it corrects.
    package var reference: String?
    /// Price without and with markup, in micro-US-dollars.
    package var listMicroUSD: Int64?
    package var chargeMicroUSD: Int64?
    package var priceVersion: String?
    /// Who did it: a subject, or `system`.
    package var actor: String
    /// Credits less debt after this entry.
    package var balanceAfter: Int64

    package init(
        sequence: Int64, id: String, key: String, kind: Kind, at: Timestamp, recordedAt: Timestamp, legs: [Leg],
        reference: String? = nil, listMicroUSD: Int64? = nil, chargeMicroUSD: Int64? = nil,
        priceVersion: String? = nil, actor: String = "system", balanceAfter: Int64
    ) {
        self.sequence = sequence
        self.id = id
        self.key = key
        self.kind = kind
        self.at = at
        self.recordedAt = recordedAt
        self.legs = legs
        self.reference = reference
        self.listMicroUSD = listMicroUSD
        self.chargeMicroUSD = chargeMicroUSD
        self.priceVersion = priceVersion
        self.actor = actor
        self.balanceAfter = balanceAfter
    }
}
