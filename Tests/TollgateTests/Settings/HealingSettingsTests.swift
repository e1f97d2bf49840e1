// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct HealingSettingsTests {
    private func read(_ environment: [String: String]) -> (HealingConfiguration, SettingsReader) {
        var reader = SettingsReader(SettingsSources(environment: environment))
        let healing = TollgateSettings.healing(
            &reader, environment: environment, host: HostFacts(hostName: "h", workingDirectory: "/work-dir"))
        return (healing, reader)
    }

    @Test func defaultsAreThoseOfTheTable() {
        let (healing, reader) = read([:])
        #expect(reader.problems.isEmpty && reader.notes.isEmpty)
        #expect(healing.gates == HealingSettings())
        #expect(healing.namespaces.isEmpty && healing.rulesFile == nil && healing.channels.isEmpty)
        #expect("\(healing.alertmanager)" == "http://alertmanager:9093")
        #expect(healing.ackMaximum == 604_800 && healing.chaosPermille == 0)
        #expect(healing.webhookToken == nil && healing.webhookKey == nil && healing.webhookNetworks.isEmpty)
    }

    @Test func readsWhatIsGiven() {
        let (healing, reader) = read([
            "AUTOHEAL_ENABLED": "ON", "AUTOHEAL_DRY_RUN": "0", "AUTOHEAL_RULES_FILE": "rules.yaml",
            "AUTOHEAL_NAMESPACES": "crm, edge", "ALERTMANAGER_URL": "https://am.example/x/",
            "AUTOHEAL_PUBLIC_URL": "https://tollgate.example", "AUTOHEAL_WEBHOOK_TOKEN": "0123456789abcdef",
            "AUTOHEAL_WEBHOOK_HMAC_KEY": "0123456789abcdef0123456789abcdef", "AUTOHEAL_WEBHOOK_CIDRS": "10.0.0.0/8",
            "AUTOHEAL_DEFAULT_COOLDOWN_SEC": "60", "COOLDOWN_TCP_DOWN_SEC": "1", "COOLDOWN_UPTIME_FAIL_SEC": "2",
            "COOLDOWN_SCRAPE_STALE_SEC": "3", "AUTOHEAL_DEDUP_WINDOW_SEC": "5", "AUTOHEAL_BUDGET_PER_HOUR": "7",
            "AUTOHEAL_BUDGET_PER_TARGET": "8", "AUTOHEAL_CONCURRENCY": "9", "AUTOHEAL_ACK_MAX_DURATION": "12h",
            "AUTOHEAL_LINK_KEY": "0123456789abcdef0123456789abcdef",
            "AUTOHEAL_SLACK_WEBHOOK_URL": "https://hooks.example/x", "AUTOHEAL_PAGERDUTY_ROUTING_KEY": "k",
            "AUTOHEAL_NOTIFY_URL": "https://n.example", "AUTOHEAL_NOTIFY_SECRET": "0123456789abcdef",
            "AUTOHEAL_CHAOS_FAILURE_RATE": "2.5",
        ])
        #expect(reader.problems.isEmpty, "\(reader.problems)")
        #expect(
            healing.gates
                == HealingSettings(
                    isEnabled: true, isDryRun: false, defaultCooldown: 60,
                    cooldowns: ["TcpEndpointDownFast": 1, "UptimeProbeFailing": 2, "CrmMetricsScrapeStale": 3],
                    dedupWindow: 5, budgetPerHour: 7, budgetPerTarget: 8, concurrency: 9))
        #expect(healing.rulesFile == "/work-dir/rules.yaml" && healing.namespaces == ["crm", "edge"])
        #expect("\(healing.alertmanager)" == "https://am.example/x" && healing.ackMaximum == 43_200)
        #expect(healing.channels == [.slack, .pagerduty, .webhook] && healing.chaosPermille == 25)
        #expect(reader.notes.map(\.setting) == ["AUTOHEAL_CHAOS_FAILURE_RATE"])
        #expect(!"\(healing)".contains("0123456789abcdef") && !"\(healing)".contains("hooks.example"))
    }

    @Test(arguments: [
        ("AUTOHEAL_ENABLED", "maybe"), ("AUTOHEAL_DRY_RUN", "2"), ("AUTOHEAL_NAMESPACES", "*"),
        ("ALERTMANAGER_URL", "alertmanager:9093"), ("AUTOHEAL_WEBHOOK_TOKEN", "short"),
        ("AUTOHEAL_WEBHOOK_HMAC_KEY", "short"), ("AUTOHEAL_WEBHOOK_CIDRS", "x"), ("AUTOHEAL_LINK_KEY", "short"),
        ("AUTOHEAL_DEFAULT_COOLDOWN_SEC", "86401"), ("COOLDOWN_TCP_DOWN_SEC", "-1"), ("AUTOHEAL_CONCURRENCY", "0"),
        ("AUTOHEAL_BUDGET_PER_HOUR", "201"), ("AUTOHEAL_ACK_MAX_DURATION", "1w"), ("AUTOHEAL_ACK_MAX_DURATION", "366d"),
        ("AUTOHEAL_CHAOS_FAILURE_RATE", "10.1"), ("AUTOHEAL_CHAOS_FAILURE_RATE", "-1"),
        ("AUTOHEAL_CHAOS_FAILURE_RATE", "1.25"), ("AUTOHEAL_SLACK_WEBHOOK_URL", "ftp://x"),
    ])
    func tellsEveryProblem(_ name: String, _ value: String) {
        #expect(read([name: value]).1.problems.map(\.setting) == [name])
    }

    @Test func goesOnAfterAnAddressThatCannotBeRead() {
        let (healing, reader) = read(["ALERTMANAGER_URL": "alertmanager:9093", "AUTOHEAL_ENABLED": "true"])
        #expect(reader.problems.map(\.setting) == ["ALERTMANAGER_URL"])
        #expect("\(healing.alertmanager)" == "http://localhost" && healing.alertmanager == .standIn)
    }

    @Test func wantsUrlAndSecretTogether() {
        #expect(
            read(["AUTOHEAL_NOTIFY_URL": "https://n.example"]).1.problems.map { "\($0.setting): \($0.message)" } == [
                "AUTOHEAL_NOTIFY_SECRET: AUTOHEAL_NOTIFY_URL is set: set both or neither"
            ])
        #expect(
            read(["AUTOHEAL_NOTIFY_SECRET": "0123456789abcdef"]).1.problems.map(\.setting) == ["AUTOHEAL_NOTIFY_URL"])
    }

    @Test func saysWhenSilencesAreInTheOpen() {
        #expect(read(["AUTOHEAL_ENABLED": "true"]).1.notes.map(\.setting) == ["ALERTMANAGER_URL"])
        let near = ["AUTOHEAL_ENABLED": "true", "ALERTMANAGER_URL": "http://127.0.0.1:9093"]
        #expect(read(near).1.notes.isEmpty)
    }
}
