// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What people who sign in with a browser are given.
struct ConsoleAccessSettings: Sendable {
    /// Seal sessions in the store that replicas share; the first writes, all read. Nil = none is set.
    var sessionKeys: Redacted<[[UInt8]]>?
    /// Where the console's link to the metrics leads.
    var dashboardURL: WebAddress?
}

extension SettingsCatalog {
    /// In the order of the table.
    static let console: [SettingInfo] = [sessionKey.info, dashboardURL.info]

    static let sessionKey = Setting(
        "TOLLGATE_SESSION_KEY", .sessionKeys,
        defaultNote: "in a cluster made once, Secret tollgate-session-key; else sessions stay in the process",
        secret: true,
        in: .console,
        "Keys that seal the sessions in Redis: the first seals, all open, so that a new one goes in front. The same for every replica."
    )
    static let dashboardURL = Setting(
        "TOLLGATE_DASHBOARD_URL", .webAddress, in: .console,
        "Where the console's link to the dashboard of the metrics leads.")
}

extension SettingFormat where Value == [[UInt8]] {
    /// Keys of 256 bits.
    static var sessionKeys: SettingFormat {
        SettingFormat("keys", expected: "32 bytes as base64 (openssl rand -base64 32), or a list of such keys") {
            text in
            guard let elements = ListText.elements(text), !elements.isEmpty else { return nil }
            let keys = elements.compactMap { PaddedBase64.decode($0) }.filter { $0.count == 32 }
            return keys.count == elements.count ? keys : nil
        }
    }
}

extension TollgateSettings {
    static func console(_ reader: inout SettingsReader) -> ConsoleAccessSettings {
        ConsoleAccessSettings(
            sessionKeys: reader.optional(SettingsCatalog.sessionKey).map { Redacted($0) },
            dashboardURL: reader.optional(SettingsCatalog.dashboardURL))
    }
}
