// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The open connections whose client certificate the listener verified. As many entries as such connections.
final class VerifiedPeers: Sendable {
    private let names = Mutex<Set<PeerName>>([])

    func insert(_ name: PeerName) { names.withLock { _ = $0.insert(name) } }

    func remove(_ name: PeerName) { names.withLock { _ = $0.remove(name) } }

    func contains(_ name: PeerName) -> Bool { names.withLock { $0.contains(name) } }
}
