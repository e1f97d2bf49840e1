// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Which column of limits a manifest asks for.
package enum ToolPolicy: String, Sendable, Hashable, CaseIterable {
    case standard = "default"
    case restricted
    case custom
}
