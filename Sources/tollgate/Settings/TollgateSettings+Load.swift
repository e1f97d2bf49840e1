// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials

/// Facts about the machine that some defaults need.
struct HostFacts: Sendable {
    /// The host name.
    var hostName: String
    /// The directory that relative paths start from.
    var workingDirectory: String
}

extension TollgateSettings {
    /// Reads every setting of the table.
    ///
    /// - Throws: `SettingsError` with every problem there is.
    static func load(_ sources: SettingsSources, host: HostFacts) throws(SettingsError) -> TollgateSettings {
        var reader = SettingsReader(sources)
        let settings = read(&reader, environment: sources.environment, host: host)
        for problem in unknownFileKeys(sources) { reader.problem(problem.setting, problem.message) }
        guard reader.problems.isEmpty else { throw SettingsError(problems: inTableOrder(reader.problems)) }
        return settings
    }

    /// Reads every setting of the table; what is wrong stays in the reader.
    static func read(
        _ reader: inout SettingsReader, environment: [String: String], host: HostFacts
    ) -> TollgateSettings {
        typealias Catalog = SettingsCatalog
        let dataDirectory = dataDirectory(&reader, environment: environment, host: host)
        let sidecar = sidecar(&reader, environment: environment, host: host)
        let oneSecond = Duration.seconds(1)
        let database = database(&reader)
        let podName = reader.optional(Catalog.podName)
        var settings = TollgateSettings(
            listeners: listeners(
                &reader, environment: environment, host: host, standsBesideOne: sidecar != nil),
            decisions: DecisionSettings(
                timeout: reader.value(Catalog.decisionTimeout, orAfterProblem: oneSecond),
                maxInFlight: reader.value(Catalog.decisionMaxInFlight, orAfterProblem: 1),
                batchMax: reader.value(Catalog.decisionBatchMax, orAfterProblem: 1)),
            authentication: authentication(&reader, environment: environment, host: host),
            console: console(&reader),
            apiAuthConfig: apiAuthConfig(&reader),
            apiKeyPrefix: reader.value(Catalog.apiKeyPrefix, orAfterProblem: ""),
            apiKeyOldPrefixes: reader.optional(Catalog.apiKeyOldPrefixes) ?? [],
            egressAllow: reader.optional(Catalog.egressAllow) ?? [],
            policy: policy(&reader, environment: environment, host: host),
            policyEngine: policyEngine(&reader),
            plans: plans(&reader, environment: environment, host: host), credits: credits(&reader),
            stripe: stripe(&reader), process: process(&reader, environment: environment),
            tools: tools(&reader, dataDirectory: dataDirectory, environment: environment, host: host),
            healing: healing(&reader, environment: environment, host: host),
            cluster: cluster(&reader, podName: podName, host: host),
            selfManagement: selfManagement(&reader, hasDatabase: database.server != nil), sidecar: sidecar,
            dataDirectory: dataDirectory,
            database: database,
            redis: redis(&reader, environment: environment, host: host),
            audit: audit(
                &reader, dataDirectory: dataDirectory, podName: podName, environment: environment, host: host),
            logging: logging(&reader, inCluster: isInCluster(environment)),
            drainDelay: reader.value(Catalog.drainDelay, orAfterProblem: oneSecond),
            grace: reader.value(Catalog.grace, orAfterProblem: oneSecond),
            maxSnapshotAge: reader.optional(Catalog.maxSnapshotAge).flatMap { $0 == .zero ? nil : $0 },
            reconcileInterval: reader.value(Catalog.reconcileInterval, orAfterProblem: oneSecond),
            notes: [])
        checkAuthentication(settings, &reader)
        checkSidecar(settings, &reader)
        checkBilling(settings, &reader)
        checkProcess(settings, environment: environment, &reader)
        noteUnsafe(settings, &reader)
        checkArchive(environment, &reader)
        noteUnknownNames(environment, &reader)
        settings.notes = reader.notes
        return settings
    }

    /// Lets the authentication target read what belongs to it, so that its problems are told with all the others.
    private static func checkAuthentication(_ settings: TollgateSettings, _ reader: inout SettingsReader) {
        guard case .failure(let faults) = AuthenticationSettings.parse(settings.authenticationTexts) else { return }
        let known = Set(reader.problems.map(\.setting))
        for problem in faults.problems where !known.contains(problem.setting) {
            reader.problem(problem.setting, problem.message)
        }
    }

    /// Whether the process runs in a pod.
    static func isInCluster(_ environment: [String: String]) -> Bool {
        environment["KUBERNETES_SERVICE_HOST"]?.isEmpty == false
    }

    private static func inTableOrder(_ problems: [SettingsProblem]) -> [SettingsProblem] {
        let order = Dictionary(
            SettingsCatalog.all.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        return problems.enumerated().sorted { left, right in
            let positions = (order[left.element.setting] ?? .max, order[right.element.setting] ?? .max)
            return positions.0 == positions.1 ? left.offset < right.offset : positions.0 < positions.1
        }.map(\.element)
    }

    private static func unknownFileKeys(_ sources: SettingsSources) -> [SettingsProblem] {
        let known = Set(SettingsCatalog.all.flatMap { [$0.name] + $0.aliases }.flatMap { [$0, $0 + "_FILE"] })
        return sources.file.keys.sorted().filter { !known.contains($0) }.map {
            SettingsProblem(setting: $0, message: "no setting has this name (settings file)")
        }
    }

    /// Whoever asks for an archive counts on segments being kept until they are in it. There is none, so that nothing may begin that deletes them.
    private static func checkArchive(_ environment: [String: String], _ reader: inout SettingsReader) {
        let name = "TOLLGATE_AUDIT_ARCHIVE"
        for given in [name, name + "_FILE"] {
            guard let text = environment[given].map({ ASCII.lowercased(ASCII.trimmed($0)) }), !text.isEmpty,
                text != "false"
            else { continue }
            reader.problem(
                name,
                "there is no archive: unset it, keep segments with tollgate audit backup, and set "
                    + "TOLLGATE_AUDIT_RETENTION to how long they stay")
        }
    }

    /// A misspelt name must not silently leave a default in force. Variables that Kubernetes makes for a Service named `tollgate` are no settings.
    private static func noteUnknownNames(_ environment: [String: String], _ reader: inout SettingsReader) {
        let known = Set(
            (SettingsCatalog.all + SettingsCatalog.client).flatMap { [$0.name] + $0.aliases }
                .flatMap { [$0, $0 + "_FILE"] })
        for name in environment.keys.sorted() where name.hasPrefix("TOLLGATE_") && !known.contains(name) {
            let isServiceLink =
                name.hasPrefix("TOLLGATE_SERVICE_") || name.hasPrefix("TOLLGATE_PORT")
                || name.range(ofText: "_SERVICE_HOST") != nil || name.range(ofText: "_SERVICE_PORT") != nil
                || name.range(ofText: "_PORT_") != nil
            if !isServiceLink { reader.note(.unknownName, name, "no setting has this name: it is ignored") }
        }
    }

    private static func noteUnsafe(_ settings: TollgateSettings, _ reader: inout SettingsReader) {
        if settings.audit.trail.failsOpen {
            reader.note(.unsafe, "TOLLGATE_AUDIT_FAIL_OPEN", "requests pass although they cannot be recorded")
        }
        if settings.audit.trail.redaction == .off {
            reader.note(.unsafe, "TOLLGATE_REDACT", "nothing is taken out of records and logs")
        }
        if settings.logging.sensitiveDebug {
            reader.note(.unsafe, "LOG_SENSITIVE_DEBUG", "each step of an authentication is in the debug log")
        }
        if !settings.policy.roleCheckEnabled {
            reader.note(.unsafe, "OPA_ENABLED", "requests to workloads need no role that grants what they ask for")
        }
        let mode = settings.authentication["TOLLGATE_AUTH_MODE"].map { ASCII.lowercased(ASCII.trimmed($0)) }
        if mode == "disabled" {
            reader.note(.unsafe, "TOLLGATE_AUTH_MODE", "requests to workloads need no credential")
        }
    }
}
