// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
internal import Authorization
package import Essentials

/// A document as it goes out.
package struct WrittenSidecarDocument: Sendable {
    /// Quoted, as the header has it; the same state has the same tag on every replica.
    package let entityTag: String
    package let bytes: [UInt8]
}

/// Writes the documents of sidecars from what is in force. Of each version every document is written once, however many ask for it, and what
/// documents of a scope have in common once for all of them.
package actor SidecarDocuments {
    /// Where it reads.
    package struct Sources: Sendable {
        package var snapshots: SnapshotStore
        package var tokens: ServiceTokenTable
        package var keys: APIKeyTable
        package var prefixes: TokenPrefixes
        /// Says whether what the tables have is fresh.
        package var clock: any WallClock
        /// Whether hosts of a realm need a credential where the operator is.
        package var isEnforcing: @Sendable (AuthenticationRealm) -> Bool

        package init(
            snapshots: SnapshotStore, tokens: ServiceTokenTable, keys: APIKeyTable, prefixes: TokenPrefixes,
            clock: any WallClock, isEnforcing: @escaping @Sendable (AuthenticationRealm) -> Bool
        ) {
            self.snapshots = snapshots
            self.tokens = tokens
            self.keys = keys
            self.prefixes = prefixes
            self.clock = clock
            self.isEnforcing = isEnforcing
        }
    }

    /// Most documents that are kept at a time.
    private static let capacity = 1024

    private struct Wish: Hashable {
        /// Places of the AuthConfigs that were found: whoever asks for more that do not exist asks for the same document.
        let places: [Int]
        let scope: SnapshotScope
        let accepts: StoredKinds
    }

    /// Which stored credentials are good at any of the AuthConfigs.
    private struct StoredKinds: Hashable {
        var tokens = false
        var keys = false
    }

    private struct SharedWish: Hashable {
        let scope: SnapshotScope
        let accepts: StoredKinds
    }

    private let sources: Sources
    private var version: UInt64 = 0
    private var snapshot: RuntimeSnapshot?
    private var places: [String: Int] = [:]
    private var hosts: [Int: [String]] = [:]
    private var shared: [SharedWish: [UInt8]] = [:]
    private var written = LRUCache<Wish, WrittenSidecarDocument>(capacity: capacity)
    private let mostBytes: Int
    private var bytes = 0

    /// - Parameter mostBytes: of documents that are kept; the one that was asked for last is kept whatever it has.
    package init(_ sources: Sources, mostBytes: Int = 64 << 20) {
        self.sources = sources
        self.mostBytes = mostBytes
    }

    /// How many documents are kept, and what they have together.
    package var kept: (documents: Int, bytes: Int) { (written.count, bytes) }

    /// The document for AuthConfigs.
    ///
    /// - Parameters:
    ///   - names: `namespace/name`, sorted.
    ///   - version: what was written of an older one is written anew.
    /// - Throws: `decision.not_ready`, `auth.no_config` when none of them is in force, `policy.tenant_denied` for one of another tenant,
    ///   `auth.store_unavailable` while stored credentials that belong in it would be refused here too.
    package func document(
        for names: [String], scope: SnapshotScope, version: UInt64
    ) throws(Refusal) -> WrittenSidecarDocument {
        let snapshot = try renew(version)
        var configs: [(index: Int, config: CompiledAuthConfig)] = []
        var accepts = StoredKinds()
        for name in names {
            guard let index = places[name] else { continue }
            let config = snapshot.authConfigs[index]
            guard scope.covers(config) else {
                throw Refusal(
                    .policyTenantDenied, message: "AuthConfig \(name) belongs to another tenant",
                    details: ["auth_config": .string(name)])
            }
            configs.append((index, config))
            guard config.brokenReason == nil else { continue }
            accepts.tokens = accepts.tokens || config.realm.serviceTokens
            accepts.keys = accepts.keys || config.realm.apiKeys
        }
        guard !configs.isEmpty else {
            throw Refusal(
                .authNoConfig, message: "No such AuthConfig is in force: \(names.joined(separator: ", "))",
                details: ["auth_configs": .strings(names)])
        }
        try checkFreshness(accepts)
        let wish = Wish(places: configs.map(\.index), scope: scope, accepts: accepts)
        if let known = written.value(for: wish) { return known }
        let document = write(configs, wish: wish, snapshot: snapshot)
        keep(document, for: wish)
        return document
    }

    /// Keeps a document, and no longer those that were asked for least recently where they become too much.
    private func keep(_ document: WrittenSidecarDocument, for wish: Wish) {
        while let oldest = written.oldestKey,
            written.count >= Self.capacity || bytes + document.bytes.count > mostBytes
        {
            bytes -= written.remove(oldest)?.bytes.count ?? 0
        }
        _ = written.insert(document, for: wish)
        bytes += document.bytes.count
    }

    /// Whoever has not heard of its store must not vouch for what was revoked there meanwhile.
    private func checkFreshness(_ accepts: StoredKinds) throws(Refusal) {
        let now = sources.clock.now()
        guard !accepts.tokens || sources.tokens.isFresh(at: now), !accepts.keys || sources.keys.isFresh(at: now) else {
            throw Refusal(.authStoreUnavailable, retryAfterSeconds: 1)
        }
    }

    private func renew(_ version: UInt64) throws(Refusal) -> RuntimeSnapshot {
        if let snapshot, version <= self.version { return snapshot }
        guard let current = sources.snapshots.current() else {
            throw Refusal(.decisionNotReady, retryAfterSeconds: 1)
        }
        self.version = version
        shared = [:]
        written.removeAll()
        bytes = 0
        if snapshot !== current {
            places = Dictionary(current.authConfigs.enumerated().map { ($1.key, $0) }) { first, _ in first }
            hosts = [:]
            for entry in current.hosts.entries { hosts[entry.index, default: []].append(entry.rule) }
        }
        snapshot = current
        return current
    }

    private func write(
        _ configs: [(index: Int, config: CompiledAuthConfig)], wish: Wish, snapshot: RuntimeSnapshot
    ) -> WrittenSidecarDocument {
        let entries = configs.map { index, config in
            SidecarDocument.Entry(
                config: config, hosts: hosts[index] ?? [], isEnforcing: sources.isEnforcing(config.realm))
        }
        let rule = SharedSecretRule(snapshot)
        let head = SidecarWriter.head(
            entries, elsewhere: elsewhere(of: Set(configs.map(\.index)), snapshot: snapshot), mayLeave: rule.mayLeave)
        let bytes = SidecarWriter.document(
            head, shared: shared(SharedWish(scope: wish.scope, accepts: wish.accepts), snapshot: snapshot))
        let tag = "\"" + Hex.encode(Fingerprint(of: bytes).bytes.prefix(16)) + "\""
        return WrittenSidecarDocument(entityTag: tag, bytes: bytes)
    }

    /// Entries of others below a wildcard of these: without them the wildcard would reach too far.
    private func elsewhere(of own: Set<Int>, snapshot: RuntimeSnapshot) -> [String] {
        let wildcards = own.flatMap { hosts[$0] ?? [] }.filter { $0.hasPrefix("*") }
        guard !wildcards.isEmpty else { return [] }
        let reachesAll = wildcards.contains("*")
        return snapshot.hosts.entries.filter { entry in
            guard !own.contains(entry.index) else { return false }
            return reachesAll
                || wildcards.contains { wildcard in entry.rule.hasSuffix(wildcard.dropFirst()) }
        }.map(\.rule)
    }

    private func shared(_ wish: SharedWish, snapshot: RuntimeSnapshot) -> [UInt8] {
        if let known = shared[wish] { return known }
        let scope = wish.scope
        let tokens = wish.accepts.tokens ? sources.tokens.records.filter(scope.covers) : []
        let keys = wish.accepts.keys ? sources.keys.records.filter { scope.covers($0.record) } : []
        let owners = Dictionary(keys.map { ($0.record.owner, $0.roles) }) { first, _ in first }
        let records = keys.map(\.record)
        let bytes = SidecarWriter.shared(
            SidecarDocument.Shared(
                policy: snapshot.policy, apiKeyPrefixes: [sources.prefixes.apiKey] + sources.prefixes.oldAPIKeys,
                tokens: tokens, keys: records, owners: owners.map { APIKeyOwner(identity: $0.key, roles: $0.value) },
                accounts: scope.accounts(snapshot.accounts, of: records), shares: scope.shares(snapshot.shares)))
        shared[wish] = bytes
        return bytes
    }
}

/// Which shared secrets of issuers may be given to sidecars. Whoever has one can make tokens, so it must open nothing that the hosts beside
/// which it lies do not.
struct SharedSecretRule {
    private let snapshot: RuntimeSnapshot

    init(_ snapshot: RuntimeSnapshot) { self.snapshot = snapshot }

    /// Not those of the own API and of the settings, nor of issuers that speak for the platform, nor those that an AuthConfig of another
    /// tenant accepts as well.
    func mayLeave(_ config: CompiledAuthConfig, _ entry: IssuerEntry) -> Bool {
        guard let secret = entry.secret, !entry.platform else { return false }
        guard !accepts(snapshot.ownRealm, secret) else { return false }
        return !snapshot.authConfigs.contains { other in
            other.tenant != config.tenant && other.brokenReason == nil && accepts(other.realm, secret)
        }
    }

    private func accepts(_ realm: AuthenticationRealm, _ secret: Redacted<[UInt8]>) -> Bool {
        realm.issuers.entries.contains { $0.secret == secret }
    }
}
