// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The one place where money is rounded.
package enum HalfUp {
    /// The quotient of two exact values, rounded once: halves go up.
    ///
    /// - Parameters:
    ///   - numerator: at least 0.
    ///   - denominator: at least 1.
    /// - Throws: `billing.overflow` where the result has no place in 64 bits, or the numerator is negative.
    package static func quotient(_ numerator: Int128, _ denominator: Int128) throws(Refusal) -> Int64 {
        guard numerator >= 0, denominator >= 1 else { throw Refusal(.billingOverflow) }
        let (quotient, rest) = numerator.quotientAndRemainder(dividingBy: denominator)
        guard let rounded = Int64(exactly: rest >= denominator - rest ? quotient + 1 : quotient) else {
            throw Refusal(.billingOverflow)
        }
        return rounded
    }
}
