// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What a call proves itself with.
struct Credential: Sendable, Equatable {
    var token: Redacted<String>?
    /// A certificate chain and its key, PEM, from a plugin.
    var certificate: PEMPair?

    /// A certificate chain and its key, PEM.
    struct PEMPair: Sendable, Equatable {
        var certificate: [UInt8]
        var key: Redacted<[UInt8]>
    }
}
