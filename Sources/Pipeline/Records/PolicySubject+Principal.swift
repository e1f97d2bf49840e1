// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization

extension PolicySubject {
    /// What the policy needs to know of a verified caller.
    init(_ principal: Principal) {
        self.init(
            id: principal.subject, roles: principal.roles, tenant: principal.tenantID, project: principal.projectID,
            authSource: principal.authSource.rawValue, platform: principal.platform, scopes: principal.scopes,
            scoped: principal.scoped, admin: principal.admin)
    }
}
