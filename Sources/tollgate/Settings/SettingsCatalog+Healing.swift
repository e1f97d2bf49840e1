// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing

// Healing: from an alert to a bounded, recorded action.
extension SettingsCatalog {
    /// In the order of the table.
    static let healing: [SettingInfo] = [
        autohealEnabled.info, autohealDryRun.info, autohealRules.info, autohealNamespaces.info, alertmanagerURL.info,
        autohealPublicURL.info, webhookToken.info, webhookKey.info, webhookNetworks.info, defaultCooldown.info,
        cooldownTCP.info, cooldownUptime.info, cooldownScrape.info, dedupWindow.info, budgetPerHour.info,
        budgetPerTarget.info, autohealConcurrency.info, ackMaximum.info, ackLinkKey.info, slackURL.info,
        pagerDutyKey.info, notifyURL.info, notifySecret.info, chaosRate.info,
    ]

    static let autohealEnabled = Setting(
        "AUTOHEAL_ENABLED", .flag, default: "false", in: .healing,
        "Whether alerts may lead to actions; off, every firing alert is skipped as disabled.")
    static let autohealDryRun = Setting(
        "AUTOHEAL_DRY_RUN", .flag, default: "true", in: .healing, "Decides and records, touches nothing.")
    static let autohealRules = Setting(
        "AUTOHEAL_RULES_FILE", .path(), in: .healing,
        "YAML file of the rules, watched; a bad one stops the start, later the last good rules stay.")
    static let autohealNamespaces = Setting(
        "AUTOHEAL_NAMESPACES", .namespaces, defaultNote: "the own namespace", in: .healing,
        "Namespaces in which targets may lie; there is no wildcard.")
    static let alertmanagerURL = Setting(
        "ALERTMANAGER_URL", .webAddress, default: "http://alertmanager:9093", in: .healing,
        "Where silences are made; plain http to another host is named in the start-up log.")
    static let autohealPublicURL = Setting(
        "AUTOHEAL_PUBLIC_URL", .webAddress, in: .healing,
        "Where people reach Tollgate, for the links in notices; without it there are none.")
    static let webhookToken = Setting(
        "AUTOHEAL_WEBHOOK_TOKEN",
        .text("secret", expected: "at least 16 bytes without blanks") { text in
            text.utf8.count >= 16 && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }, secret: true, in: .healing, "Bearer token with which Alertmanager calls POST /alert.")
    static let webhookKey = Setting(
        "AUTOHEAL_WEBHOOK_HMAC_KEY", .key(atLeast: 32), secret: true, in: .healing,
        "Key of X-Tollgate-Signature over timestamp and body of POST /alert.")
    static let webhookNetworks = Setting(
        "AUTOHEAL_WEBHOOK_CIDRS", .cidrs, in: .healing,
        "Addresses that may call POST /alert without another credential: the transport's other end, no header counts. Not enough with several replicas: what one passes on to the leader comes from its own address."
    )
    static let defaultCooldown = Setting(
        "AUTOHEAL_DEFAULT_COOLDOWN_SEC", .count(0...86_400), default: "600", in: .healing,
        "Seconds between actions of one alert on one target, where the rule says nothing.")
    static let cooldownTCP = Setting(
        "COOLDOWN_TCP_DOWN_SEC", .count(0...86_400), defaultNote: "AUTOHEAL_DEFAULT_COOLDOWN_SEC", in: .healing,
        "The same for the alert TcpEndpointDownFast.")
    static let cooldownUptime = Setting(
        "COOLDOWN_UPTIME_FAIL_SEC", .count(0...86_400), defaultNote: "AUTOHEAL_DEFAULT_COOLDOWN_SEC", in: .healing,
        "The same for the alert UptimeProbeFailing.")
    static let cooldownScrape = Setting(
        "COOLDOWN_SCRAPE_STALE_SEC", .count(0...86_400), defaultNote: "AUTOHEAL_DEFAULT_COOLDOWN_SEC", in: .healing,
        "The same for the alert CrmMetricsScrapeStale.")
    static let dedupWindow = Setting(
        "AUTOHEAL_DEDUP_WINDOW_SEC", .count(0...3600), default: "30", in: .healing,
        "Seconds within which the same outbreak of an alert counts once.")
    static let budgetPerHour = Setting(
        "AUTOHEAL_BUDGET_PER_HOUR", .count(1...200), default: "20", in: .healing, "Actions within an hour.")
    static let budgetPerTarget = Setting(
        "AUTOHEAL_BUDGET_PER_TARGET", .count(1...200), default: "3", in: .healing,
        "Actions on one target within an hour.")
    static let autohealConcurrency = Setting(
        "AUTOHEAL_CONCURRENCY", .count(1...20), default: "2", in: .healing,
        "Actions that run at once: sent, and neither verified nor failed.")
    static let ackMaximum = Setting(
        "AUTOHEAL_ACK_MAX_DURATION",
        SettingFormat<Int>(
            "duration", expected: "a whole number and one of s, m, h, d, such as 12h or 7d, at most 365d"
        ) { text in
            AckDuration.parse(ASCII.trimmed(text)).flatMap { $0 <= 31_536_000 ? Int($0) : nil }
        }, default: "7d", in: .healing, "The longest acknowledgement.")
    static let ackLinkKey = Setting(
        "AUTOHEAL_LINK_KEY", .key(atLeast: 32), secret: true, in: .healing,
        "Key of the links that acknowledge with one click; without it there are none.")
    static let slackURL = Setting(
        "AUTOHEAL_SLACK_WEBHOOK_URL", .secretURL, secret: true, in: .healing,
        "Incoming webhook of Slack: channel slack of the rules.")
    static let pagerDutyKey = Setting(
        "AUTOHEAL_PAGERDUTY_ROUTING_KEY", .text, secret: true, in: .healing,
        "Integration key of PagerDuty Events v2: channel pagerduty of the rules.")
    static let notifyURL = Setting(
        "AUTOHEAL_NOTIFY_URL", .secretURL, secret: true, in: .healing,
        "Where signed notices are posted: channel webhook of the rules.")
    static let notifySecret = Setting(
        "AUTOHEAL_NOTIFY_SECRET", .key(atLeast: 16), secret: true, in: .healing,
        "Key of the signature of those notices; both or neither.")
    static let chaosRate = Setting(
        "AUTOHEAL_CHAOS_FAILURE_RATE", .permille(upTo: 100), default: "0", unitNote: "percent", in: .healing,
        "Of the live actions so many are not sent and fail, drawn at random: 0 to 10 percent, for drills.")
}

extension Setting where Value == Int {
    /// A number with a unit that its format does not name.
    fileprivate init(
        _ name: String, _ format: SettingFormat<Int>, default defaultText: String, unitNote: String,
        in section: SettingSection, _ rule: String
    ) {
        self.init(
            name, SettingFormat(format.type, expected: format.expected, unit: unitNote, read: format.read),
            default: defaultText, in: section, rule)
    }
}

extension SettingFormat where Value == Int {
    /// Percent with at most one decimal, as so many of a thousand.
    fileprivate static func permille(upTo limit: Int) -> SettingFormat {
        SettingFormat("number", expected: "percent from 0 to \(limit / 10), with at most one decimal, such as 2.5") {
            text in
            var digits = Substring(ASCII.trimmed(text))
            if digits.hasSuffix("%") { digits = digits.dropLast() }
            let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count <= 2,
                parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
                let whole = Int(parts[0]), whole <= limit, parts.count == 1 || parts[1].utf8.count == 1
            else { return nil }
            let permille = whole * 10 + (parts.count == 2 ? Int(parts[1]) ?? 0 : 0)
            return permille <= limit ? permille : nil
        }
    }
}

extension SettingFormat where Value == String {
    /// An address that is a secret itself.
    fileprivate static var secretURL: SettingFormat {
        .text("secret", expected: "an https URL (http to loopback and allowed hosts)") { text in
            (text.hasPrefix("https://") || text.hasPrefix("http://")) && text.utf8.count <= 2048
                && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }
    }
}
