// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing

/// Acknowledges events as soon as they are claimed: another process applies them.
extension UsageClaims: UsageTaking {}
