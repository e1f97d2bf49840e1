// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A limit on spending that the account's owner has set.
package struct Budget: Sendable, Hashable {
    /// What it counts.
    package enum Scope: String, Sendable, CaseIterable {
        case tenant, user, model, project
    }

    /// How long its window is.
    package enum Period: String, Sendable, CaseIterable {
        case daily, weekly, monthly
        case billingPeriod = "billing_period"
    }

    /// What happens when the soft limit is reached.
    package enum SoftAction: String, Sendable, CaseIterable {
        case alert
        case alertAndWebhook = "alert+webhook"
    }

    /// What happens above the hard limit.
    package enum HardAction: String, Sendable, CaseIterable {
        case alert, block
        case alertAndBlock = "alert+block"
        /// Request rates are divided by 10 until the window ends.
        case throttle
    }

    /// The most that an account may have.
    package static let maximumCount = 100

    /// 1–100 characters, unique within the account.
    package var name: String
    package var scope: Scope
    /// Which user, model or project; empty = all of them together.
    package var match: String
    package var period: Period
    /// In micro-US-dollars; nil = no limit.
    package var softLimitMicroUSD: Int64?
    /// In micro-US-dollars; nil = no limit, 0 = nothing may be spent.
    package var hardLimitMicroUSD: Int64?
    package var actionOnSoft: SoftAction
    package var actionOnHard: HardAction
    package var webhookURL: String?
    /// Whether it stands in the Subscription object, which alone may change it.
    package var isOfObject: Bool

    package init(
        name: String, scope: Scope, match: String = "", period: Period, softLimitMicroUSD: Int64? = nil,
        hardLimitMicroUSD: Int64? = nil, actionOnSoft: SoftAction = .alert, actionOnHard: HardAction = .alert,
        webhookURL: String? = nil, isOfObject: Bool = false
    ) {
        self.name = name
        self.scope = scope
        self.match = match
        self.period = period
        self.softLimitMicroUSD = softLimitMicroUSD
        self.hardLimitMicroUSD = hardLimitMicroUSD
        self.actionOnSoft = actionOnSoft
        self.actionOnHard = actionOnHard
        self.webhookURL = webhookURL
        self.isOfObject = isOfObject
    }

    /// Whether what would go above the hard limit is refused.
    package var blocks: Bool { actionOnHard == .block || actionOnHard == .alertAndBlock }

    /// Whether it counts a charge.
    package func counts(_ subject: ChargeSubject) -> Bool {
        guard scope != .tenant, !match.isEmpty else { return true }
        return switch scope {
        case .tenant: true
        case .user: subject.user == match
        case .model: subject.model == match
        case .project: subject.project == match
        }
    }
}
