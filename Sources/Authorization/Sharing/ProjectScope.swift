// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// In whose name projects and shares are read and changed.
///
/// **Who may act for a project.** The project in the path is always the caller's side, and it is a project of the caller's tenant: the same
/// id in another tenant is another project, which this caller can neither name nor see. Whoever makes a scope has established that the
/// policy let the caller through, which on these routes means the permission of the route's rule and one of
/// - the project of the caller's verified principal is the project in the path (never a project that the request names elsewhere),
/// - the caller is admin of the tenant: `admin` among its effective roles, with the tenant of its verified principal,
/// - the caller is a platform admin, who alone may name another tenant than its own.
///
/// Everybody else was refused with `policy.project_denied` before the store was asked, whether the project is there or not. An admin of the
/// tenant learns `policy.project_not_found` of a project that its tenant does not have, whoever else has one of that id.
package struct ProjectScope: Sendable, Hashable {
    /// Nil = the projects of callers without a tenant.
    package let tenantID: String?
    /// Whom the records name.
    package let subject: String

    package init(tenantID: String?, subject: String) {
        self.tenantID = tenantID
        self.subject = subject
    }
}

/// What a change of a share came to.
package struct ShareChange: Sendable {
    /// Nil for a new record.
    package let before: ProjectResourceAccess?
    package let after: ProjectResourceAccess
}

/// What a change of a project came to.
package struct ProjectOutcome: Sendable {
    /// Nil for a new project.
    package let before: Project?
    /// Nil for a deleted one.
    package let after: Project?
    /// The shares that ended with it.
    package let revoked: [ShareChange]
}

/// A project that may use a resource.
package struct ResourceUser: Sendable, Hashable {
    package enum Source: String, Sendable {
        case owner, share
    }

    package let project: String
    package let permissions: SharePermissions
    package let source: Source

    /// The entry as the API shows it.
    package var json: JSONObject {
        [
            "project": .string(project), "permissions": .strings(permissions.names),
            "source": .string(source.rawValue),
        ]
    }
}
