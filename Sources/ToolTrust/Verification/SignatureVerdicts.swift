// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Synchronization

/// Remembers which signatures were good: the same bytes under the same key are verified once, however often they are looked at.
package final class SignatureVerdicts: Sendable {
    /// Verdicts that are kept at the most; beyond it all are made anew.
    static let most = 16_384

    private let known = Mutex<[SHA256Digest: Bool]>([:])

    /// Knows nothing yet.
    package init() {}

    /// Whether the signature is the key's over the bytes.
    func isGood(_ signature: [UInt8], of message: [UInt8], key: Ed25519PublicKey) -> Bool {
        // Of fixed lengths, so that no two questions have the same bytes.
        guard signature.count == 64 else { return false }
        var hash = SHA256()
        hash.update(data: key.bytes)
        hash.update(data: signature)
        hash.update(data: message)
        let question = hash.finalize()
        if let verdict = known.withLock({ $0[question] }) { return verdict }
        let verdict = key.verifies(signature, of: message)
        known.withLock { known in
            if known.count >= Self.most { known = [:] }
            known[question] = verdict
        }
        return verdict
    }

    /// How many verdicts are kept.
    package var count: Int { known.withLock(\.count) }
}
