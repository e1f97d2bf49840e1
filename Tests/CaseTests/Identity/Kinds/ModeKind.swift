// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func mode(_ record: CaseRecord) async throws {
        let parsed = Identity.settings(record.given["settings"])
        if record.expect["starts"]?.boolValue == false { return Identity.expectNoStart(parsed, record.expect) }
        let settings = try parsed.get()
        let fixture = try Identity.Fixture(settings, givenTokens: [])
        let stored = record.given["records"]?["service_tokens"]?.intValue ?? 0
        fixture.table.put(
            (0..<stored).map { index in
                var token = ServiceTokenRecord(
                    identifier: "t\(index)", secretDigest: SecretDigest(of: "t\(index)"), grant: ServiceTokenGrant(),
                    issuedAt: fixture.now, createdBy: "test")
                token.revokedAt = fixture.now
                return token
            })
        let keys = record.given["records"]?["api_keys"]?.intValue ?? 0
        fixture.keys.put(
            (0..<keys).map { index in
                APIKeyRecord(
                    id: "k\(index)", secretDigest: SecretDigest(of: "k\(index)"),
                    grant: APIKeyGrant(name: "key", accountID: "acme"),
                    owner: APIKeyOwner.Identity(issuer: "test", subject: "test", tenantID: nil),
                    issuedAt: fixture.now, createdBy: "test")
            })
        for row in record.rows {
            let given = row["given"] ?? .null
            let expect = row["expect"] ?? .null
            let result = fixture.authenticate(
                headers: Identity.headers(given["headers"]),
                surface: given["own_api"]?.boolValue == true
                    ? .ownAPI : .workload(publicRoute: given["public_route"]?.boolValue ?? false))
            if let mode = expect["configured_mode"]?.stringValue { #expect(settings.mode.rawValue == mode) }
            if let mode = expect["effective_mode"]?.stringValue { #expect(fixture.realm.mode.rawValue == mode) }
            if let enforcing = expect["enforcing"]?.boolValue { #expect(result.enforcing == enforcing) }
            if let refusal = result.refusal {
                Identity.expect(refusal, expect)
            } else {
                #expect(expect["status"]?.intValue == 200)
                #expect(result.principal?.authSource.rawValue == expect["auth_source"]?.stringValue)
            }
        }
    }
}
