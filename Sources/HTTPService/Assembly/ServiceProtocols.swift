// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Authentication
package import Essentials
package import Pipeline

/// The trusted-proxy rule for client addresses.
package protocol ClientAddressResolving: Sendable {
    /// Whether the address is one of the trusted proxies.
    func isTrusted(_ address: IPAddress) -> Bool
    /// The client behind that peer.
    func resolve(peer: IPAddress, headers: HeaderList) -> IPAddress
}

extension ClientAddressResolver: ClientAddressResolving {}

/// What a change of a service token came to.
package struct TokenChange: Sendable {
    /// The token JSON, with the secret where one was minted.
    package var json: JSONObject
    /// The record that was changed or replaced, as it was before and after; nil where nothing was.
    package var before: JSONObject?
    package var after: JSONObject?

    package init(json: JSONObject, before: JSONObject? = nil, after: JSONObject? = nil) {
        self.json = json
        self.before = before
        self.after = after
    }
}

/// The life cycle of service tokens in the JSON of its endpoints. A "no" is a thrown refusal.
package protocol ServiceTokenService: Sendable {
    /// `POST /v1/service-tokens`.
    func create(_ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange
    /// `GET /v1/service-tokens` with its query parameters, each a text.
    func list(_ query: JSONObject, caller: OwnCaller) async throws(Refusal) -> JSONObject
    /// `GET /v1/service-tokens/{id}`.
    func show(_ id: String, caller: OwnCaller) async throws(Refusal) -> JSONObject
    /// `POST /v1/service-tokens/{id}/rotate`.
    func rotate(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange
    /// `DELETE /v1/service-tokens/{id}`.
    func revoke(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange
}

/// Queries over the audit trail.
package protocol AuditQuerying: Sendable {
    /// The entries that fit, a page at a time.
    ///
    /// - Throws: `audit.tenant_forbidden`, `audit.bad_cursor`, `audit.query_too_wide`, `audit.unavailable`.
    func query(_ query: AuditQuery, as reader: AuditReader) async throws(Refusal) -> AuditPage

    /// The last healing events that fit, oldest first, in their flat form.
    ///
    /// - Throws: `audit.query_too_wide`, `audit.unavailable`.
    func healingEvents(_ query: HealingQuery, as reader: AuditReader) async throws(Refusal) -> [JSONObject]
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
