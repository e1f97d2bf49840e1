// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Essentials
package import Pipeline

extension ServiceTokenRegistry: ServiceTokenService {
    package func create(_ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange {
        TokenChange(try await create(try CreateServiceToken(json: body), caller: TokenCaller(caller)))
    }

    package func list(_ query: JSONObject, caller: OwnCaller) async throws(Refusal) -> JSONObject {
        try await list(try ListServiceTokens(query: query), caller: TokenCaller(caller)).json
    }

    package func show(_ id: String, caller: OwnCaller) async throws(Refusal) -> JSONObject {
        try await show(id, caller: TokenCaller(caller)).json
    }

    package func rotate(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange {
        TokenChange(try await rotate(id, try RotateServiceToken(json: body), caller: TokenCaller(caller)))
    }

    package func revoke(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange {
        TokenChange(try await revoke(id, try RevokeServiceToken(json: body), caller: TokenCaller(caller)))
    }
}

extension TokenCaller {
    /// The caller of an own-API handler.
    init(_ caller: OwnCaller) {
        self.init(principal: caller.principal, admin: caller.admin, holds: caller.holds)
    }
}

extension TokenChange {
    /// What the registry answered; the records never hold a secret.
    init(_ answer: ServiceTokenAnswer) {
        self.init(
            json: answer.json, before: answer.before?.json(at: answer.at), after: answer.after?.json(at: answer.at))
    }
}

/// The blocks of the failure limiter at the clock's time.
package struct FailureLimiterBlocks: AuthBlockService {
    private let limiter: FailureLimiter
    private let clock: any WallClock

    package init(limiter: FailureLimiter, clock: any WallClock) {
        self.limiter = limiter
        self.clock = clock
    }

    package func blocks() -> [JSONObject] { limiter.blocks(now: clock.now()).map(\.json) }

    package func clear(_ key: String) -> Bool { limiter.clear(key, now: clock.now()) }
}
