// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The price list in force.
package final class PriceBook: Sendable {
    private let present: Mutex<PriceList>

    package init(_ prices: PriceList) { present = Mutex(prices) }

    /// The price list in force.
    package var prices: PriceList { present.withLock { $0 } }

    /// Puts another price list in force: for what is rated from now on.
    package func replace(_ prices: PriceList) { present.withLock { $0 = prices } }
}
