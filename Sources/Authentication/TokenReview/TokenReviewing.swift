// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Asks the cluster whether a token is good.
package protocol TokenReviewing: Sendable {
    /// Asks once; the caller bounds the time by cancelling.
    ///
    /// - Throws: `forbidden`, `unavailable`, `malformedAnswer`.
    func review(_ token: Redacted<String>, audiences: [String]) async throws(TokenReviewError) -> TokenReviewStatus
}
