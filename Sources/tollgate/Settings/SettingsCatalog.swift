// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Every setting there is: the one source of the reader, of `tollgate settings` and of the reference page.
enum SettingsCatalog {
    /// The settings of `tollgate run`, in the order of the table.
    static let all: [SettingInfo] =
        listeners + decisions + authentication.map(\.info) + console + policy + policyEngine + billing + credits + tools
        + healing
        + cluster + selfManagement + sidecar
        + storage + database + redis + audit + process + operation

    /// The settings that only the client commands read.
    static let client: [SettingInfo] = [apiURL.info, token.info, profile.info, configDirectory.info]

    private static let listeners: [SettingInfo] =
        [
            listen.info, decisionListen.info, probeListen.info, trustedProxies.info, tlsCertificate.info, tlsKey.info,
            corsOrigins.info, publicURL.info,
        ] + grpc
    private static let decisions: [SettingInfo] = [
        decisionTimeout.info, decisionMaxInFlight.info, decisionBatchMax.info,
    ]
    private static let policy: [SettingInfo] = [
        apiAuthConfig.info, apiKeyPrefix.info, apiKeyOldPrefixes.info, egressAllow.info, hostPolicy.info,
        namespaceTenants.info, platformNamespaces.info, policyDirectory.info, policyConfigMap.info,
        defaultUserRole.info, defaultTenantRole.info, roleCheck.info,
    ]
    private static let storage: [SettingInfo] = [dataDirectory.info]
    private static let audit: [SettingInfo] = [
        writer.info, auditPath.info, auditQueue.info, auditFlush.info, auditSegmentBytes.info,
        auditRotateAt.info, auditRetention.info, auditDecisions.info,
        auditFailOpen.info, auditMemory.info, eventsRing.info, auditIndex.info, auditKey.info, redact.info,
    ]
    private static let operation: [SettingInfo] = [
        logLevel.info, logFormat.info, logSensitiveDebug.info, drainDelay.info, grace.info, maxSnapshotAge.info,
        reconcileInterval.info,
    ]
}

// MARK: - Listeners and decisions

extension SettingsCatalog {
    static let listen = Setting(
        "TOLLGATE_LISTEN", .listenAddress, default: "0.0.0.0:8080", in: .listeners,
        "Where the API listens; a sidecar at 127.0.0.1:8080 unless this is set.")
    static let decisionListen = Setting(
        "TOLLGATE_DECISION_LISTEN", .listenAddress, defaultNote: "the API's listener", in: .listeners,
        "Where forward-auth requests of gateways are answered; may equal the API's listener.")
    static let probeListen = Setting(
        "TOLLGATE_PROBE_LISTEN", .listenAddress, default: "0.0.0.0:8081", in: .listeners,
        "Where probes and metrics are answered, without a credential.")
    static let trustedProxies = Setting(
        "TOLLGATE_TRUSTED_PROXIES", .cidrs, in: .listeners,
        "Peers that may describe another request (forward-auth) or another client address; everybody else is refused there."
    )
    static let tlsCertificate = Setting(
        "TOLLGATE_TLS_CERT_FILE", .path(), in: .listeners,
        "PEM file of the certificate chain; with TOLLGATE_TLS_KEY_FILE, read again when it changes.")
    static let tlsKey = Setting(
        "TOLLGATE_TLS_KEY_FILE", .path(), in: .listeners, "PEM file of the private key; both files or neither.")
    static let corsOrigins = Setting(
        "TOLLGATE_CORS_ALLOW_ORIGINS", .origins, in: .listeners,
        "Origins whose pages may call the API; a public one turns mode disabled into required.")
    static let publicURL = Setting(
        "TOLLGATE_PUBLIC_URL", .webAddress, in: .listeners,
        "Where clients reach the API; a public host turns mode disabled into required.")
    static let decisionTimeout = Setting(
        "TOLLGATE_DECISION_TIMEOUT", .duration(.milliseconds(1)...(.seconds(60)), shown: "1ms to 60s"),
        default: "150ms", in: .decisions, "How long one decision may take; then 503 decision.timeout.")
    static let decisionMaxInFlight = Setting(
        "TOLLGATE_DECISION_MAX_IN_FLIGHT", .count(1...1_000_000), default: "2000", in: .decisions,
        "Decisions at once; more are answered 503 decision.overloaded.")
    static let decisionBatchMax = Setting(
        "TOLLGATE_DECISION_BATCH_MAX", .count(1...100), default: "100", in: .decisions,
        "Requests in one batch of decisions.")
}

// MARK: - Policy, namespaces, own files

extension SettingsCatalog {
    static let apiAuthConfig = Setting(
        "TOLLGATE_API_AUTH_CONFIG",
        .text("object", expected: "namespace/name") { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            return parts.count == 2 && NameRules.isNamespace(parts[0]) && NameRules.isObjectName(parts[1])
        }, in: .policy,
        "AuthConfig in a platform namespace whose issuers and mappings the own API accepts as well.")
    static let apiKeyPrefix = Setting(
        "TOLLGATE_API_KEY_PREFIX",
        .text("text", expected: "[a-z][a-z0-9]{1,15}, not tgs", where: NameRules.isKeyPrefix), default: "tgk",
        in: .policy, "First part of the text of API keys.")
    static let apiKeyOldPrefixes = Setting(
        "TOLLGATE_API_KEY_OLD_PREFIXES", .keyPrefixes, in: .policy,
        "Earlier prefixes whose API keys keep working.")
    static let egressAllow = Setting(
        "TOLLGATE_EGRESS_ALLOW", .egressTargets, in: .policy,
        "Hosts and blocks of addresses that outgoing calls may reach over http or at private addresses.")
    static let hostPolicy = Setting(
        "TOLLGATE_HOST_POLICY",
        .pairs(expected: "a list of namespace=pattern, a pattern being a host, *.suffix or *") {
            NameRules.isHostPattern($0)
        }, in: .policy, "Hosts that the AuthConfigs of a namespace may claim; a namespace not named is not limited.")
    static let namespaceTenants = Setting(
        "TOLLGATE_NAMESPACE_TENANTS",
        .pairs(expected: "a list of namespace=tenant, one tenant each") {
            NameRules.isTenant($0)
        }, in: .policy, "The tenant of the objects of a namespace.")
    static let platformNamespaces = Setting(
        "TOLLGATE_PLATFORM_NAMESPACES", .namespaces, defaultNote: "the own namespace; default outside of a cluster",
        in: .policy, "Namespaces whose objects may speak for the platform: platform: true, role admin, admin scopes.")
    static let policyDirectory = Setting(
        "TOLLGATE_POLICY_DIR", .path(), defaultNote: "the built-in copy", in: .policy,
        "Directory of data.json and routes.yaml, watched; bad data stops the first start, later the last good stays.")
    static let policyConfigMap = Setting(
        "TOLLGATE_POLICY_CONFIGMAP",
        .text("object", expected: "name or namespace/name") { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            return parts.count <= 2 && parts.last.map(NameRules.isObjectName) == true
                && (parts.count == 1 || NameRules.isNamespace(parts[0]))
        }, default: "tollgate-policy", in: .policy,
        "ConfigMap with data.json, routes.yaml or both, used where it exists and TOLLGATE_POLICY_DIR is not set; a missing key is the built-in copy's."
    )
    static let defaultUserRole = Setting(
        "DEFAULT_USER_ROLE",
        .text("text", expected: "a role name: [a-z0-9][a-z0-9_-]{1,63}", where: NameRules.isRole), default: "editor",
        in: .policy, "Role of callers that come without one from the platform's own accounts.")
    static let defaultTenantRole = Setting(
        "DEFAULT_KEYCLOAK_TENANT_ROLE",
        .text("text", expected: "a role name: [a-z0-9][a-z0-9_-]{1,63}", where: NameRules.isRole),
        defaultNote: "DEFAULT_USER_ROLE", in: .policy,
        "Role of Keycloak callers with a tenant of whose roles none is known.")
    static let roleCheck = Setting(
        "OPA_ENABLED", .flag, default: "true", in: .policy,
        "Whether requests to workloads need a role that grants what they ask for; admin permissions always do. Unsafe when false."
    )
    static let dataDirectory = Setting(
        "TOLLGATE_DATA_DIR", .path(),
        defaultNote: "/var/lib/tollgate in a cluster, else $XDG_STATE_HOME/tollgate or ~/.local/state/tollgate",
        in: .storage,
        "Directory of the store, the audit trail and minted secrets; made with mode 0700, one process at a time, or one of role api and one of role worker."
    )
}

// MARK: - Logs and operation

extension SettingsCatalog {
    static let logLevel = Setting(
        "LOG_LEVEL", SettingFormat<LogLevelName>.choice, default: "info", in: .operation, "Least level that is logged.")
    static let logFormat = Setting(
        "TOLLGATE_LOG_FORMAT", SettingFormat<LogFormat>.choice, defaultNote: "json in a cluster, else text",
        in: .operation, "Form of the log lines on standard error.")
    static let logSensitiveDebug = Setting(
        "LOG_SENSITIVE_DEBUG", .flag, default: "false", in: .operation,
        "Adds each step of an authentication to the debug log; never the text of a token.")
    static let drainDelay = Setting(
        "TOLLGATE_DRAIN_DELAY", .duration(.zero...(.seconds(600)), shown: "0 to 10m"), default: "5s", in: .operation,
        "How long a stopping process serves on while it is not ready any more.")
    static let grace = Setting(
        "TOLLGATE_GRACE", .duration(.zero...(.seconds(3600)), shown: "0 to 1h"), default: "25s", in: .operation,
        "How long requests in flight may take to end after that.")
    static let maxSnapshotAge = Setting(
        "TOLLGATE_MAX_SNAPSHOT_AGE", .duration(.zero...(.seconds(2_592_000)), shown: "0 to 720h"), default: "0",
        in: .operation, "Age of the snapshot above which the process is not ready; 0 = never.")
    static let reconcileInterval = Setting(
        "TOLLGATE_RECONCILE_INTERVAL", .duration(.seconds(5)...(.seconds(3600)), shown: "5s to 1h"), default: "30s",
        in: .operation, "How often every object is looked at again without a change.")
}

// MARK: - Command line

extension SettingsCatalog {
    static let apiURL = Setting(
        "TOLLGATE_API_URL", aliases: ["ORCHEO_API_URL", "CODETETHER_SERVER"], .webAddress,
        defaultNote: "profile, saved login, http://localhost:8080", in: .client, "The server that the commands call.")
    static let token = Setting(
        "TOLLGATE_TOKEN", aliases: ["ORCHEO_SERVICE_TOKEN", "CODETETHER_TOKEN"],
        .raw("secret", expected: "a token"), defaultNote: "profile, saved login, admin-token of the data directory",
        secret: true, in: .client, "The credential that the commands send.")
    static let profile = Setting(
        "TOLLGATE_PROFILE", aliases: ["ORCHEO_PROFILE"], .text, default: "default", in: .client,
        "The profile of cli.toml that is used.")
    static let configDirectory = Setting(
        "TOLLGATE_CONFIG_DIR", aliases: ["ORCHEO_CONFIG_DIR"], .path(), defaultNote: "~/.config/tollgate",
        in: .client, "Directory of cli.toml and credentials.json.")
}
