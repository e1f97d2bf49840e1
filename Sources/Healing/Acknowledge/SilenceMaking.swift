// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Makes silences in an Alertmanager.
package protocol SilenceMaking: Sendable {
    /// Has a silence made.
    ///
    /// - Returns: its id.
    /// - Throws: `healing.alertmanager_failed`.
    func create(_ silence: JSONObject) async throws(Refusal) -> String
}
