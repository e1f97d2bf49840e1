// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials

extension Decision {
    /// The decision without what belongs to other tenants than the asker's. What is left says what would happen, not why.
    var withoutOthersData: Decision {
        guard blanks.caller || blanks.host else { return self }
        var copy = self
        copy.isBlanked = true
        if let refusal {
            copy.refusal = Refusal(refusal.code, retryAfterSeconds: refusal.retryAfterSeconds)
            copy.policy?.refusal = policy?.refusal.map { Refusal($0.code) }
        }
        if blanks.caller {
            copy.principal = .anonymous
            copy.admin = false
            copy.limits = nil
            copy.granted = nil
            copy.credentialHeader = nil
            copy.policy?.effectiveRoles = []
        }
        if blanks.host {
            copy.authConfig = nil
            copy.hostRule = nil
            copy.route = nil
            copy.policy = nil
        }
        return copy
    }
}
