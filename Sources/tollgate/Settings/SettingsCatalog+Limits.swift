// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Plans, and the counting of requests.
struct PlanSettings: Sendable {
    /// The file of the plan catalogue; nil = the built-in copy.
    var plansFile: String?
    /// The file of the price list; nil = the built-in copy.
    var pricesFile: String?
    /// Base of the links with which refusals name the plan that would help.
    var upgradeURL: String
    /// For how many keys, subjects, accounts and hosts requests are counted at once.
    var rateLimitMaxKeys: Int
}

extension SettingsCatalog {
    static let billing: [SettingInfo] = [plansFile.info, pricesFile.info, upgradeURL.info, rateLimitMaxKeys.info]

    static let plansFile = Setting(
        "TOLLGATE_BILLING_PLANS_FILE", .path(), defaultNote: "the built-in copy", in: .billing,
        "YAML file of the plan catalogue, watched; a bad one stops the start, later the last good one stays.")
    static let pricesFile = Setting(
        "TOLLGATE_BILLING_PRICES_FILE", .path(), defaultNote: "the built-in copy", in: .billing,
        "YAML file of the price list, watched; a bad one stops the start, later the last good one stays.")
    static let upgradeURL = Setting(
        "TOLLGATE_BILLING_UPGRADE_URL",
        .text("text", expected: "an http(s) address or a path that begins with /") { text in
            let isAddress = text.hasPrefix("https://") || text.hasPrefix("http://")
            let isPath = text.hasPrefix("/") && !text.hasPrefix("//")
            return (isAddress || isPath) && text.utf8.count <= 2048
                && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }, default: "/dashboard/billing", in: .billing,
        "Base of the links with which refusals name the plan that would help; ?plan=NAME is added.")
    static let rateLimitMaxKeys = Setting(
        "TOLLGATE_RATE_LIMIT_MAX_KEYS", .count(1000...10_000_000), default: "100000", in: .billing,
        "API keys, subjects, accounts and AuthConfigs whose requests are counted at once; beyond it those with nothing counted go first, then those used least recently."
    )
}

extension TollgateSettings {
    static func plans(
        _ reader: inout SettingsReader, environment: [String: String], host: HostFacts
    ) -> PlanSettings {
        PlanSettings(
            plansFile: reader.optional(SettingsCatalog.plansFile).map {
                absolute($0, environment: environment, host: host)
            },
            pricesFile: reader.optional(SettingsCatalog.pricesFile).map {
                absolute($0, environment: environment, host: host)
            },
            upgradeURL: reader.value(SettingsCatalog.upgradeURL, orAfterProblem: ""),
            rateLimitMaxKeys: reader.value(SettingsCatalog.rateLimitMaxKeys, orAfterProblem: 1000))
    }
}
