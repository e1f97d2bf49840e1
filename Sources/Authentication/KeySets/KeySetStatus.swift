// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How a fetched key set stands, for readiness details and conditions.
package struct KeySetStatus: Sendable, Hashable {
    package let source: RemoteKeySource
    /// Usable keys.
    package let keyCount: Int
    /// When the set that is held was fetched; nil when none ever was.
    package let fetchedAt: Timestamp?
    /// Whether tokens can be checked against it now.
    package let isUsable: Bool
    /// Why the last fetch failed; nil after a success.
    package let lastError: String?
    /// Entries of the set that were skipped.
    package let problems: [KeySetProblem]
}
