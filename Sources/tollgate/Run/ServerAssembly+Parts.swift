// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import HTTPService
internal import Logging
internal import Persistence

extension ServerAssembly {
    /// - Parameter shared: the trail in the database that replicas share; nil where there is none.
    static func openAudit(
        _ settings: TollgateSettings, shared: SharedAudit?, link: UpstreamLink?, clock: any WallClock,
        random: any RandomSource, logger: Logger, metrics: PrometheusRegistry
    ) throws -> AuditLog {
        if settings.audit.index == .postgres, shared == nil {
            throw StartupProblem(
                "TOLLGATE_AUDIT_INDEX: postgres needs TOLLGATE_DATABASE_URL; set it, or use sqlite or memory")
        }
        do {
            var trail = settings.audit.trail
            // A series of its own beside that of role api, over one data directory as well.
            if settings.process.role == .controller { trail.writer += "-controller" }
            trail.cursorKey = shared?.cursorKey
            try DurableFile.makeDirectory(trail.writerDirectory)
            var index: (any AuditIndexing)? =
                switch settings.audit.index ?? (shared == nil ? .sqlite : .postgres) {
                case .sqlite: try SQLiteAuditIndex(path: "\(trail.writerDirectory)/index.sqlite")
                case .postgres: shared?.index
                case .memory: nil
                }
            if let link { index = link.auditIndex(beside: index, directory: trail.writerDirectory, logger: logger) }
            let log = AuditLog(
                settings: trail, index: index, clock: clock, random: random, logger: logger, metricsFactory: metrics)
            try log.open()
            return log
        } catch {
            throw StartupProblem("the audit trail cannot be opened: \(error). Check TOLLGATE_AUDIT_PATH.")
        }
    }

    /// A setting that is on and can do nothing is told.
    static func warnOfTokenReview(_ logger: Logger) {
        logger.warning(
            "setting",
            metadata: [
                LogKeys.setting: "TOLLGATE_AUTH_TOKEN_REVIEW",
                LogKeys.reason:
                    "it has no effect without a cluster: no token is sent anywhere, and none of a cluster is accepted",
            ])
    }

    /// The configured admin token, or the one that is made where neither it nor a bootstrap token is configured.
    static func adminCredential(
        _ authentication: AuthenticationSettings, settings: TollgateSettings, origin: ObjectOrigin,
        random: any RandomSource
    ) async throws -> AdminCredential? {
        if let token = authentication.adminToken { return AdminCredential(token: token, isGenerated: false) }
        guard authentication.bootstrap == nil else { return nil }
        // Nobody administers a sidecar: what is to be changed is changed at its operator.
        if case .upstream = origin { return nil }
        if case .cluster(let link) = origin {
            return AdminCredential(token: try await link.adminToken(random: random), isGenerated: true)
        }
        let file = AdminTokenFile(dataDirectory: settings.dataDirectory)
        let (token, isNew) = try file.load(random: random)
        if isNew {
            // Shown once, outside the logger: whoever keeps logs must not keep this.
            let line = "tollgate: admin token, shown once: \(token.revealed)\n"
            DescriptorOutput.standardError.write(Array(line.utf8))
        }
        return AdminCredential(token: token, isGenerated: true)
    }
}

extension ObjectOrigin {
    /// The keys that seal sessions in Redis: those of the settings, or in a cluster one that is made. Nil where there are none, or no Redis.
    func sessionKeys(_ settings: TollgateSettings, random: any RandomSource) async -> Redacted<[[UInt8]]>? {
        if let keys = settings.console.sessionKeys { return keys }
        guard settings.redis != nil, case .cluster(let link) = self else { return nil }
        return await link.sessionKeys(random: random)
    }
}
