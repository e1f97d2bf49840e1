// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Persistence

/// The database that replicas share.
struct DatabaseSettings: Sendable {
    /// How the server uses it; nil = the embedded one.
    var server: PostgreSQLSettings?
    /// The same database for migrations at the start; nil = the server may not make them.
    var administrator: PostgreSQLAddress?
}

extension SettingsCatalog {
    /// In the order of the table.
    static let database: [SettingInfo] = [
        databaseURL.info, databaseAdminURL.info, databasePoolSize.info, databaseConnectTimeout.info,
        databaseStatementTimeout.info, databaseWaitTimeout.info, rowSecurity.info,
    ]

    static let databaseURL = Setting(
        "TOLLGATE_DATABASE_URL", .databaseAddress, defaultNote: "the embedded database", secret: true, in: .database,
        "The PostgreSQL database that replicas share, as libpq reads it; sslmode, sslrootcert and the like are in it. Its login is a member of tollgate_app only."
    )
    static let databaseAdminURL = Setting(
        "TOLLGATE_DATABASE_ADMIN_URL", .databaseAddress,
        defaultNote: "TOLLGATE_DATABASE_URL for tollgate db, none for the server", secret: true, in: .database,
        "The same database for tollgate db; where it is set, the server also makes missing schema steps at its start. Its login is a member of tollgate_admin, or a superuser."
    )
    static let databasePoolSize = Setting(
        "TOLLGATE_DATABASE_POOL_SIZE", .count(1...200), default: "8", in: .database,
        "Connections of a replica, each with a thread; one more listens.")
    static let databaseConnectTimeout = Setting(
        "TOLLGATE_DATABASE_CONNECT_TIMEOUT", .duration(.seconds(2)...(.seconds(60)), shown: "2s to 60s"), default: "5s",
        in: .database, "How long a connection may take to be made, in whole seconds, for each host of the address.")
    static let databaseStatementTimeout = Setting(
        "TOLLGATE_DATABASE_STATEMENT_TIMEOUT", .duration(.milliseconds(100)...(.seconds(600)), shown: "100ms to 10m"),
        default: "5s", in: .database, "How long a statement may take.")
    static let databaseWaitTimeout = Setting(
        "TOLLGATE_DATABASE_WAIT_TIMEOUT", .duration(.milliseconds(100)...(.seconds(600)), shown: "100ms to 10m"),
        default: "5s", in: .database, "How long a caller may wait for a free connection.")
    static let rowSecurity = Setting(
        "RLS_ENABLED", .flag, default: "true", in: .database,
        "Whether the database keeps tenants apart by its own policies as well. false never goes around policies that are there: then the start is refused. Unsafe when false."
    )
}

extension SettingFormat where Value == PostgreSQLAddress {
    /// The address of a PostgreSQL database.
    static var databaseAddress: SettingFormat {
        SettingFormat(
            "secret", expected: "postgresql://user:password@host:5432/database?sslmode=verify-full, or host=… dbname=…"
        ) { text in
            // Why libpq does not take it would repeat parts of it.
            try? PostgreSQLAddress(ASCII.trimmed(text))
        }
    }
}

extension TollgateSettings {
    static func database(_ reader: inout SettingsReader) -> DatabaseSettings {
        typealias Catalog = SettingsCatalog
        let address = reader.found(Catalog.databaseURL)?.value
        let administrator = reader.found(Catalog.databaseAdminURL)?.value
        let isRowSecurityEnabled = reader.value(Catalog.rowSecurity, orAfterProblem: true)
        let poolSize = reader.value(Catalog.databasePoolSize, orAfterProblem: 1)
        let connectTimeout = reader.value(Catalog.databaseConnectTimeout, orAfterProblem: .seconds(5))
        let statementTimeout = reader.value(Catalog.databaseStatementTimeout, orAfterProblem: .seconds(5))
        let waitTimeout = reader.value(Catalog.databaseWaitTimeout, orAfterProblem: .seconds(5))
        for (name, address) in [("TOLLGATE_DATABASE_URL", address), ("TOLLGATE_DATABASE_ADMIN_URL", administrator)]
        where address?.isExposed == true {
            reader.note(
                .unsafe, name, "nobody checks that the database's host is who it says: use sslmode=verify-full")
        }
        guard let address else { return DatabaseSettings(server: nil, administrator: administrator) }
        if !isRowSecurityEnabled {
            reader.note(.unsafe, "RLS_ENABLED", "only the statements themselves keep tenants apart in the database")
        }
        var server = PostgreSQLSettings(address: address)
        server.isRowSecurityEnabled = isRowSecurityEnabled
        server.poolSize = poolSize
        server.connectTimeout = connectTimeout
        server.statementTimeout = statementTimeout
        server.waitTimeout = waitTimeout
        return DatabaseSettings(server: server, administrator: administrator)
    }
}
