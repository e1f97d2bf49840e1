// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
package import Essentials

/// What must be true of stored records at any moment, whoever was killed while writing.
package struct StoreInvariants: Sendable {
    private let clock: any WallClock
    /// How many active keys an account may have, for those that are limited.
    private let keyLimits: [String: Int64]

    package init(clock: any WallClock, keyLimits: [String: Int64] = [:]) {
        self.clock = clock
        self.keyLimits = keyLimits
    }

    /// Reads everything and checks it.
    ///
    /// - Throws: `StoreContract.Broken`, naming every fault.
    package func check(_ stores: StoreSet) async throws {
        var faults = Self.chainFaults(try await stores.tokens.loadServiceTokens())
        let (keys, owners) = try await stores.keys.load()
        faults += keyFaults(keys)
        if Set(owners.map(\.identity)).count != owners.count { faults.append("an owner is there twice") }
        faults += try await shareFaults(stores.projects)
        guard !faults.isEmpty else { return }
        throw StoreContract.Broken(description: faults.joined(separator: "; "))
    }

    /// Checks that everything that was acknowledged is there.
    ///
    /// - Parameter acknowledged: identifiers of records whose write returned.
    package func check(_ stores: StoreSet, tokens acknowledged: Set<String>, keys acknowledgedKeys: Set<String>)
        async throws
    {
        try await check(stores)
        let tokens = Set(try await stores.tokens.loadServiceTokens().map(\.identifier))
        let keys = Set(try await stores.keys.load().records.map(\.id))
        let lost = acknowledged.subtracting(tokens).union(acknowledgedKeys.subtracting(keys))
        guard !lost.isEmpty else { return }
        throw StoreContract.Broken(description: "acknowledged and lost: \(lost.sorted().joined(separator: ", "))")
    }

    /// A rotation is whole or has not happened: both ends name each other and stand in one chain.
    private static func chainFaults(_ tokens: [ServiceTokenRecord]) -> [String] {
        let byID = Dictionary(tokens.map { ($0.identifier, $0) }) { first, _ in first }
        var faults: [String] = []
        if byID.count != tokens.count { faults.append("an identifier is there twice") }
        for token in tokens {
            if let next = token.rotatedTo, byID[next]?.family != token.family {
                faults.append("\(token.identifier) was rotated to \(next), which is not in its chain")
            }
            if let before = token.rotatedFrom, byID[before]?.rotatedTo != token.identifier {
                faults.append("\(token.identifier) replaces \(before), which does not know of it")
            }
        }
        return faults
    }

    private func keyFaults(_ keys: [APIKeyRecord]) -> [String] {
        let now = clock.now()
        let byID = Dictionary(keys.map { ($0.id, $0) }) { first, _ in first }
        var faults = byID.count == keys.count ? [] : ["a key is there twice"]
        for (account, limit) in keyLimits {
            let active = keys.count { $0.accountID == account && $0.status(at: now) == .active }
            if Int64(active) > limit { faults.append("\(account) has \(active) of \(limit) keys") }
        }
        for key in keys {
            if let before = key.rotatedFrom, byID[before]?.rotatedTo != key.id {
                faults.append("\(key.id) replaces \(before), which does not know of it")
            }
        }
        return faults
    }

    /// Between two projects a resource is shared once, and both projects are there.
    private func shareFaults(_ store: any ProjectStore) async throws -> [String] {
        var faults: [String] = []
        var seen: Set<ShareParties> = []
        for share in try await store.acceptedShares() {
            if !seen.insert(share.parties).inserted { faults.append("the share \(share.id) is there twice") }
            for project in [share.parties.ownerProject, share.parties.project]
            where try await store.project(project, tenant: share.parties.tenantID) == nil {
                faults.append("the share \(share.id) is of \(project), which is gone")
            }
        }
        return faults
    }
}
