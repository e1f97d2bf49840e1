// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Pipeline

/// The life cycle of API keys in the JSON of their endpoints. A "no" is a thrown refusal.
package protocol APIKeyService: Sendable {
    /// `POST /v1/api-keys`.
    func create(_ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange
    /// `GET /v1/api-keys` with its query parameters, each a text.
    func list(_ query: JSONObject, caller: OwnCaller) async throws(Refusal) -> JSONObject
    /// `GET /v1/api-keys/{id}`.
    func show(_ id: String, caller: OwnCaller) async throws(Refusal) -> JSONObject
    /// `PATCH /v1/api-keys/{id}`.
    func patch(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange
    /// `POST /v1/api-keys/{id}/rotate`.
    func rotate(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange
    /// `DELETE /v1/api-keys/{id}`.
    func revoke(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange
    /// `GET /v1/api-keys/{id}/usage` with its query parameters, each a text.
    func usage(_ id: String, _ query: JSONObject, caller: OwnCaller) async throws(Refusal) -> JSONObject
    /// Whether there is a key of that id that the caller may see.
    func sees(_ id: String, caller: OwnCaller) -> Bool
}
