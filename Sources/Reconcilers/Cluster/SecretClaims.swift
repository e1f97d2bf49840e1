// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Which ServiceToken has which Secret, kept up to date object by object: the one whose Secret it is already; where there is none, as
/// `ServiceTokenReconciler.secretOwners` says.
struct SecretClaims {
    private struct Claim {
        var secret: ObjectKey
        var uid: String
        var createdAt: Timestamp
    }

    /// What the caches have under a key.
    private let find: (ObjectKey) -> ClusterObject?

    private var claims: [ObjectKey: Claim] = [:]
    private var claimants: [ObjectKey: Set<ObjectKey>] = [:]
    /// Who has a Secret (`namespace/name`).
    private(set) var owners: [String: ObjectKey] = [:]

    init(find: @escaping (ObjectKey) -> ClusterObject?) { self.find = find }

    /// Takes in how a ServiceToken is now.
    ///
    /// - Parameter object: nil when it is not there any more.
    /// - Returns: everybody who names a Secret whose owner changed by that.
    mutating func update(_ key: ObjectKey, to object: ClusterObject?) -> Set<ObjectKey> {
        var secrets: Set<ObjectKey> = []
        if let old = claims.removeValue(forKey: key) {
            claimants[old.secret]?.remove(key)
            if claimants[old.secret]?.isEmpty == true { claimants[old.secret] = nil }
            secrets.insert(old.secret)
        }
        if let object, case .serviceToken(let token)? = object.object {
            let secret = ObjectKey(kind: .secret, namespace: key.namespace, name: token.spec.secretName)
            let claim = Claim(secret: secret, uid: object.uid, createdAt: object.createdAt)
            claims[key] = claim
            claimants[claim.secret, default: []].insert(key)
            secrets.insert(claim.secret)
        }
        var affected: Set<ObjectKey> = []
        for secret in secrets where decide(secret) { affected.formUnion(claimants[secret] ?? []) }
        return affected
    }

    /// Takes in that a Secret came, went or changed.
    ///
    /// - Returns: everybody who names it.
    mutating func update(secret: ObjectKey) -> Set<ObjectKey> {
        guard let affected = claimants[secret] else { return [] }
        _ = decide(secret)
        return affected
    }

    /// Finds out who has a Secret, and says whether that is another one than before.
    private mutating func decide(_ secret: ObjectKey) -> Bool {
        let name = "\(secret.namespace)/\(secret.name)"
        let owner = owner(of: secret)
        guard owner != owners[name] else { return false }
        owners[name] = owner
        return true
    }

    private func owner(of secret: ObjectKey) -> ObjectKey? {
        let rivals = claimants[secret] ?? []
        // Two of the same second are told apart by name, and the later one can come first there: it does not take what is made.
        if rivals.count > 1, let uid = find(secret)?.controllerUID,
            let holder = rivals.first(where: { claims[$0]?.uid == uid })
        {
            return holder
        }
        return rivals.min { left, right in
            (claims[left]?.createdAt ?? .latest, left) < (claims[right]?.createdAt ?? .latest, right)
        }
    }
}
