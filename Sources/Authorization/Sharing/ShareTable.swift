// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// An accepted share, as a decision reads it.
package struct AcceptedShare: Sendable, Hashable {
    package var ownerProject: String
    package var permissions: SharePermissions
    /// Nil = until it is revoked.
    package var expiresAt: Timestamp?

    package init(ownerProject: String, permissions: SharePermissions, expiresAt: Timestamp? = nil) {
        self.ownerProject = ownerProject
        self.permissions = permissions
        self.expiresAt = expiresAt
    }
}

/// What a share lets the other project do.
package struct SharePermissions: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Actions ending `read`.
    package static let read = SharePermissions(rawValue: 1)
    /// `read` and `execute`.
    package static let use = SharePermissions(rawValue: 2)
    /// Every action not ending `delete`.
    package static let manage = SharePermissions(rawValue: 4)
}

/// The accepted shares, by resource and receiving project. Immutable, one reference to pass on.
package final class ShareTable: Sendable {
    /// What a share is looked up by, compared as bytes.
    package struct Key: Sendable {
        package let tenant: String
        package let type: String
        package let id: String
        package let project: String

        package init(tenant: String, type: String, id: String, project: String) {
            self.tenant = tenant
            self.type = type
            self.id = id
            self.project = project
        }
    }

    private let shares: [Key: [AcceptedShare]]

    package init(_ shares: [Key: [AcceptedShare]] = [:]) { self.shares = shares }

    /// Every share by what it is looked up by.
    package var all: [Key: [AcceptedShare]] { shares }

    package var isEmpty: Bool { shares.isEmpty }

    /// The accepted shares of a resource with a project, whether expired or not.
    package func shares(_ key: Key) -> [AcceptedShare] { shares[key] ?? [] }

    package static let empty = ShareTable()
}

extension ShareTable.Key: Hashable {
    /// Equality of bytes, which Swift's own equality of texts is not.
    package static func == (left: ShareTable.Key, right: ShareTable.Key) -> Bool {
        left.id.utf8.elementsEqual(right.id.utf8) && left.project.utf8.elementsEqual(right.project.utf8)
            && left.type.utf8.elementsEqual(right.type.utf8) && left.tenant.utf8.elementsEqual(right.tenant.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        Self.combine(tenant, &hasher)
        Self.combine(type, &hasher)
        Self.combine(id, &hasher)
        Self.combine(project, &hasher)
    }

    private static func combine(_ text: String, _ hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(UInt8(0))
    }
}
