// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How much is taken out of what is recorded.
package enum RedactionLevel: String, Sendable, CaseIterable {
    case secrets
    /// Also e-mail addresses, phone numbers and card numbers.
    case secretsAndPersonalData = "secrets,pii"
    case off
}
