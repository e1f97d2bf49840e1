// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Who speaks to the payment provider.
enum BillingMode: String, Sendable, CaseIterable {
    /// This process.
    case direct
    /// A front end, which tells what was confirmed.
    case frontend
}

/// Accounts, their credits and their usage.
struct CreditSettings: Sendable {
    var mode: BillingMode
    /// Whether the first event of a verified tenant makes its account.
    var makesAccounts: Bool
    /// How long a failed payment keeps the plan.
    var pastDueGrace: Duration
    /// How long the pool of a provider's period that ended stays usable while the next period is not known.
    var renewalSlack: Duration
    /// After how long without news past a period's end the provider is asked; not below the slack.
    var staleAfter: Duration
    /// After how long without news past a period's end the plan is not in force any more; not below `staleAfter`.
    var lapseAfter: Duration
    /// `host` or `host:port`, lower case, to which browsers may be sent back; empty = to none.
    var redirectAllow: [String]
    /// How long a usage event is known for a repeat; at least 768 hours.
    var dedupWindow: Duration
}

/// How the payment provider is reached.
struct StripeAccess: Sendable {
    /// Nil = what needs the provider is answered `billing.not_configured`.
    var apiKey: Redacted<String>?
    /// Every secret that may have signed a webhook, the present one first; empty = webhooks are answered `billing.not_configured`.
    var webhookSecrets: [Redacted<String>]
    /// https, or http to this machine or an allowed host.
    var base: WebAddress
    /// Nil = the account's own.
    var version: String?
    /// How far the time of a webhook may be from now.
    var webhookTolerance: Duration
    /// Nil = metered usage is not reported.
    var meterEventName: String?
}
