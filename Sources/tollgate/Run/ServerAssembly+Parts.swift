// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import HTTPService
internal import Logging
internal import Persistence

extension ServerAssembly {
    static func openAudit(
        _ settings: TollgateSettings, link: UpstreamLink?, clock: any WallClock, random: any RandomSource,
        logger: Logger, metrics: PrometheusRegistry
    ) throws -> AuditLog {
        do {
            let trail = settings.audit.trail
            try DurableFile.makeDirectory(trail.writerDirectory)
            var index: (any AuditIndexing)? =
                settings.audit.index == .sqlite
                ? try SQLiteAuditIndex(path: "\(trail.writerDirectory)/index.sqlite") : nil
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

    static func tokenStore(
        _ authentication: AuthenticationSettings, beside store: SQLiteStore, link: UpstreamLink?,
        settings: TollgateSettings, clock: any WallClock, logger: Logger
    ) throws -> any ServiceTokenStore {
        if let link { return UpstreamTokenStore(report: link.usage) }
        switch authentication.tokenBackend {
        case .postgres:
            throw StartupProblem(
                "TOLLGATE_AUTH_SERVICE_TOKEN_BACKEND: postgres is not supported by this release; use sqlite or inmemory"
            )
        case .inmemory:
            logger.warning("service tokens are kept in memory and lost at the end of the process")
            return InMemoryTokenStore()
        case .sqlite, nil:
            guard let path = authentication.tokenDatabasePath else { return store }
            if let slash = path.lastIndex(of: "/") { try DurableFile.makeDirectory(String(path[..<slash])) }
            return try SQLiteStore(path: path, clock: clock)
        }
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
