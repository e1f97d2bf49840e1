// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import Logging
package import Metrics

/// Opens the database of a server: brings it to the present schema where the server may, and refuses one that it must not serve from.
package enum PostgreSQLStart {
    /// Migrates over the administrator's address if there is one, opens the pool and checks schema, role and row-level security.
    ///
    /// - Throws: `PostgreSQLError`, in words for whoever has to mend it; nothing stays open.
    package static func open(
        _ settings: PostgreSQLSettings, administrator: PostgreSQLAddress?, logger: Logger, metrics: any MetricsFactory
    ) async throws -> PostgreSQLDatabase {
        Gauge(label: "tollgate_rls_enabled", factory: metrics).record(settings.isRowSecurityEnabled ? 1 : 0)
        if !settings.isRowSecurityEnabled {
            logger.warning(
                "Row-level security is off: only the statements themselves keep tenants apart",
                metadata: [LogKeys.setting: "RLS_ENABLED"])
        }
        if let administrator {
            try await migrate(
                administrator, installsRowSecurity: settings.isRowSecurityEnabled, logger: logger)
        }
        let database = PostgreSQLDatabase(settings, logger: logger, metrics: metrics)
        do {
            try await PostgreSQLMigrator(database).check()
            try await RowSecurity(database).check(isEnabled: settings.isRowSecurityEnabled)
            return database
        } catch {
            await database.shutdown()
            throw error
        }
    }

    private static func migrate(
        _ address: PostgreSQLAddress, installsRowSecurity: Bool, logger: Logger
    ) async throws {
        let database = PostgreSQLDatabase(
            .administration(address: address), logger: logger, metrics: NOOPMetricsHandler.instance)
        do {
            let report = try await PostgreSQLMigrator(database).migrate(installsRowSecurity: installsRowSecurity)
            for step in report.made {
                logger.notice("The schema of the database has a new step", metadata: [LogKeys.object: "\(step)"])
            }
            await database.shutdown()
        } catch {
            await database.shutdown()
            throw error
        }
    }
}
