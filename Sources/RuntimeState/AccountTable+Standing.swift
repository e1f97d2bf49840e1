// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
package import Billing

/// A request reads the standing of an account from the snapshot like everything else.
extension AccountTable: AccountStanding {
    package func isSuspended(_ account: String) -> Bool { state(of: account).isSuspended }
}
