// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Which stored credentials are read from a store, whatever their tenant and state.
package enum CredentialSelection: Sendable, Hashable {
    case all
    /// Those of these identifiers; an identifier that is not there is left out.
    case identifiers([String])
    /// A rotation chain.
    case family(String)
}

/// The revision of a record, as stores keep it.
enum StoredRevision {
    /// Records of before revisions were counted have the first; nil when it cannot be read.
    static func read(_ object: JSONObject) -> Int64? {
        guard let value = object["revision"] else { return 1 }
        return value.intValue.flatMap { $0 >= 1 ? $0 : nil }
    }
}
