// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Told about every decision that was given to a door, dry runs excepted. Called on the request path: it counts and returns.
package protocol DecisionObserving: Sendable {
    func decided(_ decision: Decision, at now: Timestamp)
}
