// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors

extension TollgateSettings {
    /// The policy engine outside of the process; nil where decisions are made in it.
    static func policyEngine(_ reader: inout SettingsReader) -> OPAClientSettings? {
        typealias Catalog = SettingsCatalog
        let isLocal = reader.optional(Catalog.opaLocalMode)
        let address = reader.optional(Catalog.opaURL)
        var settings = OPAClientSettings()
        if let address { settings.url = "\(address)" }
        settings.path = reader.value(Catalog.opaPath, orAfterProblem: settings.path)
        settings.timeout = reader.value(Catalog.opaTimeout, orAfterProblem: settings.timeout)
        settings.cacheLifetime = reader.value(Catalog.opaCacheTTL, orAfterProblem: settings.cacheLifetime)
        settings.failsOpen = reader.value(Catalog.opaFailOpen, orAfterProblem: false)
        guard !(isLocal ?? (address == nil)) else { return nil }
        if let address, address.scheme == "http", !address.isLoopback {
            reader.note(
                .unsafe, "OPA_URL", "questions and answers of the policy cross the network as plain text: use https")
        }
        if settings.failsOpen {
            reader.note(.unsafe, "OPA_FAIL_OPEN", "requests to workloads pass the role check while the engine is away")
        }
        return settings
    }
}
