// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Connectors
internal import Essentials
internal import Logging
internal import MetricsTestKit
internal import Synchronization
internal import TestSupport

/// A client of a policy engine, with a clock that stands still.
struct ClientWorld: Sendable {
    static let policy = Result { try CompiledPolicy.builtIn(routesDocument: YAMLText.json(BuiltInPolicy.routesYAML)) }

    let clock = ManualClock()
    let metrics = TestMetrics()
    let client: OPAClient

    init(
        url: String, timeout: Duration = .seconds(60), cacheLifetime: Duration = .seconds(5), failsOpen: Bool = false
    ) {
        client = OPAClient(
            settings: OPAClientSettings(url: url, timeout: timeout, cacheLifetime: cacheLifetime, failsOpen: failsOpen),
            clock: clock, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            metricsFactory: metrics)
    }

    func ask(_ question: PolicyQuestion, expiresIn: Duration? = nil) async -> EngineAnswer {
        await client.answer(question, timeLeft: .seconds(60), expiresIn: expiresIn)
    }

    /// How many calls ended like that.
    func count(_ result: String) throws -> Int64 {
        try metrics.expectCounter("tollgate_opa_requests_total", [("result", result)]).totalValue
    }

    struct NoQuestion: Error {}

    /// What is left to ask about a permission.
    static func question(
        action: String = "tasks:read", roles: [String] = ["editor"], surface: PolicyQuery.Surface = .workload
    ) throws -> PolicyQuestion {
        let subject = PolicySubject(id: "u1", roles: roles, tenant: "acme", authSource: "jwt")
        let query = PolicyQuery(action: action, surface: surface)
        guard case .open(let question) = try policy.get().prepare(subject: subject, query: query, match: nil) else {
            throw NoQuestion()
        }
        return question
    }
}

/// Counts from 1.
final class Counted: Sendable {
    private let count = Atomic<Int>(0)

    func next() -> Int { count.add(1, ordering: .relaxed).newValue }
}

/// On or off.
final class Switch: Sendable {
    private let state: Mutex<Bool>

    init(_ value: Bool) { state = Mutex(value) }

    var value: Bool {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
