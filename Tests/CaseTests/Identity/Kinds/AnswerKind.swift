// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func answer(_ record: CaseRecord) async throws {
        Issue.record("\(record.kind) is not run yet")
    }
}
