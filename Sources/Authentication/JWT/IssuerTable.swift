// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The issuers whose tokens count in one place: for one host, or everywhere else.
package struct IssuerTable: Sendable {
    /// An entry as the verifier uses it.
    struct Compiled: Sendable {
        let entry: IssuerEntry
        let secret: SharedSecret?
    }

    /// Every entry, in the order given.
    package let entries: [IssuerEntry]
    /// What callers get because of their groups.
    package let mappings: IdentityMappings
    /// Changes whenever an entry, a given key or a mapping changes; cached tokens belong to it.
    package let fingerprint: Fingerprint
    private let byIssuer: [[UInt8]: Compiled]
    private let withoutIssuer: Compiled?

    /// A table without entries: it refuses every token.
    package static let empty = IssuerTable(uncheckedEntries: [], mappings: IdentityMappings([]))

    /// Takes the entries, and the mappings of which those by group apply to tokens.
    ///
    /// - Throws: `IssuerTableError` with `duplicateIssuer`, `noKeySource` or `badLeeway`.
    package init(entries: [IssuerEntry], mappings: IdentityMappings = IdentityMappings([])) throws(IssuerTableError) {
        var seen: Set<[UInt8]?> = []
        for entry in entries {
            guard seen.insert(entry.issuer.map { Array($0.utf8) }).inserted else {
                throw IssuerTableError(.duplicateIssuer, entry: entry)
            }
            guard entry.secret != nil || entry.isSecretWithheld || entry.staticKeys != nil || entry.remote != nil else {
                throw IssuerTableError(.noKeySource, entry: entry)
            }
            guard (0...120).contains(entry.leewaySeconds) else { throw IssuerTableError(.badLeeway, entry: entry) }
        }
        self.init(uncheckedEntries: entries, mappings: mappings)
    }

    private init(uncheckedEntries entries: [IssuerEntry], mappings: IdentityMappings) {
        self.entries = entries
        self.mappings = mappings
        var byIssuer: [[UInt8]: Compiled] = [:]
        var withoutIssuer: Compiled?
        var canonical: [UInt8] = []
        for entry in entries {
            let compiled = Compiled(entry: entry, secret: entry.secret.map { SharedSecret($0.revealed) })
            if let issuer = entry.issuer { byIssuer[Array(issuer.utf8)] = compiled } else { withoutIssuer = compiled }
            canonical += entry.canonicalBytes + [0x0A]
        }
        canonical += mappings.canonicalBytes
        self.byIssuer = byIssuer
        self.withoutIssuer = withoutIssuer
        fingerprint = Fingerprint(of: canonical)
    }

    /// Where its entries fetch keys from.
    package var remoteSources: Set<RemoteKeySource> { Set(entries.compactMap(\.remote)) }

    /// Whether some entry has exactly this issuer.
    package func hasEntry(issuer: String) -> Bool { byIssuer[Array(issuer.utf8)] != nil }

    /// The entry that a token of this issuer belongs to: the one that names it, else the one that names none.
    func entry(issuer: String?) -> Compiled? {
        issuer.flatMap { byIssuer[Array($0.utf8)] } ?? withoutIssuer
    }
}
