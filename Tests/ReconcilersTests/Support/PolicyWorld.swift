// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Logging
internal import Metrics
internal import MetricsTestKit
internal import Reconcilers
internal import RuntimeState
internal import Synchronization
internal import TestSupport

/// A place for policy data in memory that a test changes behind the keeper's back.
final class FakePolicySource: PolicySource {
    private struct State {
        var reading: PolicyReading?
        var failures: [PolicyWriteFailure] = []
        /// Another writer's document, put in just before the next write.
        var intruder: [UInt8]?
        var writes = 0
        var isWriting = false
        var overlapped = false
    }

    private let state = Mutex(State())
    static let origin = PolicyOrigin(kind: .files, location: "/policy")

    init(_ texts: PolicyTexts? = .builtIn) { say(texts) }

    var writes: Int { state.withLock(\.writes) }
    var overlapped: Bool { state.withLock(\.overlapped) }

    func read() -> PolicyReading? { state.withLock(\.reading) }

    func say(_ texts: PolicyTexts?, origin: PolicyOrigin = origin) {
        state.withLock { $0.reading = texts.map { PolicyReading(origin: origin, content: .texts($0)) } }
    }

    func say(roles: String, routes: String? = nil) {
        say(PolicyTexts(roles: Array(roles.utf8), routes: routes.map { Array($0.utf8) }))
    }

    func sayUnreadable(_ problem: String) {
        state.withLock {
            $0.reading = PolicyReading(origin: Self.origin, content: .unreadable([PolicyProblem(.roles, problem)]))
        }
    }

    func fail(_ failures: [PolicyWriteFailure]) { state.withLock { $0.failures = failures } }

    func intrude(_ roles: String) { state.withLock { $0.intruder = Array(roles.utf8) } }

    func write(roles: [UInt8], over texts: PolicyTexts) async throws(PolicyWriteFailure) {
        let failure = state.withLock { state -> PolicyWriteFailure? in
            state.overlapped = state.overlapped || state.isWriting
            state.isWriting = true
            return state.failures.isEmpty ? nil : state.failures.removeFirst()
        }
        await Task.yield()
        let result = state.withLock { state -> PolicyWriteFailure? in
            state.isWriting = false
            if let failure { return failure }
            if let intruder = state.intruder {
                state.intruder = nil
                state.reading?.content = .texts(PolicyTexts(roles: intruder, routes: texts.routes))
            }
            guard state.reading?.content == .texts(texts) else { return PolicyWriteFailure(.changed, "changed") }
            state.writes += 1
            state.reading?.content = .texts(PolicyTexts(roles: roles, routes: texts.routes))
            return nil
        }
        if let result { throw result }
    }
}

/// A keeper of policy data with everything around it.
struct PolicyWorld {
    let snapshots = SnapshotStore(metricsFactory: NOOPMetricsHandler.instance)
    let metrics = TestMetrics()
    let clock = ManualClock()
    let keeper: PolicyKeeper

    init(_ sources: [any PolicySource], settings: PolicySettings = PolicySettings()) throws(PolicyDataError) {
        keeper = try PolicyKeeper(
            sources: sources, settings: settings, readYAML: PolicyYAML.document, snapshots: snapshots, clock: clock,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), metricsFactory: metrics)
    }

    var revision: String { keeper.state.revision }

    /// The shipped roles with one more.
    static func roles(with extra: String) throws -> String {
        var document = try JSONParser.parse(text: BuiltInPolicy.rolesJSON).objectValue ?? JSONObject()
        var roles = document["roles"]?.objectValue ?? JSONObject()
        roles[extra] = ["description": .string("made for a test"), "permissions": ["tasks:read"]]
        document["roles"] = .object(roles)
        return JSONValue.object(document).jsonText
    }

    static func night(_ name: String = "night") -> RoleEdit {
        .put(name, RoleDefinition(description: "Nights", inherits: "viewer"))
    }

    /// The refusal of a change; nil when it was made.
    func refusal(_ edit: RoleEdit, onRevision revisions: [String]? = nil) async -> Refusal? {
        do throws(Refusal) {
            _ = try await keeper.change(edit, onRevision: revisions)
            return nil
        } catch {
            return error
        }
    }
}
