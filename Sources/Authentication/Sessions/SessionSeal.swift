// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials

/// Seals sessions with AES-256-GCM. The name under which a session is kept is authenticated with it: a value that was moved to another name, or
/// changed by a byte, opens for nobody.
package struct SessionSeal: Sendable {
    private static let version: UInt8 = 1
    /// Version, nonce and tag.
    private static let overhead = 1 + 12 + 16

    private let keys: Redacted<[[UInt8]]>

    /// - Parameter keys: of 32 bytes each; the first seals, all open. Nil when there is none or one has another length.
    package init?(keys: [[UInt8]]) {
        guard !keys.isEmpty, keys.allSatisfy({ $0.count == 32 }) else { return nil }
        self.keys = Redacted(keys)
    }

    /// Seals a value for a name.
    ///
    /// - Returns: nil when the library cannot, which it always can.
    package func seal(_ value: [UInt8], name: String) -> [UInt8]? {
        // The nonce is drawn by the library: 96 random bits for each value.
        let box = try? AES.GCM.seal(
            value, using: SymmetricKey(data: keys.revealed[0]), authenticating: Array(name.utf8))
        return (box?.combined).map { [Self.version] + $0 }
    }

    /// Opens what was sealed for that name; nil for anything else.
    package func open(_ sealed: [UInt8], name: String) -> [UInt8]? {
        guard sealed.count >= Self.overhead, sealed[0] == Self.version else { return nil }
        for key in keys.revealed {
            // Which key it was is found by trying.
            guard let box = try? AES.GCM.SealedBox(combined: sealed.dropFirst()),
                let value = try? AES.GCM.open(
                    box, using: SymmetricKey(data: key), authenticating: Array(name.utf8))
            else { continue }
            return Array(value)
        }
        return nil
    }
}
