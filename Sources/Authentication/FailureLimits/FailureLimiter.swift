// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Counts failed authentications by address and by identity, and blocks whoever fails too often. In this process, bounded, O(1): nobody waits
/// for another machine to be refused. Where replicas share failures, what happens here is passed on, and what happened elsewhere is applied.
package final class FailureLimiter: Sendable {
    private struct State: Sendable {
        var addresses: FailureWindows<IPAddress>
        var identities: FailureWindows<String>
    }

    private let state: Mutex<State>
    private let limitsAddresses: Bool
    private let limitsIdentities: Bool
    private let sharing: (any FailureSharing)?

    /// Takes the settings of the failure limits.
    ///
    /// - Parameter sharing: passes on what happens here; nil where nobody else is to know.
    package init(_ settings: FailureLimitSettings, sharing: (any FailureSharing)? = nil) {
        self.sharing = sharing
        limitsAddresses = settings.perAddress > 0
        limitsIdentities = settings.perIdentity > 0
        state = Mutex(
            State(
                addresses: FailureWindows(
                    limit: settings.perAddress, intervalSeconds: settings.intervalSeconds,
                    maximumKeys: settings.maximumKeys),
                identities: FailureWindows(
                    limit: settings.perIdentity, intervalSeconds: settings.intervalSeconds,
                    maximumKeys: settings.maximumKeys)))
    }

    /// Whether the address is blocked: `auth.rate_limited.ip`.
    package func check(address: IPAddress, now: Timestamp) -> Refusal? {
        guard limitsAddresses, let standing = standing(address: address, now: now) else { return nil }
        return Refusal(
            .authRateLimitedIP, message: "Too many authentication attempts from IP \(address)",
            retryAfterSeconds: standing.retryAfterSeconds)
    }

    private func standing(address: IPAddress, now: Timestamp) -> FailureWindows<IPAddress>.Standing? {
        let key = Self.key(of: address)
        return state.withLock { $0.addresses.standing(key, now: now) }
    }

    /// How often an address has failed.
    struct Failures: Sendable, Hashable {
        let count: Int
        let limit: Int
        let intervalSeconds: Int64
        /// Nil while it is not blocked.
        let retryAfterSeconds: Int64?
        /// Names it in the list of blocks.
        let key: String
    }

    /// How often the address has failed, for explanations; nil when addresses are not limited. Nothing changes by asking.
    func failures(of address: IPAddress, now: Timestamp) -> Failures? {
        guard limitsAddresses else { return nil }
        let key = Self.key(of: address)
        return state.withLock { state in
            let (count, wait) = state.addresses.failures(key, now: now)
            return Failures(
                count: count, limit: state.addresses.limit, intervalSeconds: state.addresses.interval,
                retryAfterSeconds: wait, key: Self.text(of: key))
        }
    }

    /// Whether the identity has failed too often: `auth.rate_limited.identity`. Asked only after a failure, or before a password is tried.
    package func check(identity: String, now: Timestamp) -> Refusal? {
        guard let standing = state.withLock({ $0.identities.standing(identity, now: now) }) else { return nil }
        return Refusal(
            .authRateLimitedIdentity,
            message: "Too many authentication attempts for identity \(FailureIdentity.display(identity))",
            retryAfterSeconds: standing.retryAfterSeconds)
    }

    /// Counts a failure of an address.
    ///
    /// - Returns: the block, if this failure began one.
    package func record(address: IPAddress, now: Timestamp) -> FailureBlock? {
        let key = Self.key(of: address)
        let standing = state.withLock { state -> FailureWindows<IPAddress>.Standing? in
            let wasBlocked = state.addresses.standing(key, now: now) != nil
            let standing = state.addresses.record(key, now: now)
            return wasBlocked ? nil : standing
        }
        if limitsAddresses { sharing?.share(.failed(.address(key), at: now)) }
        return standing.map { FailureBlock(kind: .ip, key: Self.text(of: key), standing: $0) }
    }

    /// Counts a failure of an identity.
    ///
    /// - Returns: the block, if this failure began one.
    package func record(identity: String, now: Timestamp) -> FailureBlock? {
        let standing = state.withLock { state -> FailureWindows<String>.Standing? in
            let wasBlocked = state.identities.standing(identity, now: now) != nil
            let standing = state.identities.record(identity, now: now)
            return wasBlocked ? nil : standing
        }
        if limitsIdentities { sharing?.share(.failed(.identity(identity), at: now)) }
        return standing.map { FailureBlock(kind: .identity, key: Self.text(of: identity), standing: $0) }
    }

    /// Everything that is blocked, addresses first.
    package func blocks(now: Timestamp) -> [FailureBlock] {
        let (addresses, identities) = state.withLock {
            ($0.addresses.blocked(now: now), $0.identities.blocked(now: now))
        }
        return addresses.map { FailureBlock(kind: .ip, key: Self.text(of: $0.key), standing: $0.standing) }
            + identities.map { FailureBlock(kind: .identity, key: Self.text(of: $0.key), standing: $0.standing) }
    }

    /// Lifts a block by the key that `blocks` shows.
    ///
    /// - Returns: false when there is no block of that key.
    package func clear(_ key: String, now: Timestamp) -> Bool {
        let isCleared = state.withLock { state in
            var cleared = false
            for entry in state.addresses.blocked(now: now) where Self.text(of: entry.key) == key {
                cleared = state.addresses.clear(entry.key) || cleared
            }
            for entry in state.identities.blocked(now: now) where Self.text(of: entry.key) == key {
                cleared = state.identities.clear(entry.key) || cleared
            }
            return cleared
        }
        if isCleared { sharing?.share(.cleared(key)) }
        return isCleared
    }

    /// Takes what happened at another replica. It is not passed on; the replica where it happened writes it down.
    package func apply(_ event: FailureEvent, now: Timestamp) {
        state.withLock { state in
            switch event {
            case .failed(.address(let address), let instant):
                _ = state.addresses.record(Self.key(of: address), at: instant, now: now)
            case .failed(.identity(let identity), let instant):
                _ = state.identities.record(identity, at: instant, now: now)
            case .cleared(let key):
                state.addresses.clear { Self.text(of: $0) == key }
                state.identities.clear { Self.text(of: $0) == key }
            }
        }
    }

    /// IPv4 addresses stand alone, IPv6 addresses for their /64.
    private static func key(of address: IPAddress) -> IPAddress {
        address.isIPv4 ? address : IPAddress(ipv6High: address.high, low: 0)
    }

    private static func text(of key: IPAddress) -> String { key.isIPv4 ? "ip:\(key)" : "ip:\(key)/64" }

    private static func text(of identity: String) -> String {
        "identity:" + identity.split(separator: "\u{0}", omittingEmptySubsequences: false).joined(separator: "|")
    }
}
