// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import Essentials
internal import Logging
internal import Synchronization

/// The HTTP clients in use. When certificates change new ones take their place, and the old ones go when their calls have ended.
final class ClientPool: Sendable {
    /// Two clients with the same credentials: what holds a call for long does not take the place of a short one.
    final class Pair: Sendable {
        let calls: HTTPClient
        let watches: HTTPClient
        fileprivate let use = Mutex(Use())

        fileprivate init(calls: HTTPClient, watches: HTTPClient) {
            self.calls = calls
            self.watches = watches
        }

        fileprivate struct Use {
            var leases = 0
            var isRetired = false
            var isShutDown = false
        }

        /// Says whether the clients are to be shut down by whoever changed this.
        fileprivate func change(_ body: (inout Use) -> Void) -> Bool {
            use.withLock { use in
                body(&use)
                guard use.isRetired, use.leases == 0, !use.isShutDown else { return false }
                use.isShutDown = true
                return true
            }
        }
    }

    private struct State {
        var pair: Pair?
        var material: TLSMaterial?
        /// Material that no client could be made of; it is not tried again.
        var refused: TLSMaterial?
        var retired: [Pair] = []
        var isClosed = false
    }

    private let make: @Sendable (TLSMaterial) throws(ClusterConnectionError) -> Pair
    private let logger: Logger
    private let state = Mutex(State())

    init(_ factory: ClientFactory, logger: Logger) {
        make = { (material) throws(ClusterConnectionError) in
            let clients = try factory.clients(material)
            return Pair(calls: clients.calls, watches: clients.watches)
        }
        self.logger = logger
    }

    deinit {
        // Whoever forgets `shutdown()` leaves nothing behind either.
        state.withLock { state in
            for pair in state.retired + [state.pair].compactMap(\.self) {
                pair.calls.shutdown { _ in }
                pair.watches.shutdown { _ in }
            }
        }
    }

    /// Whether `shutdown` was asked for.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// The clients for a call; `release` when it has ended. Nil after `shutdown`.
    func lease(_ material: TLSMaterial) throws(ClusterConnectionError) -> Pair? {
        let result = state.withLock { state in
            Result { () throws(ClusterConnectionError) -> (Pair?, Pair?) in
                guard !state.isClosed else { return (nil, nil) }
                let old = try swap(&state, to: material)
                _ = state.pair?.change { $0.leases += 1 }
                return (state.pair, old)
            }
        }
        let (pair, old) = try result.get()
        if let old, old.change({ $0.isRetired = true }) { shutDown(old) }
        return pair
    }

    /// The call that leased the clients has ended.
    func release(_ pair: Pair) {
        if pair.change({ $0.leases -= 1 }) { shutDown(pair) }
    }

    /// Ends all calls and closes all connections.
    func shutdown() async {
        let pairs = state.withLock { state -> [Pair] in
            state.isClosed = true
            defer { state.pair = nil }
            return state.retired + [state.pair].compactMap(\.self)
        }
        for pair in pairs {
            pair.use.withLock { use in
                use.isRetired = true
                use.isShutDown = true
            }
            // A client that was shut down before says so, which is what is wanted.
            try? await pair.watches.shutdown()
            try? await pair.calls.shutdown()
        }
    }

    /// - Returns: the clients whose place was taken.
    private func swap(_ state: inout State, to material: TLSMaterial) throws(ClusterConnectionError) -> Pair? {
        guard state.pair == nil || (state.material != material && state.refused != material) else { return nil }
        let pair: Pair
        do throws(ClusterConnectionError) {
            pair = try make(material)
        } catch {
            guard state.pair != nil else { throw error }
            state.refused = material
            logger.warning(
                "New certificates for the API server cannot be used; the last ones stay in use",
                metadata: [LogKeys.reason: "\(error)"])
            return nil
        }
        let old = state.pair
        state.pair = pair
        state.material = material
        state.refused = nil
        if let old { state.retired.append(old) }
        return old
    }

    private func shutDown(_ pair: Pair) {
        state.withLock { state in state.retired.removeAll { $0 === pair } }
        // Its connections are idle; that one does not close in order changes nothing.
        pair.calls.shutdown { _ in }
        pair.watches.shutdown { _ in }
    }
}
