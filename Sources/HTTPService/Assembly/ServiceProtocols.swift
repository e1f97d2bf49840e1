// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Essentials
package import Pipeline

/// The trusted-proxy rule for client addresses.
package protocol ClientAddressResolving: Sendable {
    /// Whether the address is one of the trusted proxies.
    func isTrusted(_ address: IPAddress) -> Bool
    /// The client behind that peer.
    func resolve(peer: IPAddress, headers: HeaderList) -> IPAddress
}

/// The life cycle of service tokens. Every answer is the token JSON; a "no" is a thrown refusal.
package protocol ServiceTokenService: Sendable {
    /// `POST /v1/service-tokens`.
    func create(_ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> JSONObject
    /// `GET /v1/service-tokens` with its query parameters, each at most once.
    func list(_ query: JSONObject, caller: OwnCaller) async throws(Refusal) -> JSONObject
    /// `GET /v1/service-tokens/{id}`.
    func show(_ id: String, caller: OwnCaller) async throws(Refusal) -> JSONObject
    /// `POST /v1/service-tokens/{id}/rotate`.
    func rotate(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> JSONObject
    /// `DELETE /v1/service-tokens/{id}`.
    func revoke(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal)
}

/// Queries over the audit trail.
package protocol AuditQuerying: Sendable {
    /// The entries that fit, a page at a time.
    ///
    /// - Throws: `audit.tenant_forbidden`, `audit.bad_cursor`, `audit.query_too_wide`, `audit.unavailable`.
    func query(_ query: AuditQuery, as reader: AuditReader) async throws(Refusal) -> AuditPage
}

extension AuditLog: AuditQuerying {}

/// The blocks of the failure limiter.
package protocol AuthBlockService: Sendable {
    /// What is blocked now: `key`, `kind`, `count`, `retry_after`.
    func blocks() -> [JSONObject]
    /// Lifts a block.
    ///
    /// - Returns: false when there is none of that key.
    func clear(_ key: String) -> Bool
}

/// One line of `/readyz?verbose`.
package struct ReadinessCheck: Sendable, Hashable {
    package enum Status: String, Sendable {
        case ok, degraded, failed
    }
    package var name: String
    package var status: Status
    /// What a person should know; never a secret.
    package var detail: String

    package init(name: String, status: Status, detail: String = "") {
        self.name = name
        self.status = status
        self.detail = detail
    }
}

/// What the health endpoints report.
package protocol ReadinessReporting: Sendable {
    /// Whether the process is on its way out.
    var isDraining: Bool { get }
    /// Whether the event loops turn and nothing is stuck; never depends on other systems.
    var isLive: Bool { get }
    /// Every check of readiness; one that failed makes the answer 503.
    func checks() -> [ReadinessCheck]
}

/// Answers kept under idempotency keys.
package protocol IdempotencyKeeping: Sendable {
    /// Reserves a key for a caller, or says what became of its first use.
    ///
    /// - Parameter digest: of the route and body.
    func begin(key: String, caller: String, digest: String) async throws(Refusal) -> IdempotencyState
    /// Keeps the answer for 24 h.
    func finish(key: String, caller: String, digest: String, answer: StoredAnswer) async throws(Refusal)
    /// Gives a reservation up, so that the next try runs.
    func abandon(key: String, caller: String) async
}

/// What is known of an idempotency key.
package enum IdempotencyState: Sendable {
    case new
    case answered(StoredAnswer)
    /// The key was used with another body.
    case mismatch
}

/// An answer as it is kept.
package struct StoredAnswer: Sendable, Hashable {
    package var status: Int
    package var body: [UInt8]

    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}
