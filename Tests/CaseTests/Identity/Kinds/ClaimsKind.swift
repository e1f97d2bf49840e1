// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func claims(_ record: CaseRecord) async throws {
        let claims = try #require(record.given["claims"]?.objectValue)
        let entry = IssuerEntry(
            name: "case", roleClients: record.given["role_clients"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            tenant: record.given["pinned_tenant"]?.stringValue, platform: record.given["platform"]?.boolValue ?? true)
        do {
            let principal = try ClaimsMapper.principal(claims: claims, entry: entry)
            let wanted = try #require(record.expect["principal"]?.objectValue, "\(record.id) was to be refused")
            expectMembers(wanted, in: principal.json(includingClaims: true), record.id)
        } catch let refusal as Refusal {
            #expect(refusal.code.rawValue == record.expect["code"]?.stringValue, "\(record.id)")
        }
    }

    /// Every member that is asked for has exactly that value.
    static func expectMembers(_ wanted: JSONObject, in given: JSONObject, _ id: String) {
        for member in wanted.members {
            #expect(given[member.name] == member.value, "\(id): \(member.name)")
        }
    }
}
