// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The steps of a decision, in the order in which they run. Each ends the decision when it refuses.
package enum DecisionStep: String, Sendable, CaseIterable {
    case normalise, select
    case failureLimit = "failure_limit"
    case authenticate, authorise
    case requestLimit = "request_limit"
    case entitlement, meter, audit
}
