// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Essentials
internal import ResourceModel
internal import Synchronization

/// Which ServiceTokens were found as they should be, with all that was looked at to say so: while none of it has changed, and no time is
/// due, there is nothing to look at again.
package final class SettledTokens: Sendable {
    /// What a token was judged by.
    struct Standing: Sendable {
        var object: ClusterObject
        /// Its Secret; nil for a token that is revoked and has none.
        var secret: ClusterObject?
        /// Its chain of records.
        var records: [ServiceTokenTable.Entry]
        var namespacesVersion: UInt64
        /// From when on time alone asks for something; nil = never.
        var dueAt: Timestamp?
    }

    private let caches: ClusterCaches
    private let table: ServiceTokenTable
    private let clock: any WallClock
    private let standings = Mutex<[ObjectKey: Standing]>([:])

    /// Nothing is settled yet.
    package init(caches: ClusterCaches, table: ServiceTokenTable, clock: any WallClock) {
        self.caches = caches
        self.table = table
        self.clock = clock
    }

    /// How many tokens are.
    package var count: Int { standings.withLock(\.count) }

    /// Takes note of a token that wants nothing.
    func settle(_ key: ObjectKey, _ standing: Standing) {
        let isCrowded = standings.withLock { standings in
            standings[key] = standing
            return standings.count > 2 * caches.count(.serviceToken) + 64
        }
        guard isCrowded else { return }
        // Tokens that are gone are forgotten when there are many.
        let gone = standings.withLock { Array($0.keys) }.filter { caches.get($0) == nil }
        standings.withLock { standings in
            for key in gone { standings[key] = nil }
        }
    }

    /// A token is being worked on: what was known of it does not count any more.
    func unsettle(_ key: ObjectKey) { standings.withLock { $0[key] = nil } }

    /// The chain of records that a status names, in the order in which they came.
    func records(of status: JSONValue?) -> [ServiceTokenTable.Entry] {
        (status?["family"]?.stringValue).map(table.family) ?? []
    }

    /// Whether there is nothing to look at.
    func isSettled(_ key: ObjectKey, view: ClusterCompiler.TokenView) -> Bool {
        guard let standing = standings.withLock({ $0[key] }), caches.get(key) === standing.object,
            standing.namespacesVersion == view.namespacesVersion,
            standing.dueAt.map({ clock.now() < $0 }) ?? true,
            case .serviceToken(let token)? = standing.object.object
        else { return false }
        let name = token.spec.secretName
        let secret = caches.get(ObjectKey(kind: .secret, namespace: key.namespace, name: name))
        guard secret === standing.secret, secret == nil || view.secretOwners["\(key.namespace)/\(name)"] == key else {
            return false
        }
        return records(of: standing.object.status).elementsEqual(standing.records) { $0 === $1 }
    }
}
