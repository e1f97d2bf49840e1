// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Authorization
internal import Essentials
internal import Pipeline
internal import TestSupport

/// What a decision costs inside the process, and what its parts cost. Prints a Markdown table.
@main
struct MicroBenchmarks {
    private static let storedTokens = 100_000

    let effort: Measurement.Effort
    let only: String?
    private let clock = SystemWallClock()
    let credentials: Credentials
    var rows: [Measurement] = []

    /// `MicroBenchmarks [--quick] [NAME]`: with a name only the measurements that hold it, for a profiler.
    /// `MicroBenchmarks --shared-limits [--quick]`: what a request limit in Redis costs.
    /// `MicroBenchmarks --audit [--quick]`: what the audit trail costs.
    /// `MicroBenchmarks --accounts [--quick]`: what the engine of accounts costs.
    /// `MicroBenchmarks --ledger [--quick] [--large]`: what the ledger of accounts costs; `--large` goes on to ten million events.
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let effort = arguments.contains("--quick") ? Measurement.Effort.quick : .full
        if arguments.contains("--shared-limits") { return try await SharedLimits(effort: effort).run() }
        if arguments.contains("--accounts") { return try await AccountBenchmarks(effort: effort).run() }
        if arguments.contains("--ledger") {
            return try await LedgerBenchmarks(effort: effort, isLarge: arguments.contains("--large")).run()
        }
        if arguments.contains("--audit") { return try await AuditBenchmarks(effort: effort).run() }
        let folder = try TemporaryDirectory()
        var benchmarks = try MicroBenchmarks(
            effort: effort, only: arguments.last { !$0.hasPrefix("--") })
        try await benchmarks.run(in: folder.path)
        benchmarks.report()
    }

    private init(effort: Measurement.Effort, only: String?) throws {
        self.effort = effort
        self.only = only
        credentials = try Credentials(stored: Self.storedTokens, now: clock.now())
    }

    private mutating func run(in folder: String) async throws {
        await measureReferences()
        let gate = try Gate(credentials: credentials, directory: "\(folder)/gate")
        let forgetful = try Gate(credentials: credentials, directory: "\(folder)/forgetful", cachesSigned: false)
        let recording = try Gate(
            credentials: credentials, directory: "\(folder)/recording", refusalsPerSecond: .max)
        let gates = [gate, forgetful, recording]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for gate in gates { group.addTask { await gate.audit.run() } }
            try await measureDecisions(gate, forgetful: forgetful, recording: recording)
            await measureStages(gate)
            try await measureEngine(in: folder)
            try await measureEntitlement(in: folder)
            for gate in gates { await gate.audit.close() }
            try await group.waitForAll()
        }
    }

    // MARK: Measurements

    mutating func measure<Input>(
        _ name: String, count: Int, prepare: (Int) -> Input, operation: (Input) async throws -> Void
    ) async rethrows {
        guard only.map({ name.contains($0) }) ?? true else { return }
        rows.append(
            try await Measurement.of(name, count: count, effort: effort, prepare: prepare, operation: operation))
    }

    /// The same measurement stands for what the machine can do at all; everything else is a ratio to it.
    private mutating func measureReferences() async {
        let random = SeededRandom(seed: 11)
        rows.append(
            await Measurement.of(
                "reference: SHA-256 of a service token's text", count: 200_000, effort: effort,
                prepare: { _ in credentials.stored[random.below(Self.storedTokens)] },
                operation: { keep(SecretDigest(of: $0)) }))
    }

    private mutating func measureDecisions(_ gate: Gate, forgetful: Gate, recording: Gate) async throws {
        let random = SeededRandom(seed: 3)
        let (credentials, clock) = (credentials, clock)
        func storedToken(inUse: Int = 4000) -> String {
            // The store is not asked here; in a server it is, every few seconds.
            credentials.table.heard(at: clock.now())
            return credentials.stored[random.below(inUse) * (Self.storedTokens / inUse)]
        }
        try await measure(
            "decision: service token, 100,000 stored, 4,000 of them in use", count: 200_000,
            prepare: { _ in Gate.request(bearer: storedToken()) },
            operation: { try await Self.decide($0, at: gate) })
        try await measure(
            "decision: service token, all of 100,000 in use, more than the audit trail folds", count: 50_000,
            prepare: { _ in
                while recording.audit.status.queued > 8000 {}
                return Gate.request(bearer: storedToken(inUse: Self.storedTokens))
            },
            operation: { try await Self.decide($0, at: recording) })
        try await measure(
            "decision: API key, 100,000 stored, 4,000 of them in use", count: 200_000,
            prepare: { _ in
                credentials.keys.heard(at: clock.now())
                return Gate.request(bearer: credentials.keyTexts[random.below(4000) * (Self.storedTokens / 4000)])
            },
            operation: { try await Self.decide($0, at: gate) })
        for signed in credentials.signed where signed.algorithm == .rs256 {
            try await measure(
                "decision: cached JWT (RS256)", count: 200_000,
                prepare: { Gate.request(bearer: signed.tokens[$0 % signed.tokens.count]) },
                operation: { try await Self.decide($0, at: gate) })
        }
        for signed in credentials.signed {
            try await measure(
                "decision: fresh JWT, \(signed.algorithm.rawValue)", count: 4000,
                prepare: { Gate.request(bearer: signed.tokens[$0 % signed.tokens.count]) },
                operation: { try await Self.decide($0, at: forgetful) })
        }
        let denied = { (index: Int) in
            Gate.request(
                bearer: storedToken(), method: "DELETE", path: "/v1/agent/workers/w-1", address: UInt32(index % 4))
        }
        try await measure(
            "decision: denied route, folded in the audit trail", count: 100_000, prepare: denied,
            operation: { try await Self.decide($0, at: gate, expecting: 403) })
        try await measure(
            "decision: denied route, an audit entry each", count: 20_000,
            prepare: { index in
                while recording.audit.status.queued > 8000 {}
                return denied(index)
            },
            operation: { try await Self.decide($0, at: recording, expecting: 403) })
        try await measure(
            "decision: route not mapped, folded in the audit trail", count: 100_000,
            prepare: { Gate.request(bearer: storedToken(), path: "/nobody/knows", address: UInt32($0 % 4)) },
            operation: { try await Self.decide($0, at: gate, expecting: 403) })
    }

    static func decide(_ input: DecisionInput, at gate: Gate, expecting status: Int = 200) async throws {
        let decision = await gate.pipeline.decide(input)
        guard decision.status == status else { throw UnexpectedStatus(decision: decision) }
    }

    private func report() {
        guard let reference = rows.first else { return }
        print("| what | µs | allocations | ratio to the reference |")
        print("| --- | ---: | ---: | ---: |")
        for row in rows { print(row.row(reference: reference)) }
    }
}

// MARK: - Stages

extension MicroBenchmarks {
    private mutating func measureStages(_ gate: Gate) async {
        let random = SeededRandom(seed: 5)
        let now = clock.now()
        let (credentials, policy) = (credentials, gate.policy)
        let identifiers = credentials.table.newestFirst.map(\.record.identifier)
        await measure(
            "stage: look-up of a token among 100,000", count: 200_000,
            prepare: { _ in identifiers[random.below(identifiers.count)] },
            operation: { keep(credentials.table.entry($0)) })
        let client = ClientContext(address: IPAddress(ipv4: 0xCB00_7101))
        credentials.table.heard(at: now)
        await measure(
            "stage: authenticate a service token", count: 200_000,
            prepare: { _ in
                AuthenticationRequest(
                    headers: Gate.request(bearer: credentials.stored[random.below(Self.storedTokens)]).headers,
                    query: nil, method: "GET", surface: .workload(publicRoute: false), client: client)
            },
            operation: { keep(gate.authenticator.authenticate($0, realm: gate.realm, now: now)) })
        await measure(
            "stage: parse a path", count: 200_000, prepare: { "/v1/agent/tasks/task-\($0 % 1000)" },
            operation: { keep(CanonicalPath.parse($0)) })
        guard case .success(let path) = CanonicalPath.parse("/v1/agent/tasks/task-4711") else { return }
        await measure(
            "stage: find the route", count: 200_000, prepare: { _ in path },
            operation: { keep(policy.match(method: "GET", path: $0, host: gate.hostPolicy)) })
        let match = policy.match(method: "GET", path: path, host: gate.hostPolicy)
        let subject = PolicySubject(
            id: "service", tenant: "acme", authSource: "service_token", scopes: ["agent:read", "tasks:read"],
            scoped: true)
        await measure(
            "stage: decide by the policy", count: 200_000, prepare: { _ in PolicyQuery(host: gate.hostPolicy) },
            operation: { keep(policy.decide(subject: subject, query: $0, match: match)) })
        await measureAuthorisation(policy)
        await measureAudit(gate, identifiers: identifiers)
    }

    /// The route among the whole shipped map, then every check that reads something: roles with inheritance, scopes, tenant and owner.
    private mutating func measureAuthorisation(_ policy: CompiledPolicy) async {
        guard case .success(let path) = CanonicalPath.parse("/v1/agent/tasks/task-4711/cancel") else { return }
        let host = HostPolicy(scopes: .enforce, ownership: .required)
        let subject = PolicySubject(
            id: "user-1", roles: ["developer"], tenant: "acme", authSource: "keycloak",
            scopes: ["tasks:read", "tasks:write"], scoped: true)
        let resource = ResourceAttributes(id: "task-4711", owner: "user-1", tenant: "acme")
        await measure(
            "authorise in process (role, scope, tenant, owner, route)", count: 200_000,
            prepare: { _ in PolicyQuery(resource: resource, host: host) },
            operation: { query in
                let match = policy.match(method: "POST", path: path, host: host)
                let decision = policy.decide(subject: subject, query: query, match: match)
                keep(decision)
                assert(decision.allow)
            })
    }

    private mutating func measureAudit(_ gate: Gate, identifiers: [String]) async {
        let random = SeededRandom(seed: 9)
        let clock = clock
        await measure(
            "stage: record an allowed decision", count: 200_000,
            prepare: { _ in
                AllowedDecision(
                    actor: identifiers[random.below(identifiers.count)], tenant: "acme", host: Gate.host,
                    method: "GET", route: "GET /v1/agent/tasks/{id}", path: "/v1/agent/tasks/task-4711", status: 200,
                    ip: nil, authSource: "service_token", requestID: "0197a000-0000-7000-8000-000000000000",
                    at: clock.now())
            },
            operation: { keep(gate.audit.acceptAllowedDecision($0)) })
    }
}

/// Keeps the optimiser from leaving out what nobody looks at.
@inline(never)
private func keep<Value>(_ value: Value) {}

/// A decision that was to be measured went another way.
struct UnexpectedStatus: Error, CustomStringConvertible {
    let decision: Decision

    var description: String {
        "status \(decision.status) \(decision.refusal?.code.rawValue ?? "-"): \(decision.refusal?.message ?? "-")"
    }
}
