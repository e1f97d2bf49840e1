// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func timestamp(_ record: CaseRecord) async throws {
        for row in record.rows {
            let value = try #require(row["given"]?["value"])
            let read = Timestamp(claim: value)
            if row["expect"]?["unreadable"] == true {
                #expect(read == nil, "\(record.id): \(value.jsonText)")
            } else {
                #expect(read?.rfc3339 == row["expect"]?["time"]?.stringValue, "\(record.id): \(value.jsonText)")
            }
        }
    }
}
