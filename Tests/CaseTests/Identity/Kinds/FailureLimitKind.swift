// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func failureLimit(_ record: CaseRecord) async throws {
        let settings = try Identity.settings(record.given["settings"]).get()
        let ids = record.given["tokens"]?.arrayValue?.compactMap(\.stringValue) ?? []
        let fixture = try Identity.Fixture(settings, givenTokens: ids)
        for step in record.steps {
            let expect = step["expect"] ?? .null
            let result = fixture.authenticate(
                headers: fixture.headers(presenting: step["credential"]?.stringValue ?? "none"),
                surface: .workload(publicRoute: false), address: step["ip"]?.stringValue.flatMap { IPAddress($0) },
                at: step["at"]?.intValue ?? 0)
            switch result.refusal {
            case .some(let refusal): Identity.expect(refusal, expect)
            // The route of these cases demands a known caller.
            case nil where result.principal?.isAnonymous == true:
                Identity.expect(Refusal(.authMissingToken), expect)
            case nil: #expect(expect["status"]?.intValue == 200, "\(step.jsonText)")
            }
        }
    }
}
