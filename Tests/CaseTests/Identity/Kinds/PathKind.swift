// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func path(_ record: CaseRecord) async throws {
        for row in record.rows {
            let raw = try #require(row["given"]?["raw"]?.stringValue)
            switch CanonicalPath.parse(raw) {
            case .success(let path): #expect(path.text == row["expect"]?["path"]?.stringValue, "\(raw)")
            case .failure(let fault): #expect(fault.rawValue == row["expect"]?["reason"]?.stringValue, "\(raw)")
            }
        }
    }
}
