// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// `GET /v1/billing/provider-events?state&limit`
package struct ProviderEventQuery: Sendable, Hashable {
    package var state: ProviderEventRow.State
    /// 1 to 1000.
    package var limit: Int

    /// Reads the items of a query; without `state` it is about those that were given up.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package static func read(_ query: JSONObject) throws(Refusal) -> ProviderEventQuery {
        var fields = try BodyFields(query, known: ["state", "limit"])
        let state = fields.choice("state", ProviderEventRow.State.self) ?? .dead
        let limit = fields.pageSize()
        try fields.finish()
        return ProviderEventQuery(state: state, limit: limit)
    }
}
