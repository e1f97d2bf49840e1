// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What makes a process the sidecar of an operator.
struct SidecarSettings: Sendable {
    /// AuthConfigs that one sidecar may decide for.
    static let mostAuthConfigs = 16

    var upstream: WebAddress
    /// `namespace/name`, at least one.
    var authConfigs: [String]
    /// Goes before the file.
    var token: Redacted<String>?
    var tokenFile: String
    /// PEM file; nil = the authorities of the system.
    var authorities: String?
    /// File that keeps the last good document.
    var cache: String?
    /// How long stored credentials are believed without a word from the operator.
    var maxSilence: Duration
}

extension TollgateSettings {
    /// A sidecar has no stores of its own that others could share.
    static func checkSidecar(_ settings: TollgateSettings, _ reader: inout SettingsReader) {
        guard settings.sidecar != nil, settings.database.server != nil else { return }
        reader.problem(
            "TOLLGATE_DATABASE_URL",
            "a sidecar has what its operator gives and no database: unset it or TOLLGATE_UPSTREAM")
    }

    /// Nil where the process is no sidecar.
    static func sidecar(
        _ reader: inout SettingsReader, environment: [String: String], host: HostFacts
    ) -> SidecarSettings? {
        typealias Catalog = SettingsCatalog
        let upstream = reader.optional(Catalog.upstream)
        let names = reader.optional(Catalog.sidecarAuthConfig) ?? []
        let tokenFile = reader.value(Catalog.upstreamTokenFile, orAfterProblem: "")
        let authorities = reader.optional(Catalog.upstreamAuthorities)
        let cache = reader.optional(Catalog.sidecarCache)
        let maxSilence = reader.value(Catalog.sidecarTrust, orAfterProblem: .seconds(60))
        guard let upstream else { return nil }
        if names.isEmpty, !reader.problems.contains(where: { $0.setting == "TOLLGATE_SIDECAR_AUTH_CONFIG" }) {
            reader.problem(
                "TOLLGATE_SIDECAR_AUTH_CONFIG",
                "it is needed with TOLLGATE_UPSTREAM: name the AuthConfig of the workload")
        }
        if names.count > SidecarSettings.mostAuthConfigs {
            reader.problem(
                "TOLLGATE_SIDECAR_AUTH_CONFIG",
                "it names \(names.count) AuthConfigs: at most \(SidecarSettings.mostAuthConfigs)")
        }
        if maxSilence > .seconds(60) {
            reader.note(
                .unsafe, "TOLLGATE_SIDECAR_MAX_SILENCE",
                "tokens and keys that were revoked are believed for as long when the operator cannot be reached")
        }
        if upstream.scheme == "http", !upstream.isLoopback {
            reader.note(
                .unsafe, "TOLLGATE_UPSTREAM", "the credential and the document go over the network in plain text")
        }
        return SidecarSettings(
            upstream: upstream, authConfigs: names.sorted(),
            token: reader.optional(Catalog.token).map { Redacted(ASCII.trimmed($0)) },
            tokenFile: absolute(tokenFile, environment: environment, host: host),
            authorities: authorities.map { absolute($0, environment: environment, host: host) },
            cache: cache.map { absolute($0, environment: environment, host: host) }, maxSilence: maxSilence)
    }
}
