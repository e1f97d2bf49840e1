// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// A real Redis on a port of 127.0.0.1, ended by its id.
package final class RedisServer: Sendable {
    /// Where it listens: for TLS where the options say so.
    package let port: Int
    private let folder: TemporaryDirectory
    private let options: [String]
    private let password: String?
    private let process: Mutex<PeerProcess>

    private init(port: Int, options: [String], password: String?, folder: TemporaryDirectory) throws {
        self.port = port
        self.folder = folder
        self.options = options
        self.password = password
        process = Mutex(try Self.start(port: port, options: options, folder: folder))
    }

    /// Runs `body` while it runs.
    ///
    /// - Parameters:
    ///   - options: further words of its command line; `--port` may stand among them.
    ///   - password: what `cli` has to say.
    package static func with<Value>(
        _ options: [String] = [], port: Int? = nil, password: String? = nil, folder: TemporaryDirectory? = nil,
        _ body: (RedisServer) async throws -> Value
    ) async throws -> Value {
        let server = try RedisServer(
            port: try port ?? FreePort.next(), options: options, password: password,
            folder: try folder ?? TemporaryDirectory())
        do {
            try await server.current.wait(forPort: server.port)
            let value = try await body(server)
            await server.current.end()
            return value
        } catch {
            await server.current.end()
            throw error
        }
    }

    private static func start(port: Int, options: [String], folder: TemporaryDirectory) throws -> PeerProcess {
        let plain = [
            "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder.path,
        ]
        return try PeerProcess(
            name: "redis-server", executable: try PeerPaths.path(of: .redisServer), arguments: plain + options,
            folder: folder)
    }

    private var current: PeerProcess { process.withLock { $0 } }

    /// `redis://127.0.0.1:…`
    package var url: String { "redis://127.0.0.1:\(port)" }

    /// Kills it as a power cut would, and waits until it is gone.
    package func kill() async throws { try await current.killNow() }

    /// Starts it again on the same port, with nothing in it.
    package func restart() async throws {
        let fresh = try Self.start(port: port, options: options, folder: folder)
        process.withLock { $0 = fresh }
        try await fresh.wait(forPort: port)
    }

    /// Has it stand still, with its connections open.
    package func hang() { current.signal(SIGSTOP) }

    /// Has it go on.
    package func wake() { current.signal(SIGCONT) }

    /// What `redis-cli` says to a command.
    package func cli(_ words: String...) async throws -> String {
        let credentials = password.map { ["--no-auth-warning", "-a", $0] } ?? []
        let (_, output) = try await PeerProcess.run(
            name: "redis-cli", executable: try PeerPaths.path(of: .redisCLI),
            arguments: ["-p", "\(port)"] + credentials + words, folder: folder)
        return output
    }
}
