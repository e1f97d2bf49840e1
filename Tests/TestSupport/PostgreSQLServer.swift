// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Glibc
internal import Synchronization

/// A real PostgreSQL server on a free port of 127.0.0.1, ended by its process id. Suites share one (`shared`), and each test has a database of
/// its own in it (`makeDatabase`); who restarts or breaks a server makes one for itself (`with`).
///
/// Its logins: `postgres` is the superuser, `gate_admin` owns the databases and is a member of `tollgate_admin`, `gate` is a member of
/// `tollgate_app`.
package final class PostgreSQLServer: Sendable {
    /// Where it listens.
    package let port: Int
    /// Its logins have this password; some of its characters must be escaped in a URI.
    package static let password = "p@ss:w/rd 1"
    private let folder: TemporaryDirectory
    private let process = Mutex<PeerProcess?>(nil)
    private let extraSettings: [String]

    private static let sharing = SerialLock()
    private static let shared = Mutex<PostgreSQLServer?>(nil)

    private init(settings: [String]) throws {
        folder = try TemporaryDirectory()
        port = try FreePort.next()
        extraSettings = settings
    }

    /// The server that the suites of this process share; it ends with the process.
    package static func shared() async throws -> PostgreSQLServer {
        try await sharing.withLock {
            if let server = shared.withLock(\.self) { return server }
            let server = try PostgreSQLServer(settings: [])
            try await server.make()
            shared.withLock { $0 = server }
            atexit { PostgreSQLServer.shared.withLock(\.self)?.endNow() }
            return server
        }
    }

    /// Runs `body` while a server of its own answers; ends it whatever happens.
    ///
    /// - Parameters:
    ///   - settings: for `postgresql.conf`, such as `max_connections=10`.
    ///   - hasRoles: whether the two roles of the product and the logins `gate` and `gate_admin` are there.
    package static func with<Value>(
        settings: [String] = [], hasRoles: Bool = true, _ body: (PostgreSQLServer) async throws -> Value
    ) async throws -> Value {
        let server = try PostgreSQLServer(settings: settings)
        do {
            try await server.make(hasRoles: hasRoles)
            let value = try await body(server)
            await server.stop()
            return value
        } catch {
            await server.stop()
            throw error
        }
    }

    // MARK: - Starting and ending

    /// Starts it again after `stop` or `kill`, with the data and on the port that it had.
    package func start() async throws {
        var arguments = ["-D", folder.path("data"), "-p", "\(port)"]
        let settings = [
            "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=200",
            "shared_buffers=32MB", "jit=off", "log_statement=none", "password_encryption=scram-sha-256",
        ]
        for setting in settings + extraSettings { arguments += ["-c", setting] }
        try await Eventually.holds("postgres to start", within: .seconds(300)) {
            let started = try PeerProcess(
                name: "postgres", executable: Self.outerProgram,
                arguments: Self.command(try PeerPaths.path(of: .postgres), arguments),
                environment: ["LC_ALL": "C"], folder: folder)
            process.withLock { $0 = started }
            do {
                try await started.wait(forOutput: "ready to accept connections", within: .seconds(300))
                return true
            } catch  where started.output.contains("pre-existing shared memory block") {
                // The sessions of a killed server are still about to notice that it is gone.
                return false
            }
        }
    }

    /// Has it end its sessions and itself.
    package func stop() async {
        guard let running = process.withLock({ $0.take() }) else { return }
        running.signal(SIGINT)
        await running.end(patience: .seconds(60))
    }

    /// Kills it as a power cut would. Its children notice and end.
    package func kill() async throws {
        guard let running = process.withLock({ $0.take() }) else { return }
        try await running.killNow()
    }

    /// Gives a file to the user that the server runs as, and to nobody else.
    package static func hand(_ path: String) throws {
        guard chmod(path, 0o600) == 0, owner.map({ chown(path, $0, $0) == 0 }) ?? true else {
            throw PeerFault(message: "chown \(path): errno \(errno)")
        }
    }

    /// At the end of the process: no time for good manners.
    private func endNow() {
        if let running = process.withLock({ $0.take() }) {
            running.signal(SIGQUIT)
            var raw: Int32 = 0
            waitpid(running.id, &raw, 0)
        }
        // A folder that stays behind in the temporary directory harms nobody.
        try? FileManager.default.removeItem(atPath: folder.path)
    }

    private func make(hasRoles: Bool = true) async throws {
        let passwordFile = try folder.write(Self.password, to: "password")
        if let owner = Self.owner {
            for path in [folder.path, passwordFile] where chown(path, owner, owner) != 0 {
                throw PeerFault(message: "chown \(path): errno \(errno)")
            }
        }
        let (status, output) = try await PeerProcess.run(
            name: "initdb", executable: Self.outerProgram,
            arguments: Self.command(
                try PeerPaths.path(of: .initdb),
                [
                    "-D", folder.path("data"), "-U", "postgres", "--pwfile", passwordFile, "-A", "scram-sha-256", "-E",
                    "UTF8", "--locale=C", "--no-sync", "--no-instructions",
                ]),
            environment: ["LC_ALL": "C"], folder: folder, within: .seconds(300))
        guard status == 0 else { throw PeerFault(message: "initdb ended with \(status):\n\(output)") }
        try await start()
        guard hasRoles else { return }
        try await run(
            """
            CREATE ROLE tollgate_app NOLOGIN;
            CREATE ROLE tollgate_admin NOLOGIN BYPASSRLS;
            CREATE ROLE a2a_admin NOLOGIN BYPASSRLS;
            GRANT tollgate_admin TO a2a_admin;
            CREATE ROLE gate LOGIN PASSWORD '\(Self.password)' IN ROLE tollgate_app;
            CREATE ROLE gate_admin LOGIN PASSWORD '\(Self.password)' IN ROLE tollgate_admin;
            """)
    }

    // MARK: - Databases

    /// A new, empty database that `gate_admin` owns.
    package func makeDatabase(owner: String = "gate_admin") async throws -> TestDatabase {
        let name = "t_" + Hex.encode(SystemRandomSource().bytes(8))
        try await run("CREATE DATABASE \(name) OWNER \(owner)")
        return TestDatabase(server: self, name: name)
    }

    /// Runs statements as the superuser.
    ///
    /// - Returns: the rows, a line each, their columns separated by `|`.
    /// - Throws: `PeerFault` with what psql wrote.
    @discardableResult
    package func run(_ sql: String, database: String = "postgres") async throws -> String {
        let (status, output) = try await PeerProcess.run(
            name: "psql", executable: try PeerPaths.path(of: .psql),
            arguments: [
                "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", "\(port)", "-U", "postgres",
                "-d", database, "-c", sql,
            ], environment: ["PGPASSWORD": Self.password], folder: folder, within: .seconds(300))
        guard status == 0 else { throw PeerFault(message: "psql ended with \(status):\n\(output)") }
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The address of a database of it.
    ///
    /// - Parameter port: another one, such as that of a proxy in front of it.
    package func url(
        user: String, database: String, password: String = PostgreSQLServer.password, port: Int? = nil,
        options: String = ""
    ) -> String {
        let escaped = password.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return "postgresql://\(user):\(escaped)@127.0.0.1:\(port ?? self.port)/\(database)\(options)"
    }

    // MARK: - Another user

    /// The server refuses to be root; then it is nobody, who must get through folders of root's own.
    private static var owner: UInt32? { geteuid() == 0 ? 65_534 : nil }

    private static var outerProgram: String { owner == nil ? "/usr/bin/env" : "/usr/bin/setpriv" }

    private static func command(_ program: String, _ arguments: [String]) -> [String] {
        guard let owner else { return [program] + arguments }
        return ["--reuid=\(owner)", "--regid=\(owner)", "--clear-groups", program] + arguments
    }
}

/// A database of one test.
package struct TestDatabase: Sendable {
    /// Whose it is.
    package let server: PostgreSQLServer
    /// Its name.
    package let name: String

    /// For the server's own work: the login `gate`.
    package var url: String { server.url(user: "gate", database: name) }
    /// For migrations and maintenance: the login `gate_admin`.
    package var adminURL: String { server.url(user: "gate_admin", database: name) }
    /// For what no program may do: the superuser.
    package var superuserURL: String { server.url(user: "postgres", database: name) }

    /// Runs statements as the superuser; gives the rows, a line each, their columns separated by `|`.
    @discardableResult
    package func run(_ sql: String) async throws -> String { try await server.run(sql, database: name) }
}
