// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
package import Essentials

/// Records for tests of stores.
package enum StoreRecords {
    /// When records are made; not a whole second, so that nothing may round.
    package static let start = Timestamp(microseconds: 1_772_366_400_123_456)

    /// A service token.
    package static func token(
        _ identifier: String, family: String = "family", tenant: String? = "acme", expiresAt: Timestamp? = nil
    ) -> ServiceTokenRecord {
        ServiceTokenRecord(
            identifier: identifier, family: family, secretDigest: SecretDigest(of: identifier),
            grant: ServiceTokenGrant(
                description: "ä \"quoted\"", scopes: ["a:read"], roles: ["r"], workspaceIDs: ["w"], tenantID: tenant,
                platform: true, allowedCIDRs: ["10.0.0.0/8"]),
            issuedAt: start, expiresAt: expiresAt, createdBy: "admin")
    }

    /// An API key; its tenant is its account.
    package static func key(
        _ id: String, account: String = "acme", tenant: String?? = .none, expiresAt: Timestamp? = nil
    ) -> APIKeyRecord {
        APIKeyRecord(
            id: id, family: "family", secretDigest: SecretDigest(of: id),
            grant: APIKeyGrant(
                name: "ä \"quoted\"", environment: .test, accountID: account, tenantID: tenant ?? account,
                projectID: "p", description: "d", scopes: ["a:read"], workspaceIDs: ["w"],
                allowedCIDRs: ["10.0.0.0/8"]),
            owner: APIKeyOwner.Identity(issuer: "https://id.example", subject: "u1", tenantID: "acme"),
            issuedAt: start, expiresAt: expiresAt, createdBy: "u1")
    }

    /// A project.
    package static func project(_ id: String, tenant: String? = "acme", after seconds: Int64 = 0) -> Project {
        Project(
            id: id, name: "ä \"\(id)\"", tenantID: tenant, createdBy: "olga",
            createdAt: start.adding(seconds: seconds))
    }

    /// A share of an agent.
    package static func share(
        _ id: String, _ resource: String = "m1", from owner: String = "zeus", to project: String = "apollo",
        tenant: String? = "acme", state: ProjectResourceAccess.State = .pending, after seconds: Int64 = 0,
        revision: Int64 = 1
    ) -> ProjectResourceAccess {
        ProjectResourceAccess(
            id: id,
            parties: ShareParties(
                tenantID: tenant, resourceType: "agent", resourceID: resource, ownerProject: owner, project: project),
            terms: ShareTerms(permissions: [.read, .manage]), state: state, createdBy: "olga",
            createdAt: start.adding(seconds: seconds), revision: revision)
    }

    /// The next revision of a token.
    package static func revised(
        _ record: ServiceTokenRecord, _ change: (inout ServiceTokenRecord) -> Void = { _ in }
    ) -> ServiceTokenRecord {
        var record = record
        change(&record)
        record.revision += 1
        return record
    }

    /// The next revision of a key.
    package static func revised(
        _ record: APIKeyRecord, _ change: (inout APIKeyRecord) -> Void = { _ in }
    ) -> APIKeyRecord {
        var record = record
        change(&record)
        record.revision += 1
        return record
    }
}
