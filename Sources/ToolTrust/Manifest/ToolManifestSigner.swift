// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Completes and signs a manifest.
package enum ToolManifestSigner {
    /// The signed document, its members in the order in which they were written.
    ///
    /// - Parameters:
    ///   - document: with or without signature, hash and key id; the key's id goes before one that is there.
    ///   - executableSHA256: written as `sha256_hash` where it is given.
    /// - Throws: `tools.invalid_manifest` when the document has not the shape of a manifest; the library's error when it cannot sign.
    package static func sign(
        _ document: JSONValue, key: Ed25519PrivateKey, executableSHA256: String? = nil
    ) throws -> JSONValue {
        guard var members = document.objectValue else {
            throw ManifestFields.refusal("manifest", "is a \(document.kindName): write an object")
        }
        if let executableSHA256 { members["sha256_hash"] = .string(executableSHA256) }
        members["key_id"] = .string(key.keyID)
        members["signature"] = .string(PaddedBase64.encode([UInt8](repeating: 0, count: 64)))
        let manifest = try ToolManifest(document: .object(members))
        members["signature"] = .string(PaddedBase64.encode(try key.signature(of: manifest.canonical)))
        return .object(members)
    }
}
