// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func workspaces(_ record: CaseRecord) async throws {
        for row in record.rows {
            func texts(_ name: String) -> [String] {
                row["given"]?[name]?.arrayValue?.compactMap(\.stringValue) ?? []
            }
            let refusal = WorkspaceRequirement.check(held: texts("held"), required: texts("required"), admin: false)
            let expect = try #require(row["expect"])
            if expect["pass"] != nil {
                #expect(refusal == nil, "\(row.jsonText)")
            } else {
                #expect(refusal?.code.rawValue == expect["code"]?.stringValue, "\(row.jsonText)")
                #expect(refusal?.message == expect["message"]?.stringValue, "\(row.jsonText)")
            }
        }
    }
}
