// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import RuntimeState

/// One decision on its way through the steps that need no waiting.
///
/// Without `explain` it stops at the first refusal; with it, it goes on as far as what is known allows, and keeps the first refusal.
struct DecisionRun {
    let input: DecisionInput
    let snapshot: RuntimeSnapshot?
    let now: Timestamp
    var decision: Decision
    var tracer: StepTracer

    private(set) var host: String?
    private(set) var path: CanonicalPath?
    private(set) var config: CompiledAuthConfig?
    private(set) var match: RouteMatch?
    /// Failure limits that this request's failure reached.
    private(set) var newBlocks: [FailureBlock] = []
    /// What the cluster has to be asked before the request can be judged.
    private(set) var pendingReview: PendingReview?
    private let review: ReviewedToken?
    /// Time that an engine outside of the process took beyond its share, not counted against the decision.
    var forgivenNanoseconds: Int64 = 0
    /// A credential was refused: checks of the caller would only repeat that.
    private var callerIsUnknown = false
    /// What was left to ask the policy; kept for `explain` only.
    private var question: PolicyQuestion?

    /// - Parameter review: what the cluster said about the request's token when it was asked.
    init(
        input: DecisionInput, snapshot: RuntimeSnapshot?, now: Timestamp, tracer: StepTracer,
        review: ReviewedToken? = nil
    ) {
        self.review = review
        self.input = input
        self.snapshot = snapshot
        self.now = now
        self.tracer = tracer
        decision = Decision(snapshotGeneration: snapshot?.generation ?? 0, requestID: input.requestID)
        self.tracer.blanks.installation = !input.audience.isPlatform
    }

    /// Whether the next step runs.
    var mayContinue: Bool { !decision.isRefused || tracer.explains }

    /// Keeps the first refusal and ends the step.
    mutating func refuse(_ refusal: Refusal, at step: DecisionStep, _ explanation: @autoclosure () -> Explanation) {
        tracer.note(step, refusal, explanation())
        if !decision.isRefused { decision.refusal = refusal }
    }

    /// Runs normalise, select, failure limit and authenticate, and the policy up to the question of rights.
    ///
    /// - Returns: nil when there is nothing left to ask the policy.
    mutating func judge(authenticator: Authenticator) -> PolicyQuestion? {
        normalise()
        guard mayContinue, let host, let method = decision.method else { return nil }
        select(host: host, method: method, path: path)
        guard mayContinue, let config, let snapshot else { return nil }
        limitFailures(authenticator: authenticator, config: config)
        guard mayContinue else { return nil }
        authenticate(authenticator: authenticator, config: config)
        guard pendingReview == nil else { return nil }
        // Only `explain` comes here without a path: there is no route to ask about.
        guard mayContinue, let path else { return nil }
        let subject = callerIsUnknown ? nil : PolicySubject(decision.principal)
        let query = PolicyQuery(
            permissionOverride: input.permission, resource: input.resource, surface: .workload,
            authenticationDisabled: config.realm.mode == .disabled, host: config.policy, shares: snapshot.shares,
            now: now, facts: config.policy.rules == nil ? nil : facts(host: host, method: method, path: path))
        switch snapshot.policy.prepare(subject: subject, query: query, match: match) {
        case .open(let question):
            decision.admin = decision.principal.admin || snapshot.policy.isPlatformAdmin(question)
            if tracer.explains { self.question = question }
            return question
        case .decided(let verdict):
            decision.admin = decision.principal.admin || snapshot.policy.isPlatformAdmin(subject: subject)
            conclude(verdict, query: query)
            return nil
        }
    }

    /// What the rules of the host can read.
    private func facts(host: String, method: String, path: CanonicalPath) -> RuleFacts {
        RuleFacts(
            method: method, path: path.text, host: host, scheme: input.scheme ?? "https", remoteIP: input.clientAddress,
            headers: input.headers, query: path.query, claims: decision.principal.claims)
    }

    /// Writes down, for `explain`, which steps before the audit did not run and why.
    mutating func skipOmittedStages() {
        guard tracer.explains else { return }
        for step in DecisionStep.allCases where step != .audit {
            let why = whyOmitted(step)
            tracer.skip(step, Explanation(.asker, why))
        }
    }

    private func whyOmitted(_ step: DecisionStep) -> String {
        if match?.rule.isPublic == true { return "left out: the route is public" }
        if step == .authorise, path == nil { return "needs a canonical path" }
        if step == .entitlement || step == .meter, config != nil, !isMetered {
            return "nothing is metered here: nothing is asked for, nothing is counted"
        }
        if step == .meter, decision.granted != nil { return "counted with the entitlement, as one" }
        if decision.isRefused { return "not reached: the request is refused" }
        return input.dryRun ? "left out: a dry run takes nothing" : "nothing is configured"
    }

    /// What the waiting stages get; nil for public routes and dry runs, which they leave out.
    func admissionRequest(timeLeft: Duration) -> AdmissionRequest? {
        guard !decision.isRefused, !input.dryRun else { return nil }
        return stageRequest(timeLeft)
    }

    /// What the waiting stages get for a look at what they would say; nil where they would not be asked, or nobody is known.
    func previewRequest(timeLeft: Duration) -> AdmissionRequest? { callerIsUnknown ? nil : stageRequest(timeLeft) }

    private func stageRequest(_ timeLeft: Duration) -> AdmissionRequest? {
        guard match?.rule.isPublic != true, let policy = decision.policy, let config, let snapshot else { return nil }
        return AdmissionRequest(
            principal: decision.principal, config: config, policy: policy, match: match, usage: input.usage,
            meteringKey: input.meteringKey, accounts: snapshot.accounts, now: now, timeLeft: timeLeft)
    }

    // MARK: Steps

    private mutating func normalise() {
        guard Self.fits(input) else {
            return refuse(
                Refusal(.requestHeadersTooLarge), at: .normalise,
                Explanation(.asker, "target and headers are over the bound"))
        }
        guard let method = RequestNormalizer.method(input.method) else {
            return refuse(
                Refusal(.requestBadMethod), at: .normalise,
                Explanation(.asker, "the method is missing or no token"))
        }
        decision.method = method
        guard let host = input.host.flatMap(RequestNormalizer.host) else {
            return refuse(
                Refusal(.requestBadHost), at: .normalise,
                Explanation(.asker, "the host is missing or no host name"))
        }
        self.host = host
        decision.host = host
        // Without any path the parser is given text that begins with no slash: `not_absolute`.
        switch CanonicalPath.parse(input.target ?? "-") {
        case .success(let path):
            self.path = path
            decision.canonicalPath = path.text
            tracer.note(.normalise, nil, Explanation(.asker, "\(method) \(host) \(path.text)"))
        case .failure(let fault):
            refuse(fault.refusal, at: .normalise, OutcomeExplanation.path(fault))
        }
    }

    /// Most bytes of path and query, of header lines with the target, and most header lines.
    private static let targetBytes = 16_384
    private static let headBytes = 65_536
    private static let headerLines = 128

    /// Whether a described request is one that a listener would have read at all.
    private static func fits(_ input: DecisionInput) -> Bool {
        let target = input.target?.utf8.count ?? 0
        guard target <= targetBytes, input.headers.fields.count <= headerLines else { return false }
        return input.headers.fields.reduce(target) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 } <= headBytes
    }

    private mutating func select(host: String, method: String, path: CanonicalPath?) {
        guard let snapshot else {
            return refuse(
                Refusal(.decisionNotReady), at: .select,
                Explanation(.installation, "no snapshot is in force yet"))
        }
        guard let found = snapshot.hosts.match(host) else {
            return refuse(Refusal(.authNoConfig), at: .select, OutcomeExplanation.noConfig(host))
        }
        let config = snapshot.authConfigs[found.index]
        self.config = config
        decision.authConfig = config.key
        decision.hostRule = found.rule
        decision.forwardsCredential = config.forwardsCredential
        tracer.blanks.host = tracer.explains && !input.audience.mayKnow(hostOf: config.tenant)
        if let reason = config.brokenReason {
            refuse(
                Refusal(.configInvalid), at: .select,
                OutcomeExplanation.broken(config, rule: found.rule, reason: reason))
            self.config = nil
            return
        }
        match = path.flatMap { snapshot.policy.match(method: method, path: $0, host: config.policy) }
        decision.route = match?.display
        tracer.note(
            .select, nil,
            OutcomeExplanation.selected(
                config, rule: found.rule, match: match, path: path, policy: snapshot.policy))
    }

    private mutating func limitFailures(authenticator: Authenticator, config: CompiledAuthConfig) {
        let (request, now) = (authenticationRequest, now)
        guard let refusal = authenticator.addressRefusal(request, realm: config.realm, now: now) else {
            return tracer.note(.failureLimit, nil, authenticator.failureReport(request, now: now))
        }
        refuse(refusal, at: .failureLimit, authenticator.failureReport(request, now: now))
    }

    private mutating func authenticate(authenticator: Authenticator, config: CompiledAuthConfig) {
        let request = authenticationRequest
        let result = authenticator.authenticate(request, realm: config.realm, now: now)
        pendingReview = result.pendingReview
        guard pendingReview == nil else { return }
        decision.credentialHeader = result.credentialHeader
        newBlocks = result.newBlocks
        var explanation = Explanation()
        if tracer.explains {
            let report = authenticator.report(request, realm: config.realm, now: now)
            explanation = CallerExplanation.text(report, result: result)
            tracer.blanks.caller = CallerExplanation.isOthers(
                report, principal: result.principal, audience: input.audience)
        }
        switch result.verdict {
        case .principal(let principal):
            decision.principal = principal
            tracer.note(.authenticate, nil, explanation)
        case .refusal(let refusal):
            callerIsUnknown = true
            refuse(refusal, at: .authenticate, explanation)
        }
    }

    /// Ends the authorisation with what the policy said.
    ///
    /// - Parameter query: what was asked, where the policy decided without a look at rights.
    mutating func conclude(_ verdict: PolicyDecision, query: PolicyQuery? = nil) {
        guard let config, let snapshot else { return }
        let principal = decision.principal
        decision.policy = verdict
        if callerIsUnknown {
            return tracer.skip(
                .authorise,
                OutcomeExplanation.unknownCaller(
                    permission: verdict.permission, match: match, config: config, policy: snapshot.policy))
        }
        let scopes = config.requiredScopes.isEmpty ? input.requiredScopes : config.requiredScopes + input.requiredScopes
        let workspaces =
            config.requiredWorkspaces.isEmpty
            ? input.requiredWorkspaces : config.requiredWorkspaces + input.requiredWorkspaces
        // After a refusal only `explain` looks on.
        let asksMore = (verdict.allow || tracer.explains) && match?.rule.isPublic != true
        let lacking: Refusal? =
            asksMore && !(scopes.isEmpty && workspaces.isEmpty)
            ? requirementRefusal(principal: principal, scopes: scopes, workspaces: workspaces) : nil
        let refusal = verdict.refusal ?? lacking
        var explanation = Explanation()
        if tracer.explains {
            explanation = explain(verdict, query: query, config: config, policy: snapshot.policy)
            if match?.rule.isPublic != true {
                explanation = explanation.adding(
                    OutcomeExplanation.requirements(
                        scopes: scopes, workspaces: workspaces, principal: principal, admin: decision.admin,
                        refusal: lacking))
            }
        }
        guard let refusal else { return tracer.note(.authorise, nil, explanation) }
        refuse(refusal, at: .authorise, explanation)
    }

    private func explain(
        _ verdict: PolicyDecision, query: PolicyQuery?, config: CompiledAuthConfig, policy: CompiledPolicy
    ) -> Explanation {
        if let question {
            return PolicyExplanation.text(question, verdict, policy: policy, tokenID: decision.principal.tokenID)
        }
        return OutcomeExplanation.decided(
            verdict, query: query ?? PolicyQuery(), request: "\(decision.method ?? "") \(path?.text ?? "")",
            match: match,
            config: config)
    }

    private func requirementRefusal(principal: Principal, scopes: [String], workspaces: [String]) -> Refusal? {
        let refusal =
            ScopeRequirement.check(held: principal.scopes, required: scopes, admin: decision.admin)
            ?? WorkspaceRequirement.check(
                held: principal.workspaceIDs, required: workspaces, admin: decision.admin)
        // What somebody would have to hold is asked of somebody: there is nobody here.
        return refusal != nil && principal.isAnonymous ? Refusal(.authAuthenticationRequired) : refusal
    }

    private var authenticationRequest: AuthenticationRequest {
        AuthenticationRequest(
            headers: input.headers, query: path?.query, method: input.method ?? "",
            describedCredential: input.credential, clientCertificate: input.clientCertificate,
            surface: .workload(publicRoute: match?.rule.isPublic ?? false),
            client: ClientContext(
                address: input.clientAddress, isTrustedProxy: input.clientIsTrustedProxy,
                countsFailures: input.countsFailuresForAddress, isDryRun: input.dryRun, asker: input.asker),
            adminPermissions: snapshot?.policy.roles.adminPermissions, accounts: snapshot?.accounts, review: review)
    }
}
