// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The public keys of one issuer that can check signatures.
package struct KeySet: Sendable {
    /// One key and what its JWK says about its use.
    package struct Key: Sendable {
        /// `kid`.
        package let identifier: String?
        /// `alg`.
        package let algorithm: SignatureAlgorithm?
        package let publicKey: PublicKey

        /// Whether this key may check a token of the algorithm and, if the token names a key, of that key id.
        package func fits(_ wanted: SignatureAlgorithm, keyID: String?) -> Bool {
            guard publicKey.fits(wanted), algorithm == nil || algorithm == wanted else { return false }
            guard let keyID else { return true }
            return identifier?.isExactly(keyID) ?? false
        }
    }

    /// The usable keys in the order of the document, at least one.
    package let keys: [Key]
    /// Entries that were skipped, each with its reason.
    package let problems: [KeySetProblem]
    /// The key ids of every entry, the skipped ones too: these are known, and known not to fit.
    package let knownIdentifiers: [String]
    /// Changes whenever a usable key, or what its JWK says about it, changes.
    package let version: Fingerprint
    /// The set as a document that `init(json:)` reads to the same keys: the usable entries, without anything that is private.
    package let publicDocument: JSONValue

    /// Reads a JWK set (RFC 7517): `{"keys":[…]}` or, where allowed, a bare list. Entries that cannot be used are skipped.
    ///
    /// - Throws: `KeySetError` with `malformed`, `tooManyKeys` (over 64 entries) or `noUsableKey`.
    package init(json document: JSONValue, allowsBareList: Bool = false) throws(KeySetError) {
        let entries: [JSONValue]
        switch document {
        case .array(let elements) where allowsBareList: entries = elements
        case .object(let object):
            guard let elements = object["keys"]?.arrayValue else { throw KeySetError(.malformed) }
            entries = elements
        default: throw KeySetError(.malformed)
        }
        guard entries.count <= Self.maximumKeys else { throw KeySetError(.tooManyKeys) }
        var keys: [Key] = []
        var problems: [KeySetProblem] = []
        var identifiers: [String] = []
        var canonical: [UInt8] = []
        var usable: [JSONValue] = []
        for (index, entry) in entries.enumerated() {
            let identifier = entry["kid"]?.stringValue
            if let identifier { identifiers.append(identifier) }
            switch JSONWebKey.read(entry) {
            case .success(let key):
                keys.append(key)
                canonical += entry.encoded(sortedNames: true) + [0x0A]
                usable.append(Self.publicPart(of: entry))
            case .failure(let reason):
                problems.append(KeySetProblem(index: index, identifier: identifier, reason: reason))
            }
        }
        guard !keys.isEmpty else { throw KeySetError(.noUsableKey, problems: problems) }
        self.keys = keys
        self.problems = problems
        knownIdentifiers = identifiers
        version = Fingerprint(of: canonical)
        publicDocument = ["keys": .array(usable)]
    }

    private static let publicMembers = ["kty", "kid", "use", "key_ops", "alg", "crv", "x", "y", "n", "e"]

    private static func publicPart(of entry: JSONValue) -> JSONValue {
        .object(JSONObject(publicMembers.compactMap { name in entry[name].map { (name, $0) } }))
    }

    /// Reads the text of a JWK set.
    ///
    /// - Throws: `KeySetError` as the other initialiser, and `malformed` for text that is not strict JSON.
    package init(bytes: [UInt8], allowsBareList: Bool = false) throws(KeySetError) {
        let document: JSONValue
        do {
            document = try JSONParser.parse(bytes, limits: .init(depth: 16, values: 20_000))
        } catch {
            throw KeySetError(.malformed, cause: error)
        }
        try self.init(json: document, allowsBareList: allowsBareList)
    }

    /// The keys that may check such a token.
    package func candidates(algorithm: SignatureAlgorithm, keyID: String?) -> [Key] {
        keys.filter { $0.fits(algorithm, keyID: keyID) }
    }

    /// Whether some entry, usable or not, has this key id.
    package func knows(keyID: String) -> Bool { knownIdentifiers.contains { $0.isExactly(keyID) } }

    /// The most entries of a set.
    package static let maximumKeys = 64
}
