// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

// Accounts, credits, usage and the payment provider.
extension SettingsCatalog {
    /// In the order of the table.
    static let credits: [SettingInfo] = [
        billingMode.info, autoAccounts.info, pastDueGrace.info, renewalSlack.info, staleAfter.info, lapseAfter.info,
        redirectAllow.info, usageDedupWindow.info, stripeAPIKey.info, stripeWebhookSecret.info, stripeBase.info,
        stripeVersion.info, stripeTolerance.info, stripeMeterEventName.info,
    ]

    static let billingMode = Setting(
        "TOLLGATE_BILLING_MODE", SettingFormat<BillingMode>.choice, default: "direct", in: .credits,
        "direct: this installation speaks to Stripe; frontend: a front end does, and tells what was confirmed.")
    static let autoAccounts = Setting(
        "TOLLGATE_BILLING_AUTO_ACCOUNTS", .flag, default: "true", in: .credits,
        "Whether the first event of a verified tenant makes its account, on the fallback plan.")
    static let pastDueGrace = Setting(
        "TOLLGATE_BILLING_PAST_DUE_GRACE", .duration(.zero...(.seconds(31_536_000)), shown: "0 to 8760h"),
        default: "168h", in: .credits, "How long a failed payment keeps the plan.")
    static let renewalSlack = Setting(
        "TOLLGATE_BILLING_RENEWAL_SLACK", .duration(.zero...(.seconds(2_592_000)), shown: "0 to 720h"),
        default: "24h", in: .credits,
        "How long the credits of a Stripe period that ended stay usable while the next one is not known.")
    static let staleAfter = Setting(
        "TOLLGATE_BILLING_STALE_AFTER", .duration(.zero...(.seconds(31_536_000)), shown: "0 to 8760h"),
        default: "72h", in: .credits,
        "After how long without news past a period's end Stripe is asked; not below the slack.")
    static let lapseAfter = Setting(
        "TOLLGATE_BILLING_LAPSE_AFTER", .duration(.zero...(.seconds(31_536_000)), shown: "0 to 8760h"),
        default: "336h", in: .credits,
        "After how long without news past a period's end the subscription counts as unpaid; not below TOLLGATE_BILLING_STALE_AFTER."
    )
    static let redirectAllow = Setting(
        "TOLLGATE_BILLING_REDIRECT_ALLOW",
        SettingFormat<[String]>.list("list", expected: "a list of host or host:port") { text in
            guard let address = WebAddress("https://" + text), address.path.isEmpty, !text.hasSuffix("/") else {
                return nil
            }
            return String(address.origin.dropFirst("https://".utf8.count))
        }, in: .credits,
        "Hosts to which checkout and portal may send browsers back; none unless they are named.")
    static let usageDedupWindow = Setting(
        "TOLLGATE_USAGE_DEDUP_WINDOW", .duration(.seconds(2_764_800)...(.seconds(31_536_000)), shown: "768h to 8760h"),
        default: "768h", in: .credits, "How long a usage event is known, so that its repeat has no effect.")
    static let stripeAPIKey = Setting(
        "STRIPE_API_KEY",
        .text("secret", expected: "a secret or restricted key: sk_… or rk_…") { text in
            (text.hasPrefix("sk_") || text.hasPrefix("rk_")) && (8...512).contains(text.utf8.count)
                && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }, secret: true, in: .credits, "The key to Stripe; without one what needs Stripe is answered 503.")
    static let stripeWebhookSecret = Setting(
        "STRIPE_WEBHOOK_SECRET",
        SettingFormat<[String]>.list("secret", expected: "up to 16 secrets of Stripe webhooks, separated by commas") {
            $0.utf8.count <= 512 && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? $0 : nil
        }.atMost(16), secret: true, in: .credits,
        "Secrets with which Stripe signs its webhooks, all of them active; without one webhooks are answered 503.")
    static let stripeBase = Setting(
        "STRIPE_API_BASE", .webAddress, default: "https://api.stripe.com", in: .credits,
        "Where Stripe is; http only on this machine or at a host of TOLLGATE_EGRESS_ALLOW.")
    static let stripeVersion = Setting(
        "STRIPE_API_VERSION",
        .text("text", expected: "a version such as 2025-03-31.basil") { text in
            (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(Self.isWordByte)
        }, defaultNote: "the account's own", in: .credits, "The version of Stripe's interface that is asked for.")
    static let stripeTolerance = Setting(
        "STRIPE_WEBHOOK_TOLERANCE", .duration(.seconds(1)...(.seconds(3600)), shown: "1s to 1h"), default: "300s",
        in: .credits, "How far the time of a webhook of Stripe may be from now.")
    static let stripeMeterEventName = Setting(
        "STRIPE_METER_EVENT_NAME",
        .text("text", expected: "at most 100 of [A-Za-z0-9._-]") { text in
            (1...100).contains(text.utf8.count) && text.utf8.allSatisfy(Self.isWordByte)
        }, in: .credits, "The meter to which usage is reported; without one none is.")

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}

extension SettingFormat where Value == [String] {
    /// The same with at most so many elements.
    fileprivate func atMost(_ count: Int) -> SettingFormat {
        SettingFormat(type, expected: expected) { text in
            read(text).flatMap { $0.count <= count ? $0 : nil }
        }
    }
}

extension TollgateSettings {
    static func credits(_ reader: inout SettingsReader) -> CreditSettings {
        typealias Catalog = SettingsCatalog
        let (slack, stale, lapse) = (
            reader.optional(Catalog.renewalSlack), reader.optional(Catalog.staleAfter),
            reader.optional(Catalog.lapseAfter)
        )
        if let slack, let stale, stale < slack {
            reader.problem(
                "TOLLGATE_BILLING_STALE_AFTER",
                "it is shorter than TOLLGATE_BILLING_RENEWAL_SLACK: make it at least as long")
        }
        if let stale, let lapse, lapse < stale {
            reader.problem(
                "TOLLGATE_BILLING_LAPSE_AFTER",
                "it is shorter than TOLLGATE_BILLING_STALE_AFTER: make it at least as long")
        }
        return CreditSettings(
            mode: reader.value(Catalog.billingMode, orAfterProblem: .direct),
            makesAccounts: reader.value(Catalog.autoAccounts, orAfterProblem: true),
            pastDueGrace: reader.value(Catalog.pastDueGrace, orAfterProblem: .zero), renewalSlack: slack ?? .zero,
            staleAfter: stale ?? .zero, lapseAfter: lapse ?? .zero,
            redirectAllow: reader.optional(Catalog.redirectAllow) ?? [],
            dedupWindow: reader.value(Catalog.usageDedupWindow, orAfterProblem: .seconds(2_764_800)))
    }

    static func stripe(_ reader: inout SettingsReader) -> StripeAccess {
        typealias Catalog = SettingsCatalog
        return StripeAccess(
            apiKey: reader.optional(Catalog.stripeAPIKey).map { Redacted($0) },
            webhookSecrets: (reader.optional(Catalog.stripeWebhookSecret) ?? []).map { Redacted($0) },
            base: reader.value(Catalog.stripeBase, orAfterProblem: .standIn),
            version: reader.optional(Catalog.stripeVersion),
            webhookTolerance: reader.value(Catalog.stripeTolerance, orAfterProblem: .seconds(300)),
            meterEventName: reader.optional(Catalog.stripeMeterEventName))
    }

    /// What the settings of billing say together with others.
    static func checkBilling(_ settings: TollgateSettings, _ reader: inout SettingsReader) {
        let base = settings.stripe.base
        if base.scheme == "http", !base.isLoopback {
            if settings.egressAllow.contains(where: { $0.covers(base.host) }) {
                reader.note(.unsafe, "STRIPE_API_BASE", "the key to Stripe goes over the network in plain text")
            } else {
                reader.problem(
                    "STRIPE_API_BASE",
                    "the key to Stripe would go over the network in plain text: use https, or name \(base.host) in TOLLGATE_EGRESS_ALLOW"
                )
            }
        }
        if settings.credits.mode == .frontend, settings.stripe.apiKey != nil {
            reader.problem(
                "STRIPE_API_KEY",
                "in mode frontend no key to Stripe is held here: unset it, or set TOLLGATE_BILLING_MODE to direct")
        }
    }
}

extension EgressTarget {
    /// Whether a host, by its name or as an address, is allowed.
    fileprivate func covers(_ host: String) -> Bool {
        switch self {
        case .host(let name): name == host
        case .block(let block): IPAddress(host).map(block.contains) ?? false
        }
    }
}
