// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication

extension ServiceTokenChange {
    /// The record as it is to be.
    var written: ServiceTokenRecord {
        switch self {
        case .insert(let record), .update(let record): record
        }
    }
}

extension APIKeyChange {
    /// The record as it is to be; nil where the change is of an owner.
    var written: APIKeyRecord? {
        switch self {
        case .insert(let record), .update(let record): record
        case .owner: nil
        }
    }
}
