// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

/// What callers see when the way to the database, or the database itself, goes away.
@Suite(.timeLimit(.minutes(10))) struct LostConnectionTests {
    private static let terminateOthers = """
        SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        """

    @Test func noticesAConnectionThatWasEndedBetweenTransactions() async throws {
        let database = try await DatabaseSupport.withNotes()
        try await DatabaseSupport.withPool(database.url, change: { $0.poolSize = 1 }) { pool in
            try await pool.ping()
            try await database.run(Self.terminateOthers)
            let runs = Shared(0)
            try await pool.transaction(.tenant("acme")) { transaction in
                runs.change { $0 += 1 }
                try transaction.execute("INSERT INTO notes (id, tenant_id) VALUES ('a', 'acme')")
            }
            #expect(runs.value == 1)
        }
    }

    @Test func doesATransactionAgainThatWasCutBeforeItsCommit() async throws {
        let database = try await DatabaseSupport.withNotes()
        try await DatabaseSupport.withPool(
            database.url,
            change: {
                $0.poolSize = 1
                // A session may be ended by its own login only.
                $0.role = nil
            }
        ) { pool in
            let runs = Shared(0)
            try await pool.transaction(.tenant("acme")) { transaction in
                try transaction.execute("INSERT INTO notes (id, tenant_id) VALUES ('a', 'acme')")
                if runs.change({ $0 += 1 }) == 1 {
                    try transaction.execute("SELECT pg_terminate_backend(pg_backend_pid())")
                }
            }
            #expect(runs.value == 2)
            #expect(try await pool.query(.tenant("acme"), "SELECT id FROM notes").count == 1)
        }
    }

    /// The server dies between the request to commit and its answer.
    @Test func saysWhenItDoesNotKnowWhetherItWasKept() async throws {
        let database = try await DatabaseSupport.withNotes()
        try await database.run(
            """
            CREATE FUNCTION tollgate.die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
                'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER die AFTER INSERT ON tollgate.notes DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION tollgate.die();
            """)
        try await DatabaseSupport.withPool(database.url, change: { $0.poolSize = 1 }) { pool in
            let runs = Shared(0)
            let error = try await #require(throws: PostgreSQLError.self) {
                try await pool.transaction(.tenant("acme")) { transaction in
                    runs.change { $0 += 1 }
                    try transaction.execute("INSERT INTO notes (id, tenant_id) VALUES ('a', 'acme')")
                }
            }
            #expect(error.code == .outcomeUnknown)
            #expect(runs.value == 1)
            try await pool.ping()
        }
    }

    @Test func comesBackAfterTheServerWasRestarted() async throws {
        try await PostgreSQLServer.with { server in
            let database = try await server.makeDatabase()
            try await DatabaseSupport.withPool(database.url) { pool in
                try await pool.ping()
                await server.stop()
                let error = try await #require(throws: PostgreSQLError.self) { try await pool.ping() }
                #expect(error.code == .unavailable)
                try await server.start()
                try await Eventually.holds("the database to be reached again") { await Self.answers(pool) }
                try await server.kill()
                try await Eventually.holds("the database to be missed") { await !Self.answers(pool) }
                try await server.start()
                try await Eventually.holds("the database to be reached again") { await Self.answers(pool) }
            }
        }
    }

    /// The network swallows everything and says nothing.
    @Test func givesUpASilentConnection() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        try await CuttingProxy.with(to: database.server.port) { proxy in
            let url = database.server.url(user: "gate", database: database.name, port: proxy.port)
            let impatient: (inout PostgreSQLSettings) -> Void = {
                $0.poolSize = 1
                $0.statementTimeout = .seconds(1)
                $0.networkGrace = .milliseconds(200)
                $0.connectTimeout = .seconds(2)
            }
            try await DatabaseSupport.withPool(url, change: impatient) { pool in
                try await Eventually.holds("the database to be reached") { await Self.answers(pool) }
                proxy.stall()
                let error = try await #require(throws: PostgreSQLError.self) { try await pool.ping() }
                #expect(error.code == .timeout)
                #expect(error.sqlState == nil)
                let next = try await #require(throws: PostgreSQLError.self) { try await pool.ping() }
                #expect(next.code == .unavailable, "a new connection does not come about either")
                proxy.resume()
                try await Eventually.holds("the database to be reached again") { await Self.answers(pool) }
            }
        }
    }

    @Test func neverShowsThePassword() async throws {
        let server = try await PostgreSQLServer.shared()
        let password = "s3cret-of-nobody"
        for url in [
            server.url(user: "gate", database: "postgres", password: password),
            server.url(user: password, database: password, password: password),
            "host=127.0.0.1 port=1 user=gate dbname=x password=\(password)",
            "host=/nowhere/\(password) user=gate dbname=x password=\(password)",
        ] {
            try await DatabaseSupport.withPool(url) { pool in
                let error = try await #require(throws: PostgreSQLError.self) { try await pool.ping() }
                #expect(error.code == .unavailable)
                let words = "\(error)"
                #expect(!words.isEmpty)
                // What is both a user's name and a password is no secret.
                if !url.contains("\(password):") && !url.contains("/nowhere") { #expect(!words.contains(password)) }
            }
        }
    }

    @Test func checksWhoTheServerIs() async throws {
        let folder = try TemporaryDirectory()
        let (certificate, key) = (folder.path("server.crt"), folder.path("server.key"))
        let (status, output) = try await PeerProcess.run(
            name: "openssl", executable: "/usr/bin/openssl",
            arguments: [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                "-subj", "/CN=database", "-addext", "subjectAltName=IP:127.0.0.1",
            ], folder: folder)
        #expect(status == 0, "\(output)")
        try PostgreSQLServer.hand(key)
        let settings = ["ssl=on", "ssl_cert_file=\(certificate)", "ssl_key_file=\(key)"]
        try await PostgreSQLServer.with(settings: settings) { server in
            let database = try await server.makeDatabase()
            func url(_ options: String) -> String {
                server.url(user: "gate", database: database.name, options: "?" + options)
            }
            let question = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            for (options, isEncrypted) in [
                ("sslmode=verify-full&sslrootcert=\(certificate)", true), ("sslmode=require", true),
                ("sslmode=disable", false),
            ] {
                // The view shows a session to its own login only.
                try await DatabaseSupport.withPool(url(options), change: { $0.role = nil }) { pool in
                    let row = try await pool.query(.none, question)[0]
                    #expect(try row.boolean(0) == isEncrypted)
                }
            }
            try await DatabaseSupport.withPool(url("sslmode=verify-full&sslrootcert=/etc/hostname")) { pool in
                let error = try await #require(throws: PostgreSQLError.self) { try await pool.ping() }
                #expect(error.code == .unavailable)
            }
        }
    }

    private static func answers(_ pool: PostgreSQLDatabase) async -> Bool {
        do {
            try await pool.ping()
            return true
        } catch {
            return false
        }
    }
}
