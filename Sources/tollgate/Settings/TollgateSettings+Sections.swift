// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials

extension TollgateSettings {
    static func listeners(
        _ reader: inout SettingsReader, environment: [String: String], host: HostFacts, standsBesideOne: Bool = false
    ) -> ListenerSettings {
        typealias Catalog = SettingsCatalog
        let standIn = ListenAddress(host: "127.0.0.1", port: 0)
        let found = reader.found(Catalog.listen)
        var api = found?.value ?? standIn
        // Nobody but the containers of the pod asks a sidecar, unless somebody says otherwise.
        if standsBesideOne, case .fallback? = found?.origin { api = ListenAddress(host: "127.0.0.1", port: api.port) }
        let decisions = reader.optional(Catalog.decisionListen)
        let certificate = reader.optional(Catalog.tlsCertificate)
        let key = reader.optional(Catalog.tlsKey)
        var tls: TLSFiles?
        switch (certificate, key) {
        case (let certificate?, let key?):
            tls = TLSFiles(
                certificate: absolute(certificate, environment: environment, host: host),
                privateKey: absolute(key, environment: environment, host: host))
        case (nil, .some): reader.problem("TOLLGATE_TLS_CERT_FILE", "TOLLGATE_TLS_KEY_FILE is set: set both or neither")
        case (.some, nil): reader.problem("TOLLGATE_TLS_KEY_FILE", "TOLLGATE_TLS_CERT_FILE is set: set both or neither")
        case (nil, nil): break
        }
        let probes = reader.value(Catalog.probeListen, orAfterProblem: standIn)
        if probes == api, api.port != 0 {
            reader.problem("TOLLGATE_PROBE_LISTEN", "it is the API's address, \(api): choose another port")
        }
        return ListenerSettings(
            api: api, decisions: decisions == api ? nil : decisions, probes: probes,
            grpc: grpc(&reader, besides: [api, probes] + (decisions.map { [$0] } ?? []), hasTLS: tls != nil) {
                absolute($0, environment: environment, host: host)
            },
            trustedProxies: reader.optional(Catalog.trustedProxies) ?? [], tls: tls,
            corsOrigins: reader.optional(Catalog.corsOrigins) ?? [], publicURL: reader.optional(Catalog.publicURL))
    }

    static func authentication(
        _ reader: inout SettingsReader, environment: [String: String], host: HostFacts
    ) -> RawAuthenticationSettings {
        var texts: [String: String] = [:]
        for setting in SettingsCatalog.authentication {
            if let text = reader.optional(setting) { texts[setting.info.name] = text }
        }
        let database = "TOLLGATE_AUTH_SERVICE_TOKEN_DB_PATH"
        texts[database] = texts[database].map { absolute($0, environment: environment, host: host) }
        return RawAuthenticationSettings(texts)
    }

    static func apiAuthConfig(_ reader: inout SettingsReader) -> APIAuthConfigName? {
        guard let text = reader.optional(SettingsCatalog.apiAuthConfig) else { return nil }
        let parts = text.split(separator: "/").map(String.init)
        return parts.count == 2 ? APIAuthConfigName(namespace: parts[0], name: parts[1]) : nil
    }

    static func policy(
        _ reader: inout SettingsReader, environment: [String: String], host: HostFacts
    ) -> PolicyDataSettings {
        typealias Catalog = SettingsCatalog
        let directory = reader.optional(Catalog.policyDirectory)
        let hostPolicy = reader.optional(Catalog.hostPolicy) ?? [:]
        let tenants = reader.optional(Catalog.namespaceTenants) ?? [:]
        for namespace in tenants.keys.sorted() where (tenants[namespace] ?? []).count > 1 {
            reader.problem("TOLLGATE_NAMESPACE_TENANTS", "namespace \(namespace) has more than one tenant: keep one")
        }
        let userRole = reader.value(Catalog.defaultUserRole, orAfterProblem: "")
        return PolicyDataSettings(
            directory: directory.map { absolute($0, environment: environment, host: host) },
            configMap: PolicyConfigMapName(reader.value(Catalog.policyConfigMap, orAfterProblem: "tollgate-policy")),
            hostPolicy: hostPolicy,
            namespaceTenants: tenants.compactMapValues(\.first),
            platformNamespaces: reader.optional(Catalog.platformNamespaces) ?? [], defaultUserRole: userRole,
            defaultKeycloakTenantRole: reader.optional(Catalog.defaultTenantRole) ?? userRole,
            roleCheckEnabled: reader.value(Catalog.roleCheck, orAfterProblem: true))
    }

    static func dataDirectory(
        _ reader: inout SettingsReader, environment: [String: String], host: HostFacts
    ) -> String {
        if let path = reader.optional(SettingsCatalog.dataDirectory) {
            return absolute(path, environment: environment, host: host)
        }
        if let path = DataDirectory.standard(environment: environment) { return path }
        reader.problem("TOLLGATE_DATA_DIR", "there is no HOME and no XDG_STATE_HOME to work out the default: set it")
        return ""
    }

    /// - Parameter podName: of the own Pod, where the process was told.
    static func audit(
        _ reader: inout SettingsReader, dataDirectory: String, podName: String?, environment: [String: String],
        host: HostFacts
    ) -> AuditTrailSettings {
        typealias Catalog = SettingsCatalog
        let writer = writer(&reader, podName: podName, host: host)
        var path = dataDirectory + "/audit"
        if let found = reader.found(Catalog.auditPath) {
            path = absolute(found.value, environment: environment, host: host)
            if found.name != Catalog.auditPath.info.name { path = directoryOfFileName(path) }
        }
        var trail = AuditSettings(directory: path, writer: writer)
        trail.hmacKey = reader.optional(Catalog.auditKey)
        trail.queueCapacity = reader.value(Catalog.auditQueue, orAfterProblem: 1)
        trail.flushInterval = reader.value(Catalog.auditFlush, orAfterProblem: .zero)
        trail.failsOpen = reader.value(Catalog.auditFailOpen, orAfterProblem: false)
        trail.decisions = reader.value(Catalog.auditDecisions, orAfterProblem: .full)
        trail.redaction = reader.value(Catalog.redact, orAfterProblem: .secrets)
        trail.segmentBytes = reader.value(Catalog.auditSegmentBytes, orAfterProblem: 1)
        trail.rotateAt = reader.value(Catalog.auditRotateAt, orAfterProblem: trail.rotateAt)
        trail.retentionSeconds = reader.value(Catalog.auditRetention, orAfterProblem: .seconds(3600)).wholeSeconds
        trail.memoryEntries = reader.value(Catalog.auditMemory, orAfterProblem: 128)
        return AuditTrailSettings(
            trail: trail, index: reader.optional(Catalog.auditIndex),
            eventsRing: reader.value(Catalog.eventsRing, orAfterProblem: 128))
    }

    static func logging(_ reader: inout SettingsReader, inCluster: Bool) -> LoggingSettings {
        LoggingSettings(
            level: reader.value(SettingsCatalog.logLevel, orAfterProblem: .info),
            format: reader.optional(SettingsCatalog.logFormat) ?? (inCluster ? .json : .text),
            sensitiveDebug: reader.value(SettingsCatalog.logSensitiveDebug, orAfterProblem: false))
    }

    /// A path with its tilde expanded, and absolute.
    static func absolute(_ path: String, environment: [String: String], host: HostFacts) -> String {
        var path = HomeDirectory.expand(path, environment: environment)
        if !path.hasPrefix("/") { path = host.workingDirectory + "/" + path }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    /// The pod goes first: what a template sets is the same in all of its pods, and two writers of one name lose each other's entries.
    private static func writer(_ reader: inout SettingsReader, podName: String?, host: HostFacts) -> String {
        let named = reader.optional(SettingsCatalog.writer)
        // What tells pods apart is at the end of their names. No directory of segments is a hidden one.
        guard let pod = podName.map({ String($0.suffix(63).drop { $0 == "." || $0 == "-" }) }) else {
            return named ?? writerName(hostName: host.hostName)
        }
        if let named, named != pod {
            reader.note(.overruled, "TOLLGATE_WRITER", "POD_NAME is set: the audit trail is written under that name")
        }
        return pod
    }

    /// The host name as a writer's name: lower case, what does not fit replaced by `-`, cut to 63 bytes.
    static func writerName(hostName: String) -> String {
        let name = String(
            ASCII.lowercased(hostName).map { NameRules.isWriter(String($0)) || $0 == "." ? $0 : "-" }.prefix(63))
        return NameRules.isWriter(name) ? name : "tollgate"
    }

    /// The alias of the audit path may name a file: then its directory is meant.
    private static func directoryOfFileName(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return path }
        let name = path[path.index(after: slash)...]
        let endings = [".jsonl", ".json", ".log", ".ndjson", ".txt"]
        return endings.contains { name.hasSuffix($0) } ? String(path[..<slash]) : path
    }
}

/// Where Tollgate keeps its own files when no setting says so.
enum DataDirectory {
    /// nil when the environment names no home.
    static func standard(environment: [String: String]) -> String? {
        if TollgateSettings.isInCluster(environment) { return "/var/lib/tollgate" }
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/tollgate" }
        if let home = environment["HOME"], home.hasPrefix("/") { return home + "/.local/state/tollgate" }
        return nil
    }
}
