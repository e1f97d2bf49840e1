// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials

/// Decides whether a manifest may be believed: the steps in their order, without asking anybody.
package struct ToolVerifier: Sendable {
    package let keys: TrustedToolKeys
    package let rules: ToolRules
    private let verdicts: SignatureVerdicts?

    /// Takes whom to trust and what to allow.
    ///
    /// - Parameter verdicts: those of earlier looks, where the same manifests are looked at again and again.
    package init(keys: TrustedToolKeys, rules: ToolRules, verdicts: SignatureVerdicts? = nil) {
        self.keys = keys
        self.rules = rules
        self.verdicts = verdicts
    }

    /// Verifies the text of a manifest.
    ///
    /// - Parameters:
    ///   - executableSHA256: of the executable's bytes, in lower-case hex; nil = not checked.
    ///   - highest: the highest version accepted before; nil = there is none, or it is not checked.
    package func verify(
        _ bytes: [UInt8], executableSHA256: String? = nil, highest: HighestVersion? = nil, now: Timestamp
    ) -> ToolVerification {
        let manifest: ToolManifest
        do {
            manifest = try ToolManifest.read(bytes)
        } catch {
            var result = ToolVerification()
            result.fail("manifest", error)
            return result
        }
        return verify(manifest, executableSHA256: executableSHA256, highest: highest, now: now)
    }

    /// Verifies a manifest of sound shape; the parameters are those of the other one.
    package func verify(
        _ manifest: ToolManifest, executableSHA256: String? = nil, highest: HighestVersion? = nil, now: Timestamp
    ) -> ToolVerification {
        var result = ToolVerification()
        result.manifest = manifest
        result.pass("manifest", "\(manifest.toolID) \(manifest.version)")
        guard checkKey(manifest, now: now, &result) else { return result }
        if let executableSHA256 {
            if let refusal = Self.hashRefusal(manifest, executableSHA256: executableSHA256) {
                result.fail("hash", refusal)
                return result
            }
            result.pass("hash")
        }
        if let refusal = rules.refusal(manifest) {
            result.fail("limits", refusal)
            return result
        }
        result.pass("limits", "policy \(manifest.policy.rawValue)")
        guard let highest else { return result }
        if let refusal = Self.versionRefusal(manifest, highest: highest) {
            result.fail("version", refusal)
        } else {
            result.pass("version")
        }
        return result
    }

    /// Steps 3 to 5: who signed.
    private func checkKey(_ manifest: ToolManifest, now: Timestamp, _ result: inout ToolVerification) -> Bool {
        let candidates: [ToolKeyRecord]
        if let id = manifest.keyID {
            guard let record = keys[id] else {
                let isDoubled = keys.conflicting.contains(id)
                result.fail(
                    "key",
                    Refusal(
                        .toolsUnknownKey,
                        message: isDoubled
                            ? "Key id \(id) stands for two different keys: neither is used"
                            : "No trusted key has the id \(id)"))
                return false
            }
            candidates = [record]
        } else {
            candidates = keys.records
        }
        guard !candidates.isEmpty else {
            result.fail("key", Refusal(.toolsUnknownKey, message: "There is no trusted key"))
            return false
        }
        result.pass("key", manifest.keyID ?? "any of \(candidates.count)")
        let refusals = candidates.compactMap { TrustedToolKeys.refusal($0, at: now) }
        if refusals.count == candidates.count, let first = refusals.first {
            result.fail("key_state", first)
            return false
        }
        result.pass("key_state")
        let signer = candidates.first { record in
            TrustedToolKeys.refusal(record, at: now) == nil
                && isSigned(manifest, by: record.publicKey)
        }
        guard let signer else {
            result.fail("signature", Refusal(.toolsBadSignature))
            return false
        }
        result.keyID = signer.keyID
        result.pass("signature", "by \(signer.keyID)")
        return true
    }

    private func isSigned(_ manifest: ToolManifest, by key: Ed25519PublicKey) -> Bool {
        verdicts?.isGood(manifest.signature, of: manifest.canonical, key: key)
            ?? key.verifies(manifest.signature, of: manifest.canonical)
    }

    /// Why the executable is not the one that was signed; nil when it is. The time it takes says nothing about where the texts differ.
    package static func hashRefusal(_ manifest: ToolManifest, executableSHA256: String) -> Refusal? {
        let (left, right) = (Array(manifest.sha256.utf8), Array(executableSHA256.utf8))
        let difference =
            left.count == right.count ? zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } : 1
        return difference == 0
            ? nil
            : Refusal(
                .toolsHashMismatch,
                message: "The executable has SHA-256 \(executableSHA256), the manifest says \(manifest.sha256)")
    }

    /// Why the version may not follow the highest one; nil when it may.
    package static func versionRefusal(_ manifest: ToolManifest, highest: HighestVersion) -> Refusal? {
        if manifest.version.precedes(highest.version) {
            return Refusal(
                .toolsVersionDowngrade,
                message: "Version \(manifest.version) is lower than \(highest.version), which was accepted before")
        }
        guard manifest.version.hasSamePrecedence(as: highest.version) else { return nil }
        return canonicalSHA256(manifest) == highest.canonicalSHA256
            ? nil
            : Refusal(
                .toolsVersionConflict,
                message: "Version \(highest.version) was accepted with other bytes: raise the version")
    }

    /// SHA-256 of the signed bytes, in lower-case hex.
    package static func canonicalSHA256(_ manifest: ToolManifest) -> String {
        Hex.encode(SHA256.hash(data: manifest.canonical))
    }
}
