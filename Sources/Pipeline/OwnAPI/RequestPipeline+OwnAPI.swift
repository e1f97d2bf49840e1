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
        var session: SessionRecord?
        var beginning = begin(request, path: path, snapshot: snapshot, blocks: &blocks)
        if case .session(let cookie, let place) = beginning {
            switch await open(cookie, notesUse: !request.isRecheck) {
            case .failure(let refusal): beginning = .done(place.refused(refusal))
            case .success(let found):
                session = found
                beginning = begin(request, path: path, snapshot: snapshot, session: found, blocks: &blocks)
            }
        }
        if case .pending(let pending) = beginning {
            // Nothing else of the own API waits for so little time as a decision: the question has its own bound.
            let review = await authenticator.review(pending)
            beginning = begin(
                request, path: path, snapshot: snapshot, session: session, review: review, blocks: &blocks)
        }
        switch beginning {
        case .done(let done): admission = done
        case .open(let open, let engine): admission = await finish(open, by: engine)
        case .pending, .session:
            // The answer belongs to the very token that was asked about: it is never asked about again.
            admission = .refused(
                Refusal(.authReviewUnavailable, retryAfterSeconds: 1), principal: .anonymous,
                action: Self.unknownRoute, route: nil, canonicalPath: path.text)
        }
        if !blocks.isEmpty { await recorder.record(blocks, requestID: request.requestID) }
        if let session, case .refused(let refusal, _, _, _, _) = admission, refusal.code == .authSessionExpired {
            // Its credential is over for good. Where the store cannot be told now, the next use comes to the same end.
            try? await sessions?.end(session)
        }
        return admission
    }

    /// The session of a cookie.
    private func open(_ cookie: String, notesUse: Bool) async -> Result<SessionRecord, Refusal> {
        do throws(Refusal) {
            guard let session = try await sessions?.session(cookie: cookie, notesUse: notesUse),
                session.tokens != nil
            else {
                return .failure(Refusal(.authSessionExpired))
            }
            return .success(session)
        } catch {
            return .failure(error)
        }
    }

    /// A browser sends its cookies wherever a page of anybody points it to: what changes something must come from a page of the session.
    private static func forgery(_ request: OwnRequest, _ session: SessionRecord?) -> Refusal? {
        switch request.method {
        case "GET", "HEAD", "OPTIONS": return nil
        default:
            guard let session else { return nil }
            if case .one(let text) = request.headers.lookup("x-csrf-token"), session.isProven(by: text) { return nil }
            return Refusal(.authCSRF)
        }
    }

    private static let unknownRoute = "http.unknown_route"

    /// Admits without waiting, but for the question that an engine outside of the process, or the cluster, is asked.
    ///
    /// - Parameters:
    ///   - session: the one that the request's cookie names.
    ///   - review: what the cluster said about the request's token when it was asked.
    private func begin(
        _ request: OwnRequest, path: CanonicalPath, snapshot: RuntimeSnapshot, session: SessionRecord? = nil,
        review: ReviewedToken? = nil, blocks: inout [FailureBlock]
    ) -> OwnBeginning {
        let match = snapshot.policy.match(method: request.method, path: path, host: nil)
        let action = match?.rule.auditAction ?? Self.unknownRoute
        let now = clock.now()
        let place = OwnPlace(action: action, route: match?.display, path: path.text)
        func refused(_ refusal: Refusal, _ principal: Principal = .anonymous) -> OwnBeginning {
            .done(place.refused(refusal, principal))
        }
        let policy = snapshot.policy
        if match?.rule.isPublic == true {
            return .done(.allowed(caller(.anonymous, match: match, action: action, path: path, policy: policy)))
        }
        var credentials = AuthenticationRequest(
            headers: request.headers, query: path.query, method: request.method,
            clientCertificate: request.clientCertificate, surface: .ownAPI,
            client: ClientContext(
                address: request.clientAddress, isTrustedProxy: request.clientIsTrustedProxy,
                isDryRun: request.isRecheck),
            adminPermissions: policy.roles.adminPermissions, accounts: snapshot.accounts, review: review)
        // What others at the same address do is no reason to end what is under way.
        if !request.isRecheck,
            let refusal = authenticator.addressRefusal(credentials, realm: snapshot.ownRealm, now: now)
        {
            return refused(refusal)
        }
        credentials.sessionCredential = session?.tokens?.access
        if session == nil, sessions != nil, let cookie = authenticator.sessionID(credentials) {
            return .session(cookie: cookie, place)
        }
        let principal: Principal
        let result = authenticator.authenticate(credentials, realm: snapshot.ownRealm, now: now)
        if let pending = result.pendingReview { return .pending(pending) }
        blocks = result.newBlocks
        switch result.verdict {
        case .principal(let verified): principal = verified
        case .refusal(let refusal): return refused(refusal)
        }
        if let refusal = Self.forgery(request, session) { return refused(refusal, principal) }
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
                        path: path, session: session, now: now), engine)
            }
            verdict = policy.decide(question)
        }
        if let refusal = verdict.refusal { return refused(refusal, principal) }
        return .done(
            .allowed(
                caller(principal, match: match, action: action, path: path, session: session, policy: policy)))
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
            caller(
                open.principal, match: open.match, action: open.action, path: open.path, session: open.session,
                policy: open.policy))
    }

    private func caller(
        _ principal: Principal, match: RouteMatch?, action: String, path: CanonicalPath,
        session: SessionRecord? = nil, policy: CompiledPolicy
    ) -> OwnCaller {
        let subject = PolicySubject(principal)
        return OwnCaller(
            principal: principal, admin: principal.admin || policy.isPlatformAdmin(subject: subject), action: action,
            route: match?.display ?? path.text, canonicalPath: path.text, session: session,
            holds: { permission in policy.holds(subject: subject, permission: permission) })
    }
}

/// How far an admission comes without waiting.
private enum OwnBeginning {
    case done(OwnAdmission)
    case open(OpenAdmission, any PolicyEngine)
    /// The session of the cookie has to be found first.
    case session(cookie: String, OwnPlace)
    /// The cluster has to be asked about the token first.
    case pending(PendingReview)
}

/// Where a request goes, as its refusal tells it.
private struct OwnPlace {
    let action: String
    let route: String?
    let path: String

    func refused(_ refusal: Refusal, _ principal: Principal = .anonymous) -> OwnAdmission {
        .refused(refusal, principal: principal, action: action, route: route, canonicalPath: path)
    }
}

/// An admission that waits for an engine.
private final class OpenAdmission: Sendable {
    let question: PolicyQuestion
    let policy: CompiledPolicy
    let principal: Principal
    let match: RouteMatch?
    let action: String
    let path: CanonicalPath
    let session: SessionRecord?
    let now: Timestamp

    init(
        question: PolicyQuestion, policy: CompiledPolicy, principal: Principal, match: RouteMatch?, action: String,
        path: CanonicalPath, session: SessionRecord?, now: Timestamp
    ) {
        self.question = question
        self.policy = policy
        self.principal = principal
        self.match = match
        self.action = action
        self.path = path
        self.session = session
        self.now = now
    }
}
