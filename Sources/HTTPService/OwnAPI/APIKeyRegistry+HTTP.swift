// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Essentials
package import Pipeline

extension APIKeyRegistry: APIKeyService {
    package func create(_ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange {
        let request = try CreateAPIKey(json: body, now: clock.now())
        return TokenChange(try await create(request, caller: TokenCaller(caller)))
    }

    package func list(_ query: JSONObject, caller: OwnCaller) async throws(Refusal) -> JSONObject {
        try await list(try ListAPIKeys(query: query), caller: TokenCaller(caller)).json
    }

    package func show(_ id: String, caller: OwnCaller) async throws(Refusal) -> JSONObject {
        try await show(id, caller: TokenCaller(caller)).json
    }

    package func patch(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange {
        let request = try PatchAPIKey(json: body, now: clock.now())
        return TokenChange(try await patch(id, request, caller: TokenCaller(caller)))
    }

    package func rotate(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange {
        TokenChange(try await rotate(id, try RotateAPIKey(json: body), caller: TokenCaller(caller)))
    }

    package func revoke(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange {
        TokenChange(try await revoke(id, try RevokeAPIKey(json: body), caller: TokenCaller(caller)))
    }

    package func usage(_ id: String, _ query: JSONObject, caller: OwnCaller) async throws(Refusal) -> JSONObject {
        let wanted = try APIKeyUsageQuery(query: query, now: clock.now())
        return try await usage(id, wanted, caller: TokenCaller(caller)).json
    }

    package func sees(_ id: String, caller: OwnCaller) -> Bool {
        table.entry(id).map { TokenCaller(caller).sees($0.record) } ?? false
    }
}

extension TokenChange {
    /// What the registry answered; the records never hold a text.
    init(_ answer: APIKeyAnswer) {
        self.init(
            json: answer.json, before: answer.before?.json(at: answer.at, roles: answer.roles),
            after: answer.after?.json(at: answer.at, roles: answer.roles))
    }
}
