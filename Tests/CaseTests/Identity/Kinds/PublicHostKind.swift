// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func publicHost(_ record: CaseRecord) async throws {
        for row in record.rows {
            let value = try #require(row["given"]?["value"]?.stringValue)
            #expect(PublicHost.isPublic(value) == row["expect"]?["public"]?.boolValue, "\(value)")
        }
    }
}
