// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Logging
internal import Pipeline
internal import Synchronization

/// One open stream: whether its caller may still watch, and what is recorded of it.
final class StreamSession: Sendable {
    let call: OwnCall
    let subscription: LiveSubscription
    private let parts: StreamParts
    private let state: Mutex<(filter: LiveFilter, events: Int64)>

    init(_ call: OwnCall, _ subscription: LiveSubscription, filter: LiveFilter, parts: StreamParts) {
        self.call = call
        self.subscription = subscription
        self.parts = parts
        state = Mutex((filter, 0))
    }

    /// Looks at the credential again, with what admitted the request.
    ///
    /// - Returns: why the stream must end; nil when it goes on.
    func recheck() async -> Refusal? {
        var request = call.exchange.ownRequest
        request.isRecheck = true
        let filter = state.withLock(\.filter)
        switch await parts.decider.admit(request) {
        case .refused(let refusal, _, _, _, _): return refusal
        case .allowed(let caller):
            do throws(Refusal) {
                try filter.check(caller)
            } catch {
                return error
            }
            // What was shown so far was another's to see.
            return caller.auditReader == filter.reader ? nil : Refusal(.authTenantMismatch)
        }
    }

    /// Watches something else from now on.
    func change(to request: StreamRequest) {
        state.withLock { $0.filter = request.filter }
        subscription.change(to: request.filter, after: request.lastID)
    }

    /// Counts what was written.
    func wrote(_ events: Int) { state.withLock { $0.events += Int64(events) } }

    /// Gives the place back and records the end, once the stream is over.
    ///
    /// - Parameter reason: `gone`, `overflow`, `draining`, or the code of what ended it.
    func close(_ reason: String, outcome: AuditDraft.Outcome = .success) async {
        subscription.end()
        let exchange = call.exchange
        let principal = call.caller.principal
        let milliseconds = max(0, parts.clock.now().microseconds - exchange.receivedAt.microseconds) / 1000
        var metadata: JSONObject = [
            "method": .string(exchange.method), "route": .string(call.caller.route), "phase": "closed",
            "reason": .string(reason), "events": .int(state.withLock(\.events)), "duration_ms": .int(milliseconds),
            "auth_source": .string(principal.authSource.rawValue),
        ]
        if let tokenID = principal.tokenID { metadata["token_id"] = .string(tokenID) }
        let draft = AuditDraft(
            actor: principal.subject, action: call.caller.action, resource: call.caller.canonicalPath,
            outcome: outcome, metadata: metadata, ip: exchange.client.description, sessionID: principal.sessionID,
            tenant: principal.tenantID, requestID: exchange.requestID)
        guard !parts.audit.acceptNow(draft) else { return }
        do {
            try await parts.audit.accept(draft)
        } catch {
            parts.logger.error(
                "the end of an event stream is not recorded", metadata: ["code": "\(error.code.rawValue)"])
        }
    }
}
