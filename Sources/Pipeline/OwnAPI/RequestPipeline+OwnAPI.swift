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
        let admission: OwnAdmission
        var beginning = begin(request, path: path, snapshot: snapshot, blocks: &blocks)
        if case .pending(let pending) = beginning {
            // Nothing else of the own API waits for so little time as a decision: the question has its own bound.
            let review = await authenticator.review(pending)
            beginning = begin(request, path: path, snapshot: snapshot, review: review, blocks: &blocks)
        }
        switch beginning {
        case .done(let done): admission = done
        case .open(let open, let engine): admission = await finish(open, by: engine)
        case .pending:
            // The answer belongs to the very token that was asked about: it is never asked about again.
            admission = .refused(
                Refusal(.authReviewUnavailable, retryAfterSeconds: 1), principal: .anonymous,
                action: Self.unknownRoute, route: nil, canonicalPath: path.text)
        }
        if !blocks.isEmpty { await recorder.record(blocks, requestID: request.requestID) }
        return admission
    }

    private static let unknownRoute = "http.unknown_route"

    /// Admits without waiting, but for the question that an engine outside of the process, or the cluster, is asked.
    ///
    /// - Parameter review: what the cluster said about the request's token when it was asked.
    private func begin(
        _ request: OwnRequest, path: CanonicalPath, snapshot: RuntimeSnapshot, review: ReviewedToken? = nil,
        blocks: inout [FailureBlock]
    ) -> OwnBeginning {
        let match = snapshot.policy.match(method: request.method, path: path, host: nil)
        let action = match?.rule.auditAction ?? Self.unknownRoute
        let now = clock.now()
        func refused(_ refusal: Refusal, _ principal: Principal = .anonymous) -> OwnBeginning {
            .done(
                .refused(
                    refusal, principal: principal, action: action, route: match?.display, canonicalPath: path.text))
        }
        let policy = snapshot.policy
        if match?.rule.isPublic == true {
            return .done(.allowed(caller(.anonymous, match: match, action: action, path: path, policy: policy)))
        }
        let credentials = AuthenticationRequest(
            headers: request.headers, query: path.query, method: request.method,
            clientCertificate: request.clientCertificate, surface: .ownAPI,
            client: ClientContext(
                address: request.clientAddress, isTrustedProxy: request.clientIsTrustedProxy),
            adminPermissions: policy.roles.adminPermissions, accounts: snapshot.accounts, review: review)
        if let refusal = authenticator.addressRefusal(credentials, realm: snapshot.ownRealm, now: now) {
            return refused(refusal)
        }
        let principal: Principal
        let result = authenticator.authenticate(credentials, realm: snapshot.ownRealm, now: now)
        if let pending = result.pendingReview { return .pending(pending) }
        blocks = result.newBlocks
        switch result.verdict {
        case .principal(let verified): principal = verified
        case .refusal(let refusal): return refused(refusal)
        }
        var query = PolicyQuery(surface: .own)
        // A project that the own API names is one of the caller's tenant: its admin may act for each of them.
        if match?.captures.project != nil { query.resource.tenant = principal.tenantID }
        let verdict: PolicyDecision
        switch policy.prepare(subject: PolicySubject(principal), query: query, match: match) {
        case .decided(let decision): verdict = decision
        case .open(let question):
            if let engine {
                return .open(
                    OpenAdmission(
                        question: question, policy: policy, principal: principal, match: match, action: action,
                        path: path, now: now), engine)
            }
            verdict = policy.decide(question)
        }
        if let refusal = verdict.refusal { return refused(refusal, principal) }
        return .done(.allowed(caller(principal, match: match, action: action, path: path, policy: policy)))
    }

    /// Ends an admission with what the engine says.
    private func finish(_ open: OpenAdmission, by engine: any PolicyEngine) async -> OwnAdmission {
        let verdict = await ask(
            engine, open.question, policy: open.policy, timeLeft: settings.timeout,
            expiresIn: open.principal.expiresIn(at: open.now))
        if let refusal = verdict.refusal {
            return .refused(
                refusal, principal: open.principal, action: open.action, route: open.match?.display,
                canonicalPath: open.path.text)
        }
        return .allowed(
            caller(open.principal, match: open.match, action: open.action, path: open.path, policy: open.policy))
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

/// How far an admission comes without waiting.
private enum OwnBeginning {
    case done(OwnAdmission)
    case open(OpenAdmission, any PolicyEngine)
    /// The cluster has to be asked about the token first.
    case pending(PendingReview)
}

/// An admission that waits for an engine.
private final class OpenAdmission: Sendable {
    let question: PolicyQuestion
    let policy: CompiledPolicy
    let principal: Principal
    let match: RouteMatch?
    let action: String
    let path: CanonicalPath
    let now: Timestamp

    init(
        question: PolicyQuestion, policy: CompiledPolicy, principal: Principal, match: RouteMatch?, action: String,
        path: CanonicalPath, now: Timestamp
    ) {
        self.question = question
        self.policy = policy
        self.principal = principal
        self.match = match
        self.action = action
        self.path = path
        self.now = now
    }
}
