// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A project of a tenant: the record that sharing asks for. Whose project a caller or a resource is comes from elsewhere.
package struct Project: Sendable, Hashable {
    /// `[a-z0-9][a-z0-9_-]{0,62}`, unique in the tenant.
    package let id: String
    /// 1 to 128 characters.
    package var name: String
    /// Nil = it belongs to the callers without a tenant.
    package let tenantID: String?
    package let createdBy: String
    package let createdAt: Timestamp

    package init(id: String, name: String, tenantID: String?, createdBy: String, createdAt: Timestamp) {
        self.id = id
        self.name = name
        self.tenantID = tenantID
        self.createdBy = createdBy
        self.createdAt = createdAt
    }
}

extension Project {
    /// Whether the text is `[a-z0-9][a-z0-9_-]{0,62}`.
    package static func isIdentifier(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...63).contains(bytes.count), let first = bytes.first, isAlphanumeric(first) else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// The record as the API shows it.
    package var json: JSONObject {
        [
            "id": .string(id), "name": .string(name), "tenant_id": .optional(tenantID),
            "created_by": .string(createdBy), "created_at": .string(createdAt.rfc3339),
        ]
    }
}
