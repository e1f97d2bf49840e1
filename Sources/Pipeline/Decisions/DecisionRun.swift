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
    /// A credential was refused: checks of the caller would only repeat that.
    private var callerIsUnknown = false

    init(input: DecisionInput, snapshot: RuntimeSnapshot?, now: Timestamp, tracer: StepTracer) {
        self.input = input
        self.snapshot = snapshot
        self.now = now
        self.tracer = tracer
        decision = Decision(snapshotGeneration: snapshot?.generation ?? 0, requestID: input.requestID)
    }

    /// Whether the next step runs.
    var mayContinue: Bool { !decision.isRefused || tracer.explains }

    /// Keeps the first refusal and ends the step.
    mutating func refuse(_ refusal: Refusal, at step: DecisionStep, _ detail: @autoclosure () -> String) {
        tracer.note(step, refusal, detail())
        if !decision.isRefused { decision.refusal = refusal }
    }

    /// Runs normalise, select, failure limit and authenticate, and the policy up to the question of rights.
    ///
    /// - Returns: nil when there is nothing left to ask the policy.
    mutating func judge(authenticator: Authenticator) -> PolicyQuestion? {
        normalise()
        guard mayContinue, let host, let path, let method = decision.method else { return nil }
        select(host: host, method: method, path: path)
        guard mayContinue, let config, let snapshot else { return nil }
        limitFailures(authenticator: authenticator, config: config)
        guard mayContinue else { return nil }
        authenticate(authenticator: authenticator, config: config)
        guard mayContinue else { return nil }
        let subject = callerIsUnknown ? nil : PolicySubject(decision.principal)
        let query = PolicyQuery(
            permissionOverride: input.permission, resource: input.resource, surface: .workload,
            authenticationDisabled: config.realm.mode == .disabled, host: config.policy, shares: snapshot.shares,
            now: now, facts: config.policy.rules == nil ? nil : facts(host: host, method: method, path: path))
        switch snapshot.policy.prepare(subject: subject, query: query, match: match) {
        case .open(let question):
            decision.admin = decision.principal.admin || snapshot.policy.isPlatformAdmin(question)
            return question
        case .decided(let verdict):
            decision.admin = decision.principal.admin || snapshot.policy.isPlatformAdmin(subject: subject)
            conclude(verdict)
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
        let reason: String
        if decision.refusal != nil {
            reason = "not reached: the request is refused"
        } else if match?.rule.isPublic == true {
            reason = "left out: the route is public"
        } else {
            reason = input.dryRun ? "left out: a dry run takes nothing" : "nothing is configured"
        }
        for step in DecisionStep.allCases where step != .audit { tracer.skip(step, reason) }
    }

    /// What the waiting stages get; nil for public routes and dry runs, which they leave out.
    func admissionRequest(timeLeft: Duration) -> AdmissionRequest? {
        guard !decision.isRefused, !input.dryRun, match?.rule.isPublic != true, let policy = decision.policy,
            let config, let snapshot
        else { return nil }
        return AdmissionRequest(
            principal: decision.principal, config: config, policy: policy, accounts: snapshot.accounts, now: now,
            timeLeft: timeLeft)
    }

    // MARK: Steps

    private mutating func normalise() {
        guard Self.fits(input) else {
            return refuse(Refusal(.requestHeadersTooLarge), at: .normalise, "target and headers are over the bound")
        }
        guard let method = RequestNormalizer.method(input.method) else {
            return refuse(Refusal(.requestBadMethod), at: .normalise, "the method is missing or no token")
        }
        decision.method = method
        guard let host = input.host.flatMap(RequestNormalizer.host) else {
            return refuse(Refusal(.requestBadHost), at: .normalise, "the host is missing or no host name")
        }
        self.host = host
        decision.host = host
        // Without any path the parser is given text that begins with no slash: `not_absolute`.
        switch CanonicalPath.parse(input.target ?? "-") {
        case .success(let path):
            self.path = path
            decision.canonicalPath = path.text
            tracer.note(.normalise, nil, "\(method) \(host) \(path.text)")
        case .failure(let fault):
            refuse(fault.refusal, at: .normalise, "the path is not canonical: \(fault.rawValue)")
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

    private mutating func select(host: String, method: String, path: CanonicalPath) {
        guard let snapshot else {
            return refuse(Refusal(.decisionNotReady), at: .select, "no snapshot is in force yet")
        }
        guard let found = snapshot.hosts.match(host) else {
            return refuse(Refusal(.authNoConfig), at: .select, "no AuthConfig names \(host) or a wildcard over it")
        }
        let config = snapshot.authConfigs[found.index]
        self.config = config
        decision.authConfig = config.key
        decision.hostRule = found.rule
        decision.forwardsCredential = config.forwardsCredential
        if let reason = config.brokenReason {
            refuse(Refusal(.configInvalid), at: .select, "\(config.key) is not usable: \(reason)")
            self.config = nil
            return
        }
        match = snapshot.policy.match(method: method, path: path, host: config.policy)
        decision.route = match?.display
        tracer.note(
            .select, nil,
            "\(found.rule) of \(config.key); \(match.map { "route \($0.display)" } ?? "no route matches")")
    }

    private mutating func limitFailures(authenticator: Authenticator, config: CompiledAuthConfig) {
        let request = authenticationRequest
        guard let refusal = authenticator.addressRefusal(request, realm: config.realm, now: now) else {
            return tracer.note(.failureLimit, nil, "below the limit of failures")
        }
        refuse(refusal, at: .failureLimit, "too many failures from this address")
    }

    private mutating func authenticate(authenticator: Authenticator, config: CompiledAuthConfig) {
        let result = authenticator.authenticate(authenticationRequest, realm: config.realm, now: now)
        decision.credentialHeader = result.credentialHeader
        newBlocks = result.newBlocks
        switch result.verdict {
        case .principal(let principal):
            decision.principal = principal
            tracer.note(.authenticate, nil, result.detail)
        case .refusal(let refusal):
            callerIsUnknown = true
            refuse(refusal, at: .authenticate, result.detail)
        }
    }

    /// Ends the authorisation with what the policy said.
    mutating func conclude(_ verdict: PolicyDecision) {
        guard let config else { return }
        let principal = decision.principal
        decision.policy = verdict
        if callerIsUnknown {
            return tracer.skip(
                .authorise,
                "needs a verified caller; \(verdict.permission.map { "permission \($0)" } ?? "no permission")")
        }
        if let refusal = verdict.refusal {
            return refuse(refusal, at: .authorise, Self.explain(verdict))
        }
        guard match?.rule.isPublic != true else { return tracer.note(.authorise, nil, "the route is public") }
        let scopes = config.requiredScopes.isEmpty ? input.requiredScopes : config.requiredScopes + input.requiredScopes
        let workspaces =
            config.requiredWorkspaces.isEmpty
            ? input.requiredWorkspaces : config.requiredWorkspaces + input.requiredWorkspaces
        if !scopes.isEmpty || !workspaces.isEmpty {
            if let refusal = requirementRefusal(principal: principal, scopes: scopes, workspaces: workspaces) {
                return refuse(refusal, at: .authorise, "\(Self.explain(verdict)); \(refusal.message)")
            }
        }
        tracer.note(.authorise, nil, Self.explain(verdict))
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
            adminPermissions: snapshot?.policy.roles.adminPermissions)
    }

    private static func explain(_ verdict: PolicyDecision) -> String {
        let permission = verdict.permission.map { "permission \($0)" } ?? "no permission needed"
        let roles = "effective roles [\(verdict.effectiveRoles.joined(separator: ", "))]"
        guard !verdict.allow else { return "\(permission); \(roles)" }
        return "\(permission); \(roles); \(verdict.reasons.joined(separator: ", "))"
    }
}
