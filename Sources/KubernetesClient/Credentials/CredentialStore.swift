// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import ResourceModel
internal import Synchronization

/// The credential in force: read again when it is due, and at once when the server refused it.
final class CredentialStore: Sendable {
    /// A token file is read again after this long.
    private static let tokenFileAge = Duration.seconds(60)
    private static let maximumTokenBytes = 1 << 18

    private struct State {
        var credential: Credential?
        /// Counts what was fetched; a refusal of an older credential says nothing about the present one.
        var generation = 0
        var fetchedAt = Duration.zero
        var expires: Timestamp?
        var isRefused = false
    }

    /// A credential and which one it is.
    struct Current: Sendable {
        let credential: Credential
        let generation: Int
    }

    private let source: ClusterCredential
    private let runner: ExecPluginRunner
    private let time: any MonotonicClock
    private let clock: any WallClock
    private let logger: Logger
    private let state = Mutex(State())
    private let fetching = SerialLock()

    init(
        _ source: ClusterCredential, runner: ExecPluginRunner, time: any MonotonicClock, clock: any WallClock,
        logger: Logger
    ) {
        self.source = source
        self.runner = runner
        self.time = time
        self.clock = clock
        self.logger = logger
    }

    /// Whether a refused credential can be replaced by another.
    var canRenew: Bool {
        switch source {
        case .none, .token: false
        case .tokenFile, .exec: true
        }
    }

    /// The credential for a call that begins now.
    ///
    /// - Throws: `unauthorized` when there is none to be had.
    func current() async throws(KubernetesError) -> Current {
        switch source {
        case .none: return Current(credential: Credential(), generation: 0)
        case .token(let token): return Current(credential: Credential(token: token), generation: 0)
        case .tokenFile, .exec: break
        }
        if let current = fresh() { return current }
        return try await fetching.withLock { () throws(KubernetesError) in
            // Whoever had the lock before may have fetched it.
            if let current = fresh() { return current }
            switch source {
            case .tokenFile(let path): return try readToken(path)
            case .exec(let plugin): return try await run(plugin)
            case .none, .token: return Current(credential: Credential(), generation: 0)
            }
        }
    }

    /// The server answered 401 to that credential.
    func refused(_ current: Current) {
        state.withLock { state in
            if state.generation == current.generation { state.isRefused = true }
        }
    }

    private func fresh() -> Current? {
        let now = time.now()
        let instant = clock.now()
        return state.withLock { state in
            guard let credential = state.credential, !state.isRefused else { return nil }
            switch source {
            case .tokenFile where now - state.fetchedAt >= Self.tokenFileAge: return nil
            case .exec where state.expires.map({ instant >= $0 }) ?? false: return nil
            default: return Current(credential: credential, generation: state.generation)
            }
        }
    }

    private func readToken(_ path: String) throws(KubernetesError) -> Current {
        var reason = "\(path) is not there or empty"
        do {
            if let bytes = try DurableFile.read(path, limit: Self.maximumTokenBytes) {
                let token = ASCII.trimmed(String(decoding: bytes, as: UTF8.self))
                if !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
                    return keep(Credential(token: Redacted(token)), expires: nil)
                }
                if !token.isEmpty { reason = "\(path) holds what is no token: a token is one line of visible ASCII" }
            }
        } catch {
            reason = error.description
        }
        let last = state.withLock { state -> Current? in
            guard let credential = state.credential else { return nil }
            state.fetchedAt = time.now()
            state.isRefused = false
            return Current(credential: credential, generation: state.generation)
        }
        guard let last else {
            throw KubernetesError(.unauthorized, message: "no token for the API server: \(reason)")
        }
        logger.warning(
            "The token for the API server cannot be read again; the last one stays in use",
            metadata: [LogKeys.file: "\(path)", LogKeys.reason: "\(reason)"])
        return last
    }

    private func run(_ plugin: ExecPlugin) async throws(KubernetesError) -> Current {
        do {
            let answer = try await runner.run(plugin)
            return keep(answer.credential, expires: answer.expires)
        } catch {
            throw KubernetesError(error.code == .cancelled ? .cancelled : .unauthorized, message: error.message)
        }
    }

    private func keep(_ credential: Credential, expires: Timestamp?) -> Current {
        let now = time.now()
        return state.withLock { state in
            state.credential = credential
            state.generation += 1
            state.fetchedAt = now
            state.expires = expires
            state.isRefused = false
            return Current(credential: credential, generation: state.generation)
        }
    }
}
