// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func scopes(_ record: CaseRecord) async throws {
        for row in record.rows {
            let expect = try #require(row["expect"])
            let refusal = ScopeRequirement.check(
                held: texts(row["given"]?["held"]), required: texts(row["given"]?["required"]), admin: false)
            if expect["pass"] != nil {
                #expect(refusal == nil, "\(row.jsonText)")
                continue
            }
            #expect(refusal?.details?["missing"] == expect["missing"], "\(row.jsonText)")
            #expect(refusal?.code == .authMissingScope)
            if let status = expect["status"]?.intValue { #expect(refusal?.status == Int(status)) }
            if let code = expect["code"]?.stringValue { #expect(refusal?.code.rawValue == code) }
            if let message = expect["message"]?.stringValue { #expect(refusal?.message == message) }
            if let challenge = expect["www_authenticate"]?.stringValue { #expect(refusal?.challenge == challenge) }
        }
    }

    /// The texts of a list.
    private static func texts(_ value: JSONValue?) -> [String] { value?.arrayValue?.compactMap(\.stringValue) ?? [] }
}
