// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import RuntimeState

extension RequestPipeline {
    package func admit(_ request: OwnRequest) async -> OwnAdmission {
        guard let snapshot = snapshots.current() else {
            return .refused(
                Refusal(.decisionNotReady), principal: .anonymous, action: Self.unknownRoute, route: nil,
                canonicalPath: nil)
        }
        let path: CanonicalPath
        switch CanonicalPath.parse(request.target) {
        case .success(let parsed): path = parsed
        case .failure(let fault):
            return .refused(
                fault.refusal, principal: .anonymous, action: Self.unknownRoute, route: nil, canonicalPath: nil)
        }
        var blocks: [FailureBlock] = []
        let admission = await admit(request, path: path, snapshot: snapshot, blocks: &blocks)
        if !blocks.isEmpty { await recorder.record(blocks, requestID: request.requestID) }
        return admission
    }

    private static let unknownRoute = "http.unknown_route"

    private func admit(
        _ request: OwnRequest, path: CanonicalPath, snapshot: RuntimeSnapshot, blocks: inout [FailureBlock]
    ) async -> OwnAdmission {
        let match = snapshot.policy.match(method: request.method, path: path, host: nil)
        let action = match?.rule.auditAction ?? Self.unknownRoute
        let now = clock.now()
        func refused(_ refusal: Refusal, _ principal: Principal = .anonymous) -> OwnAdmission {
            .refused(
                refusal, principal: principal, action: action, route: match?.display, canonicalPath: path.text)
        }
        let policy = snapshot.policy
        if match?.rule.isPublic == true {
            return .allowed(caller(.anonymous, match: match, action: action, path: path, policy: policy))
        }
        let credentials = AuthenticationRequest(
            headers: request.headers, query: path.query, method: request.method,
            clientCertificate: request.clientCertificate, surface: .ownAPI,
            client: ClientContext(
                address: request.clientAddress, isTrustedProxy: request.clientIsTrustedProxy),
            adminPermissions: policy.roles.adminPermissions, accounts: snapshot.accounts)
        if let refusal = authenticator.addressRefusal(credentials, realm: snapshot.ownRealm, now: now) {
            return refused(refusal)
        }
        let principal: Principal
        let result = authenticator.authenticate(credentials, realm: snapshot.ownRealm, now: now)
        blocks = result.newBlocks
        switch result.verdict {
        case .principal(let verified): principal = verified
        case .refusal(let refusal): return refused(refusal)
        }
        var query = PolicyQuery(surface: .own)
        // A project that the own API names is one of the caller's tenant: its admin may act for each of them.
        if match?.captures.project != nil { query.resource.tenant = principal.tenantID }
        let progress = policy.prepare(subject: PolicySubject(principal), query: query, match: match)
        if let refusal = await verdict(progress, policy: policy, principal: principal, now: now).refusal {
            return refused(refusal, principal)
        }
        return .allowed(caller(principal, match: match, action: action, path: path, policy: policy))
    }

    private func verdict(
        _ progress: PolicyProgress, policy: CompiledPolicy, principal: Principal, now: Timestamp
    ) async -> PolicyDecision {
        switch progress {
        case .decided(let decision): decision
        case .open(let question):
            if let engine {
                await ask(
                    engine, question, policy: policy, timeLeft: settings.timeout,
                    expiresIn: principal.expiresIn(at: now))
            } else {
                policy.decide(question)
            }
        }
    }

    private func caller(
        _ principal: Principal, match: RouteMatch?, action: String, path: CanonicalPath, policy: CompiledPolicy
    ) -> OwnCaller {
        let subject = PolicySubject(principal)
        return OwnCaller(
            principal: principal, admin: principal.admin || policy.isPlatformAdmin(subject: subject), action: action,
            route: match?.display ?? path.text, canonicalPath: path.text,
            holds: { permission in policy.holds(subject: subject, permission: permission) })
    }
}
