// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension String {
    /// Whether both texts are the same bytes. Swift's `==` also takes texts for equal that only look alike, which is no way to tell issuers,
    /// audiences, keys and tenants apart.
    package func isExactly(_ other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }
}
