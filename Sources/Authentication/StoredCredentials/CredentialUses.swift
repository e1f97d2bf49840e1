// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// The use counters of one stored credential, which outlive changes of its record.
final class CredentialUses: Sendable {
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
            state.total = state.total.addingSaturated(1)
            state.pending = state.pending.addingSaturated(1)
            state.lastUsedAt = now
            guard let address, state.addresses.count < Self.maximumAddresses, !state.addresses.contains(address) else {
                return
            }
            state.addresses.append(address)
        }
    }

    /// Takes over what the store has counted meanwhile; what is not written yet comes on top. Counters never go back.
    func adopt(count: Int64, lastUsedAt: Timestamp?) {
        state.withLock { state in
            state.total = max(state.total, count.addingSaturated(state.pending))
            if let lastUsedAt, state.lastUsedAt.map({ $0 < lastUsedAt }) ?? true { state.lastUsedAt = lastUsedAt }
        }
    }

    func drain(identifier: String) -> CredentialUse? {
        state.withLock { state in
            guard state.pending > 0, let lastUsedAt = state.lastUsedAt else { return nil }
            defer {
                state.pending = 0
                state.addresses = []
            }
            return CredentialUse(
                identifier: identifier, count: state.pending, lastUsedAt: lastUsedAt, addresses: state.addresses)
        }
    }

    /// Adds uses that somebody else has counted.
    func take(_ use: CredentialUse) {
        restore(use)
        state.withLock { state in
            state.total = state.total.addingSaturated(use.count)
            state.lastUsedAt = max(state.lastUsedAt ?? use.lastUsedAt, use.lastUsedAt)
        }
    }

    func restore(_ use: CredentialUse) {
        state.withLock { state in
            state.pending = state.pending.addingSaturated(use.count)
            for address in use.addresses
            where state.addresses.count < Self.maximumAddresses && !state.addresses.contains(address) {
                state.addresses.append(address)
            }
        }
    }
}

/// How often a stored credential was used since its counters were last written.
package struct CredentialUse: Sendable {
    package let identifier: String
    package let count: Int64
    package let lastUsedAt: Timestamp
    /// The addresses it came from, at most 16.
    package let addresses: [IPAddress]

    package init(identifier: String, count: Int64, lastUsedAt: Timestamp, addresses: [IPAddress] = []) {
        self.identifier = identifier
        self.count = count
        self.lastUsedAt = lastUsedAt
        self.addresses = addresses
    }
}
