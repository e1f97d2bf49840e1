// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func bootstrap(_ record: CaseRecord) async throws {
        let parsed = Identity.settings(record.given["settings"])
        if record.expect["starts"]?.boolValue == false { return Identity.expectNoStart(parsed, record.expect) }
        let fixture = try Identity.Fixture(try parsed.get(), givenTokens: [])
        let authorization = try #require(record.json["request"]?["authorization"]?.stringValue)
        let result = fixture.authenticate(
            headers: HeaderList([("Authorization", authorization)]), surface: .ownAPI)
        guard let principal = result.principal else {
            let refusal = try #require(result.refusal)
            Identity.expect(refusal, record.expect)
            if let message = record.expect["message"]?.stringValue { #expect(refusal.message == message) }
            return
        }
        #expect(record.expect["status"]?.intValue == 200)
        let json = principal.json(includingClaims: true)
        for member in record.expect["principal"]?.objectValue?.members ?? [] {
            if member.name.hasSuffix("_include") {
                let held = json[String(member.name.dropLast("_include".count))]?.arrayValue ?? []
                for value in member.value.arrayValue ?? [] { #expect(held.contains(value)) }
            } else {
                #expect(json[member.name] == member.value, "\(member.name)")
            }
        }
    }
}
