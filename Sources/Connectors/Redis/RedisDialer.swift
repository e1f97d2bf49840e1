// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// Makes connections: TLS, user and password, database, and the proof that the server answers.
struct RedisDialer: Sendable {
    /// What a connection is for.
    enum Purpose: Sendable, Hashable {
        /// Commands, on the master of what the address names.
        case master
        /// Commands, on a server of a cluster.
        case clusterNode
        /// Questions to a sentinel.
        case sentinel
    }

    let settings: RedisSettings
    private let tls: NIOSSLContext?

    /// - Throws: `connect` when the authorities cannot be read.
    init(_ settings: RedisSettings) throws(RedisError) {
        self.settings = settings
        guard settings.address.usesTLS else {
            tls = nil
            return
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        do {
            if let authorities = settings.authorities {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authorities))
            }
            tls = try NIOSSLContext(configuration: configuration)
        } catch {
            throw RedisError(
                .connect,
                "TOLLGATE_REDIS_CA_FILE: \(settings.authorities ?? "") cannot be used: \(error). "
                    + "Name a PEM file of certificates.")
        }
    }

    /// A connection that has answered.
    ///
    /// - Throws: `connect`, `authentication`, `timeout`, `lost`, `refused`, `malformed`.
    func dial(
        _ endpoint: RedisEndpoint, for purpose: Purpose, onMessage: (@Sendable (String, [UInt8]) -> Void)? = nil
    ) async throws(RedisError) -> RedisConnection {
        let connection = try await RedisConnection.open(
            endpoint, tls: tls, timeout: settings.connectTimeout, maximumWaiting: settings.maximumWaiting,
            onMessage: onMessage)
        do throws(RedisError) {
            try await greet(connection, purpose)
            return connection
        } catch {
            connection.close()
            throw error.code == .timeout || error.code == .lost
                ? RedisError(.connect, "\(endpoint) accepts connections, but \(Self.silence(error))") : error
        }
    }

    private static func silence(_ error: RedisError) -> String {
        error.code == .timeout ? "does not answer" : "ends them at once: \(error.message)"
    }

    private func greet(_ connection: RedisConnection, _ purpose: Purpose) async throws(RedisError) {
        let limit = settings.connectTimeout
        let isSentinel = purpose == .sentinel
        let user = isSentinel ? settings.sentinelUser : settings.address.user
        if let password = isSentinel ? settings.sentinelPassword : settings.address.password {
            let command = RedisCommand(words: ["AUTH"] + (user.map { [$0] } ?? []) + [password.revealed])
            let reply = try await connection.send([command], within: limit)[0]
            if case .failure(let failure) = reply { throw Self.refusedCredentials(failure, isSentinel: isSentinel) }
        }
        if purpose == .master, settings.address.database != 0 {
            _ = try await connection.send(RedisCommand("SELECT", String(settings.address.database)), within: limit)
        }
        // A name helps whoever looks at the list of clients; a server that knows no names is as good.
        let replies = try await connection.send(
            [RedisCommand("CLIENT", "SETNAME", "tollgate"), RedisCommand("PING")], within: limit)
        if case .failure(let failure) = replies[1] {
            throw failure.code == "NOAUTH"
                ? Self.refusedCredentials(failure, isSentinel: isSentinel) : RedisError(failure)
        }
        guard replies[1] == .status("PONG") else {
            throw RedisError(.malformed, "\(connection.endpoint) does not answer PING as Redis does")
        }
        guard purpose == .master, case .sentinel = settings.address.topology else { return }
        // Sentinels may not know yet that the master is one no more.
        let role = try await connection.send(RedisCommand("ROLE"), within: limit).array?.first?.text
        guard role == "master" else {
            throw RedisError(.connect, "\(connection.endpoint) is a \(role ?? "server of an unknown role"), no master")
        }
    }

    private static func refusedCredentials(_ failure: RedisReplyError, isSentinel: Bool) -> RedisError {
        let names =
            isSentinel
            ? "TOLLGATE_REDIS_SENTINEL_USERNAME and TOLLGATE_REDIS_SENTINEL_PASSWORD" : "user and password of REDIS_URL"
        let what = failure.code == "NOAUTH" ? "wants credentials" : "refuses the credentials"
        return RedisError(
            .authentication, "the server \(what) (\(failure.code)): check \(names)", reply: failure)
    }

    /// The master that the sentinels name: the first one that answers is believed.
    func master(_ sentinels: [RedisEndpoint], name: String) async throws(RedisError) -> RedisEndpoint {
        var last = RedisError(.connect, "no sentinel is named")
        for sentinel in sentinels {
            do throws(RedisError) {
                let connection = try await dial(sentinel, for: .sentinel)
                defer { connection.close() }
                let reply = try await connection.send(
                    RedisCommand("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name), within: settings.connectTimeout)
                guard let members = reply.array, members.count == 2, let host = members[0].text, !host.isEmpty,
                    let port = members[1].integer, (1...65_535).contains(port)
                else { throw RedisError(.connect, "sentinel \(sentinel) knows no master \(name)") }
                return RedisEndpoint(host: host, port: Int(port))
            } catch {
                last = error
            }
        }
        throw last
    }
}
