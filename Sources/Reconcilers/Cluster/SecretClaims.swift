// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Which ServiceToken has which Secret, kept up to date object by object: the same as `ServiceTokenReconciler.secretOwners`.
struct SecretClaims {
    private struct Claim {
        var secret: String
        var createdAt: Timestamp
    }

    private var claims: [ObjectKey: Claim] = [:]
    private var claimants: [String: Set<ObjectKey>] = [:]
    /// Who has a Secret (`namespace/name`): the oldest of those that name it, then the first by name.
    private(set) var owners: [String: ObjectKey] = [:]

    /// Takes in how a ServiceToken is now.
    ///
    /// - Parameter object: nil when it is not there any more.
    /// - Returns: everybody who names a Secret whose owner changed by that.
    mutating func update(_ key: ObjectKey, to object: ClusterObject?) -> Set<ObjectKey> {
        var secrets: Set<String> = []
        if let old = claims.removeValue(forKey: key) {
            claimants[old.secret]?.remove(key)
            if claimants[old.secret]?.isEmpty == true { claimants[old.secret] = nil }
            secrets.insert(old.secret)
        }
        if let object, case .serviceToken(let token)? = object.object {
            let claim = Claim(secret: "\(key.namespace)/\(token.spec.secretName)", createdAt: object.createdAt)
            claims[key] = claim
            claimants[claim.secret, default: []].insert(key)
            secrets.insert(claim.secret)
        }
        var affected: Set<ObjectKey> = []
        for secret in secrets {
            let owner = owner(of: secret)
            guard owner != owners[secret] else { continue }
            owners[secret] = owner
            affected.formUnion(named(secret))
        }
        return affected
    }

    /// Everybody who names that Secret (`namespace/name`).
    func named(_ secret: String) -> Set<ObjectKey> { claimants[secret] ?? [] }

    private func owner(of secret: String) -> ObjectKey? {
        named(secret).min { left, right in
            (claims[left]?.createdAt ?? .latest, left) < (claims[right]?.createdAt ?? .latest, right)
        }
    }
}
