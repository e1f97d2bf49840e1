// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing

/// Healing by alerts, as the settings have it.
struct HealingConfiguration: Sendable {
    /// Without the namespaces, which may be the own one.
    var gates: HealingSettings
    /// Empty = the own one.
    var namespaces: [String]
    /// Absolute.
    var rulesFile: String?
    var alertmanager: WebAddress
    var publicURL: WebAddress?
    var webhookToken: Redacted<String>?
    var webhookKey: Redacted<[UInt8]>?
    var webhookNetworks: [CIDR]
    /// In seconds.
    var ackMaximum: Int64
    var linkKey: Redacted<[UInt8]>?
    var slackURL: Redacted<String>?
    var pagerDutyKey: Redacted<String>?
    var notify: (url: Redacted<String>, secret: Redacted<[UInt8]>)?
    /// Of 1,000.
    var chaosPermille: Int

    /// The channels that have an address.
    var channels: Set<HealingRule.Channel> {
        var channels: Set<HealingRule.Channel> = []
        if slackURL != nil { channels.insert(.slack) }
        if pagerDutyKey != nil { channels.insert(.pagerduty) }
        if notify != nil { channels.insert(.webhook) }
        return channels
    }

    /// Whether nobody but an address admits a call of the webhook: one that a replica passes on comes from that replica's address.
    var admitsByAddressAlone: Bool { !webhookNetworks.isEmpty && webhookToken == nil && webhookKey == nil }
}

extension TollgateSettings {
    /// Reads what belongs to healing.
    static func healing(
        _ reader: inout SettingsReader, environment: [String: String], host: HostFacts
    ) -> HealingConfiguration {
        typealias Catalog = SettingsCatalog
        let url = reader.optional(Catalog.notifyURL)
        let secret = reader.optional(Catalog.notifySecret)
        switch (url, secret) {
        case (.some, nil): reader.problem("AUTOHEAL_NOTIFY_SECRET", "AUTOHEAL_NOTIFY_URL is set: set both or neither")
        case (nil, .some): reader.problem("AUTOHEAL_NOTIFY_URL", "AUTOHEAL_NOTIFY_SECRET is set: set both or neither")
        default: break
        }
        let gates = gates(&reader)
        let configuration = HealingConfiguration(
            gates: gates, namespaces: reader.optional(Catalog.autohealNamespaces) ?? [],
            rulesFile: reader.optional(Catalog.autohealRules).map {
                absolute($0, environment: environment, host: host)
            },
            alertmanager: reader.value(Catalog.alertmanagerURL, orAfterProblem: .standIn),
            publicURL: reader.optional(Catalog.autohealPublicURL),
            webhookToken: reader.optional(Catalog.webhookToken).map { Redacted($0) },
            webhookKey: reader.optional(Catalog.webhookKey),
            webhookNetworks: reader.optional(Catalog.webhookNetworks) ?? [],
            ackMaximum: Int64(reader.value(Catalog.ackMaximum, orAfterProblem: 0)),
            linkKey: reader.optional(Catalog.ackLinkKey),
            slackURL: reader.optional(Catalog.slackURL).map { Redacted($0) },
            pagerDutyKey: reader.optional(Catalog.pagerDutyKey).map { Redacted($0) },
            notify: url.flatMap { url in secret.map { (Redacted(url), $0) } },
            chaosPermille: reader.value(Catalog.chaosRate, orAfterProblem: 0))
        note(configuration, &reader)
        return configuration
    }

    private static func gates(_ reader: inout SettingsReader) -> HealingSettings {
        typealias Catalog = SettingsCatalog
        var cooldowns: [String: Int64] = [:]
        for (alert, setting) in [
            ("TcpEndpointDownFast", Catalog.cooldownTCP), ("UptimeProbeFailing", Catalog.cooldownUptime),
            ("CrmMetricsScrapeStale", Catalog.cooldownScrape),
        ] { cooldowns[alert] = reader.optional(setting).map { Int64($0) } }
        return HealingSettings(
            isEnabled: reader.value(Catalog.autohealEnabled, orAfterProblem: false),
            isDryRun: reader.value(Catalog.autohealDryRun, orAfterProblem: true),
            defaultCooldown: Int64(reader.value(Catalog.defaultCooldown, orAfterProblem: 0)), cooldowns: cooldowns,
            dedupWindow: Int64(reader.value(Catalog.dedupWindow, orAfterProblem: 0)),
            budgetPerHour: reader.value(Catalog.budgetPerHour, orAfterProblem: 1),
            budgetPerTarget: reader.value(Catalog.budgetPerTarget, orAfterProblem: 1),
            concurrency: reader.value(Catalog.autohealConcurrency, orAfterProblem: 1))
    }

    private static func note(_ healing: HealingConfiguration, _ reader: inout SettingsReader) {
        if healing.gates.isEnabled, healing.alertmanager.scheme == "http", !healing.alertmanager.isLoopback {
            reader.note(.unsafe, "ALERTMANAGER_URL", "silences cross the network as plain text: use https")
        }
        if healing.chaosPermille > 0 {
            reader.note(.unsafe, "AUTOHEAL_CHAOS_FAILURE_RATE", "some healing actions fail on purpose")
        }
    }
}
