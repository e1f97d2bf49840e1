// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

// A Tollgate beside one workload that gets what it decides from out of an operator.
extension SettingsCatalog {
    static let upstream = Setting(
        "TOLLGATE_UPSTREAM",
        SettingFormat<WebAddress>("URL", expected: "an http or https URL without user, path, query and fragment") {
            text in
            guard let address = WebAddress(ASCII.trimmed(text)), address.path.isEmpty || address.path == "/" else {
                return nil
            }
            return address
        }, in: .sidecar,
        "The operator that this process is a sidecar of, such as https://tollgate.tollgate-system.svc: decides from what it gives, and has no objects of its own."
    )
    static let sidecarAuthConfig = Setting(
        "TOLLGATE_SIDECAR_AUTH_CONFIG",
        SettingFormat<[String]>.list("list", expected: "a list of namespace/name") { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            return parts.count == 2 && NameRules.isNamespace(parts[0]) && NameRules.isObjectName(parts[1]) ? text : nil
        }, in: .sidecar, "The AuthConfigs that a sidecar decides for, at most 16; needed with TOLLGATE_UPSTREAM.")
    static let upstreamTokenFile = Setting(
        "TOLLGATE_UPSTREAM_TOKEN_FILE", .path(), default: "/var/run/secrets/tollgate/token", in: .sidecar,
        "File of the credential that is shown to the operator, read before every call; TOLLGATE_TOKEN goes before it.")
    static let upstreamAuthorities = Setting(
        "TOLLGATE_UPSTREAM_CA_FILE", .path(), defaultNote: "the authorities of the system", in: .sidecar,
        "PEM file of the authorities that alone may have signed the operator's certificate, read again when it changes."
    )
    static let sidecarCache = Setting(
        "TOLLGATE_SIDECAR_CACHE", .path(), in: .sidecar,
        "File that keeps the last good document over a restart, mode 0600; it holds digests and keys, never tokens.")
    static let sidecarTrust = Setting(
        "TOLLGATE_SIDECAR_MAX_SILENCE",
        .duration(.seconds(60)...(.seconds(2_592_000)), shown: "60s to 720h"), default: "60s", in: .sidecar,
        "How long service tokens and API keys are believed without a word from the operator, which may have revoked them; then 503. Unsafe above 60s."
    )

    /// In the order of the table.
    static let sidecar: [SettingInfo] = [
        upstream.info, sidecarAuthConfig.info, upstreamTokenFile.info, upstreamAuthorities.info, sidecarCache.info,
        sidecarTrust.info,
    ]
}
