// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// The use counters of one token, which outlive changes of its record.
final class ServiceTokenUses: Sendable {
    private struct State: Sendable {
        var total: Int64
        var pending: Int64 = 0
        var lastUsedAt: Timestamp?
        var addresses: [IPAddress] = []
    }

    private static let maximumAddresses = 16
    private let state: Mutex<State>

    init(count: Int64, lastUsedAt: Timestamp?) { state = Mutex(State(total: count, lastUsedAt: lastUsedAt)) }

    /// The counters as they are now.
    var total: (Int64, Timestamp?) { state.withLock { ($0.total, $0.lastUsedAt) } }

    func add(at now: Timestamp, from address: IPAddress?) {
        state.withLock { state in
            state.total += 1
            state.pending += 1
            state.lastUsedAt = now
            guard let address, state.addresses.count < Self.maximumAddresses, !state.addresses.contains(address) else {
                return
            }
            state.addresses.append(address)
        }
    }

    func drain(identifier: String) -> ServiceTokenUse? {
        state.withLock { state in
            guard state.pending > 0, let lastUsedAt = state.lastUsedAt else { return nil }
            defer {
                state.pending = 0
                state.addresses = []
            }
            return ServiceTokenUse(
                identifier: identifier, count: state.pending, lastUsedAt: lastUsedAt, addresses: state.addresses)
        }
    }

    func restore(_ use: ServiceTokenUse) {
        state.withLock { state in
            state.pending += use.count
            for address in use.addresses
            where state.addresses.count < Self.maximumAddresses && !state.addresses.contains(address) {
                state.addresses.append(address)
            }
        }
    }
}
