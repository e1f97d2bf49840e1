// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials

/// The key of HS256, HS384 and HS512.
package struct SharedSecret: Sendable {
    private let key: Redacted<SymmetricKey>

    /// Takes the bytes as they are.
    package init(_ bytes: [UInt8]) { key = Redacted(SymmetricKey(data: bytes)) }

    /// Whether the code over the bytes is good, compared in constant time. Algorithms without shared secret never are.
    package func verifies(_ code: [UInt8], over signed: [UInt8], algorithm: SignatureAlgorithm) -> Bool {
        switch algorithm {
        case .hs256:
            HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: signed, using: key.revealed)
        case .hs384:
            HMAC<SHA384>.isValidAuthenticationCode(code, authenticating: signed, using: key.revealed)
        case .hs512:
            HMAC<SHA512>.isValidAuthenticationCode(code, authenticating: signed, using: key.revealed)
        default: false
        }
    }
}
