// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What the table of settings says about one setting. The reader, `tollgate settings` and the reference page all come from it.
struct SettingInfo: Sendable, Hashable {
    /// The name in the environment and in the settings file.
    let name: String
    /// Older names that are read when the name itself is not there, in this order.
    let aliases: [String]
    /// The kind of value, as the table shows it.
    let type: String
    /// What a value must look like, as a problem says it.
    let expected: String
    /// The default as text that the setting's own format reads; nil where there is none or it is worked out.
    let defaultText: String?
    /// How the default is worked out where it is no fixed text.
    let defaultNote: String?
    /// The unit of the value, where it has one.
    let unit: String?
    /// Whether no part of the value may ever be shown.
    let isSecret: Bool
    /// One line about what it does.
    let rule: String
    /// The heading that it stands under.
    let section: SettingSection

    /// The default as the table shows it.
    var shownDefault: String { defaultNote ?? defaultText ?? "none" }
}

/// The headings of the table of settings.
enum SettingSection: String, Sendable, CaseIterable {
    case listeners = "Listeners"
    case decisions = "Decisions"
    case authentication = "Authentication"
    case console = "Console and sessions"
    case policy = "Policy and namespaces"
    case billing = "Plans and request limits"
    case credits = "Credits and Stripe"
    case tools = "Tools"
    case healing = "Healing"
    case cluster = "Cluster"
    case selfManagement = "Self-management"
    case sidecar = "Sidecar"
    case storage = "Own files"
    case database = "Database"
    case redis = "Redis"
    case audit = "Audit trail"
    case process = "Roles and development"
    case operation = "Logs and operation"
    case client = "Command line"
}

/// A setting with the type of its value.
struct Setting<Value: Sendable>: Sendable {
    /// Its row in the table.
    let info: SettingInfo
    /// How its text is read.
    let format: SettingFormat<Value>

    /// A setting; `defaultText` is read by the same format as any other value.
    init(
        _ name: String, aliases: [String] = [], _ format: SettingFormat<Value>, default defaultText: String? = nil,
        defaultNote: String? = nil, secret: Bool = false, in section: SettingSection, _ rule: String
    ) {
        info = SettingInfo(
            name: name, aliases: aliases, type: format.type, expected: format.expected, defaultText: defaultText,
            defaultNote: defaultNote, unit: format.unit, isSecret: secret, rule: rule, section: section)
        self.format = format
    }
}
