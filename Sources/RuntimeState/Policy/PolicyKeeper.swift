// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Essentials
package import Logging
package import Metrics
internal import Synchronization

/// Owns the policy data: reads its sources, puts what is sound in force as a whole, keeps the last good data otherwise, and writes changes back.
///
/// `state` may be read from anywhere at any time. Readings and changes happen one after another.
package final class PolicyKeeper: Sendable {
    /// Reads the one document of a YAML text.
    package typealias YAMLReading = @Sendable (_ text: [UInt8]) throws(PolicyTextFault) -> JSONValue
    /// Told of new data that a source brought, after it came in force. Changes through `change` are their caller's to record.
    /// The next reading waits for it, so it must not ask for one.
    package typealias Observer = @Sendable (_ before: PolicyState, _ after: PolicyState) async -> Void

    private let sources: [any PolicySource]
    private let present: Mutex<PolicySettings>
    private let readYAML: YAMLReading
    private let snapshots: SnapshotStore
    private let clock: any WallClock
    private let logger: Logger
    private let metrics: PolicyMetrics
    private let observer: Mutex<Observer?>
    private let machine: Mutex<PolicyStateMachine>
    private let serial = SerialLock()

    /// Reads the first data and puts it in force.
    ///
    /// - Parameter sources: the first one that is there counts; the built-in copy stands behind them all.
    /// - Throws: every problem of the data: nothing older is there that could stay in force.
    package init(
        sources: [any PolicySource], settings: PolicySettings, readYAML: @escaping YAMLReading,
        snapshots: SnapshotStore, clock: any WallClock, logger: Logger, metricsFactory: any MetricsFactory
    ) throws(PolicyDataError) {
        self.sources = sources + [BuiltInPolicySource()]
        present = Mutex(settings)
        self.readYAML = readYAML
        self.snapshots = snapshots
        self.clock = clock
        self.logger = logger
        metrics = PolicyMetrics(factory: metricsFactory)
        observer = Mutex(nil)
        let (_, reading) = Self.present(of: self.sources)
        let documents = try Self.texts(of: reading).parsed(readYAML: readYAML)
        let policy = try documents.compile(settings)
        let first = PolicyStateMachine(reading, documents: documents, policy: policy, at: clock.now())
        machine = Mutex(first)
        publish(first.state)
    }

    private var settings: PolicySettings { present.withLock { $0 } }

    /// Puts data in force that was judged elsewhere, with the settings that go with it: a sidecar has its operator's. It stays until the next
    /// call; where this is used, nothing reads the sources.
    package func adopt(_ policy: CompiledPolicy, from origin: PolicyOrigin) {
        let documents = PolicyDocuments(roles: policy.roles.document, routes: policy.routes.document)
        let reading = PolicyReading(origin: origin, content: .texts(PolicyTexts()))
        let adopted = PolicyStateMachine(reading, documents: documents, policy: policy, at: clock.now())
        let isNew = machine.withLock { machine in
            let before = machine.state
            machine = adopted
            return before.revision != policy.revision || before.policy.settings != policy.settings
                || before.origin != origin
        }
        present.withLock { $0 = policy.settings }
        guard isNew else { return }
        publish(adopted.state)
    }

    /// What is in force, and what is wrong with what is not.
    package var state: PolicyState { machine.withLock(\.state) }

    /// Names who is told of new data.
    package func observe(_ observer: @escaping Observer) { self.observer.withLock { $0 = observer } }

    /// Reads the sources and puts in force what is new and sound.
    package func refresh() async {
        await serial.withLock { _ = await pass() }
    }

    /// Runs the body while nothing else reads the sources or changes the data.
    func exclusively<Value, Failure: Error>(
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value { try await serial.withLock(body) }

    /// Puts in force what was just written.
    func put(_ reading: PolicyReading) { _ = take(reading) }

    /// Every problem that these documents would have in force: nothing is stored. A document that is not given is the present one.
    package func problems(roles: JSONValue?, routes: JSONValue?) -> [PolicyProblem] {
        var documents = state.documents
        if let roles { documents.roles = roles }
        if let routes { documents.routes = routes }
        do throws(PolicyDataError) {
            _ = try documents.compile(settings)
            return []
        } catch {
            return error.problems
        }
    }

    /// Reads the sources; only while nothing else does.
    func pass() async -> (any PolicySource, PolicyReading) {
        let (source, reading) = Self.present(of: sources)
        let before = state
        if case .publish(let after)? = take(reading), let observer = observer.withLock({ $0 }) {
            await observer(before, after)
        }
        return (source, reading)
    }

    /// Judges a reading; compiling happens outside the lock that readers take.
    private func take(_ reading: PolicyReading) -> PolicyStateMachine.Action? {
        guard machine.withLock({ $0.isNew(reading) }) else { return nil }
        let result = Result { () throws(PolicyDataError) in
            let documents = try Self.texts(of: reading).parsed(readYAML: readYAML)
            return (documents, try documents.compile(settings))
        }
        let now = clock.now()
        let action = machine.withLock { $0.took(reading, result, at: now) }
        switch action {
        case .nothing: break
        case .publish(let state): publish(state)
        case .report(let failure):
            metrics.failed()
            logger.error(
                "policy data refused; the last good data stays in force",
                metadata: [
                    "source": "\(failure.origin.kind.rawValue)", "location": "\(failure.origin.location)",
                    LogKeys.reason: "\(failure.message)",
                ])
        case .recovered: logger.notice("policy data is sound again", metadata: ["revision": "\(state.revision)"])
        }
        return action
    }

    private func publish(_ state: PolicyState) {
        snapshots.replace(policy: state.policy)
        metrics.inForce(revision: state.revision, source: state.origin.kind.rawValue)
        logger.notice(
            "policy data in force",
            metadata: [
                "revision": "\(state.revision)", "source": "\(state.origin.kind.rawValue)",
                "location": "\(state.origin.location)", "roles": "\(state.policy.roles.roles.count)",
                "routes": "\(state.policy.routes.rules.count)",
            ])
        for route in state.policy.routes.unreachable {
            logger.warning("policy route cannot match", metadata: [LogKeys.reason: "\(route.message)"])
        }
    }

    /// The first source that is there, and what it says.
    private static func present(of sources: [any PolicySource]) -> (any PolicySource, PolicyReading) {
        for source in sources {
            if let reading = source.read() { return (source, reading) }
        }
        let source = BuiltInPolicySource()
        return (source, PolicyReading(origin: PolicyOrigin(kind: .builtIn), content: .texts(.builtIn)))
    }

    private static func texts(of reading: PolicyReading) throws(PolicyDataError) -> PolicyTexts {
        switch reading.content {
        case .texts(let texts): return texts
        case .unreadable(let problems): throw PolicyDataError(problems)
        }
    }
}
