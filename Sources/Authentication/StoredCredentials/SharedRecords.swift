// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The form in which records go to processes that only check credentials: what a check reads, and the digest of the text. Who made a
/// credential, what for and why it was revoked stays where it is kept.
extension ServiceTokenRecord {
    /// What `init(storedJSON:…)` reads, without what a check does not need.
    package var sharedJSON: JSONObject {
        var record = self
        record.description = nil
        record.createdBy = ""
        record.revokedBy = nil
        record.revocationReason = nil
        return record.storedJSON
    }
}

extension APIKeyRecord {
    /// What `init(storedJSON:…)` reads, without what a check does not need.
    package var sharedJSON: JSONObject {
        var record = self
        record.name = ""
        record.description = nil
        record.createdBy = ""
        record.revokedBy = nil
        record.revocationReason = nil
        return record.storedJSON
    }
}
