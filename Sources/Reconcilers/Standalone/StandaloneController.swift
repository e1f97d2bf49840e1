// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
internal import Billing
package import Essentials
package import Logging
package import ManifestFiles
package import Metrics
package import ResourceModel
package import RuntimeState
internal import Synchronization

/// The control side of a Tollgate that runs alone: reads manifest files, mints the tokens that ServiceTokens ask for, compiles the snapshot and
/// keeps the status of objects. Every pass reads everything and does only what is missing.
package actor StandaloneController {
    private let directory: ManifestDirectory
    private let compiler: SnapshotCompiler
    /// Only until a keeper of policy data puts other data in force: see `SnapshotStore.replace(policy:)`.
    private let policy: CompiledPolicy
    private let policyData: ManifestPolicyFollower?
    private let tokens: ServiceTokenReconciler
    private let subscriptions: SubscriptionCompiler
    private let tools: ToolManifestCompiler
    private let snapshots: SnapshotStore
    private let keySets: RemoteKeySets
    private let keeper: any ObjectStatusKeeping
    private let clock: any WallClock
    private let logger: Logger
    private let interval: Duration
    private let lookAt: @Sendable ([ObjectKey]) -> Void
    private var book = StatusBook()
    private var reported: Set<String> = []
    private var toolKeys: ToolKeyReport
    private var published: PublishedState?
    /// Where each object stood when it was seen last.
    private var places: [ObjectKey: ManifestSource] = [:]
    /// Which key sets the last pass asked for.
    private var awaited: Set<RemoteKeySource> = []

    /// What the snapshot in force was made of.
    private struct PublishedState: Equatable {
        var inputs: [ObjectKey: String]
        var statuses: [ObjectKey: JSONValue]
        var accounts: AccountTable
    }

    /// - Parameters:
    ///   - policyData: told of every pass before its snapshot is published; nil = the manifests have no say in policy data.
    ///   - interval: how often a pass runs although nothing changed.
    ///   - lookAt: told after each pass whose accounts have to be looked at.
    package init(
        directory: ManifestDirectory, compiler: SnapshotCompiler, policy: CompiledPolicy,
        tokens: ServiceTokenReconciler, subscriptions: SubscriptionCompiler, tools: ToolManifestCompiler,
        snapshots: SnapshotStore,
        keySets: RemoteKeySets, keeper: any ObjectStatusKeeping, policyData: ManifestPolicyFollower? = nil,
        interval: Duration, clock: any WallClock, metrics: any MetricsFactory, logger: Logger,
        lookAt: @escaping @Sendable ([ObjectKey]) -> Void = { _ in }
    ) {
        self.lookAt = lookAt
        toolKeys = ToolKeyReport(metrics: metrics, logger: logger)
        self.directory = directory
        self.compiler = compiler
        self.policy = policy
        self.tokens = tokens
        self.subscriptions = subscriptions
        self.tools = tools
        self.snapshots = snapshots
        self.keySets = keySets
        self.keeper = keeper
        self.policyData = policyData
        self.interval = interval
        self.clock = clock
        self.logger = logger
    }

    /// Takes up the status of objects that earlier runs kept. Before the first pass.
    package func start(statuses: [ObjectKey: JSONValue]) { book = StatusBook(stored: statuses) }

    /// Runs passes at every change of the files and at every interval, until it is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            let (pulses, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
            let changes = directory.changes()
            group.addTask {
                for await _ in changes { continuation.yield() }
                continuation.finish()
            }
            group.addTask { [plans = subscriptions.plans] in
                for await _ in plans.changes { continuation.yield() }
            }
            if let accounts = subscriptions.accounts {
                accounts.changes.listen { continuation.yield() }
                // What changed before anybody listened.
                continuation.yield()
            }
            group.addTask { [interval] in
                while !Task.isCancelled {
                    // A cancelled wait ends the loop at its condition.
                    try? await Task.sleep(for: interval)
                    continuation.yield()
                }
                continuation.finish()
            }
            var followed: Set<RemoteKeySource> = []
            // Another pass shows new key sets as soon as they are there; a pass before this loop may have asked for some.
            func followKeySets() {
                guard awaited != followed else { return }
                followed = awaited
                group.addTask { [keySets] in
                    await keySets.waitForFirstSets(atMost: .seconds(10))
                    continuation.yield()
                }
            }
            followKeySets()
            for await _ in pulses {
                if Task.isCancelled { break }
                await reconcile()
                followKeySets()
            }
            group.cancelAll()
        }
    }

    /// One pass.
    package func reconcile() async {
        let load = directory.load()
        await policyData?.follow(load)
        let now = clock.now()
        report(load.problems)
        let missing = outOfSight(load)
        let inputs = (self.inputs(load) + missing.compactMap(closed)).sorted { $0.key < $1.key }
        let output = compiler.compile(inputs)
        keySets.use(output.keySources)
        awaited = output.keySources
        var statuses = output.statuses
        KeyAvailability.note(output.keySourcesByObject, sets: keySets, statuses: &statuses)
        PlanRequirements.note(
            Self.requiredPlans(output), catalogue: subscriptions.plans.catalogue, statuses: &statuses)
        let tokenStatuses = await tokens.reconcile(inputs, earlier: book.statuses, missing: missing, now: now)
        statuses.merge(tokenStatuses) { _, new in new }
        let billing = subscriptions.compile(inputs, earlier: book.statuses, now: now)
        statuses.merge(billing.statuses) { _, new in new }
        subscriptions.want(billing.orders.merging(withdrawals(load, inputs, billing.orders)) { order, _ in order })
        let judged = tools.compile(inputs, earlier: book.statuses, now: now)
        statuses.merge(judged.statuses) { _, new in new }
        toolKeys.note(judged.problems)
        if let policyData, let status = policyData.status() { statuses[policyData.key] = status }
        let sources = Dictionary(load.objects.map { ($0.key, $0.source) }) { first, _ in first }
        places.merge(sources) { _, new in new }
        note(fileProblems: load.problems, sources: sources, statuses: &statuses)
        for input in inputs {
            guard var status = statuses[input.key] else { continue }
            status.sumUp()
            if book.set(status, of: input.key, generation: input.generation, now: now) {
                log(status, of: input.key)
            }
        }
        // A deleted ServiceToken stays in the book until its token is revoked.
        book.keep(only: missing.union(inputs.map(\.key)).union(tokenStatuses.keys))
        places = places.filter { book.statuses[$0.key] != nil }
        publish(inputs, output: output, accounts: billing.accounts, sources: sources, now: now)
        await save()
        lookAt(subscriptions.accounts?.needingLook(isResync: true) ?? [])
    }

    private static func requiredPlans(_ output: SnapshotCompiler.Output) -> [ObjectKey: Set<String>] {
        var required: [ObjectKey: Set<String>] = [:]
        for config in output.authConfigs where config.isMetered {
            let parts = config.key.split(separator: "/", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            required[ObjectKey(kind: .authConfig, namespace: parts[0], name: parts[1])] = config.requiredPlans
        }
        return required
    }

    /// The accounts whose objects are gone: nobody speaks for them any more. None while files or folders cannot be read.
    private func withdrawals(
        _ load: ManifestLoad, _ inputs: [CompilerInput], _ wanted: [ObjectKey: AccountOrder]
    ) -> [ObjectKey: AccountOrder] {
        guard let accounts = subscriptions.accounts,
            !load.problems.contains(where: { $0.severity == .error && $0.object == nil })
        else { return [:] }
        let present = Set(inputs.map(\.key))
        var orders: [ObjectKey: AccountOrder] = [:]
        for (account, known) in accounts.known {
            guard let uid = known.spec?.uid, var key = AccountOrder.key(ofUID: uid) else { continue }
            if present.contains(key) {
                // It is there, and speaks for another account than it did.
                guard let order = wanted[key], order.account != account else { continue }
                key = ObjectKey(kind: key.kind, namespace: key.namespace, name: "\(key.name)@\(account)")
            }
            orders[key] = .withdraw(uid: uid, account: account)
        }
        return orders
    }

    /// The objects that were there before and are not, because a file or folder cannot be read: nobody has deleted them.
    private func outOfSight(_ load: ManifestLoad) -> Set<ObjectKey> {
        let faults = load.problems.filter { $0.severity == .error && $0.object == nil }
        guard !faults.isEmpty else { return [] }
        let present = Set(load.objects.map(\.key)).union(load.duplicates.map(\.key))
        return Set(
            book.statuses.keys.filter { key in
                guard !present.contains(key) else { return false }
                guard let place = places[key]?.file else { return true }
                return faults.contains { place == $0.file || place.hasPrefix($0.file + "/") }
            })
    }

    /// An AuthConfig that is out of sight keeps its hosts closed, so that no wider wildcard gets them.
    private func closed(_ key: ObjectKey) -> CompilerInput? {
        guard key.kind == .authConfig, let status = book.statuses[key] else { return nil }
        let hosts = status["hosts"]?.arrayValue?.compactMap { $0["host"]?.stringValue } ?? []
        let memory = directory.memory()[key]
        return CompilerInput(
            key: key, object: nil, problems: ["the object is not there, and files or folders cannot be read"],
            claimedHosts: hosts, generation: memory?.generation ?? 0,
            createdAt: memory.map { Timestamp(microseconds: $0.firstSeen) } ?? .latest)
    }

    /// Puts a new snapshot in force when it would differ from the present one.
    private func publish(
        _ inputs: [CompilerInput], output: SnapshotCompiler.Output, accounts: AccountTable,
        sources: [ObjectKey: ManifestSource], now: Timestamp
    ) {
        let state = PublishedState(
            inputs: Dictionary(inputs.map { ($0.key, Self.fingerprint($0)) }) { first, _ in first },
            statuses: book.statuses, accounts: accounts)
        guard state != published else { return }
        let isOnlyStatus = published.map { $0.inputs == state.inputs && $0.accounts == state.accounts } ?? false
        published = state
        let views = inputs.compactMap { view($0, source: sources[$0.key]) }
        let snapshot = snapshots.publish { generation in
            RuntimeSnapshot(
                generation: generation, builtAt: now, hosts: output.hosts, authConfigs: output.authConfigs,
                policy: policy, ownRealm: output.ownRealm, accounts: accounts, resources: views)
        }
        logger.log(
            level: isOnlyStatus ? .debug : .info, "snapshot published",
            metadata: [
                LogKeys.generation: "\(snapshot.generation)", "objects": "\(inputs.count)",
                "auth_configs": "\(output.authConfigs.count)",
            ])
    }

    /// What tells two versions of an object apart: Secrets and ConfigMaps have no generation, their data counts.
    private static func fingerprint(_ input: CompilerInput) -> String {
        switch input.object {
        case .secret(let secret):
            let parts = secret.data.sorted { $0.key < $1.key }.map { "\($0.key)=\(Fingerprint(of: $0.value.revealed))" }
            return parts.joined(separator: ",")
        case .configMap(let map):
            return Fingerprint(of: Array("\(map.data.sorted { $0.key < $1.key })".utf8)).description
        default: return "\(input.generation) \(input.problems)"
        }
    }

    private func save() async {
        let changes = book.takeChanges()
        guard !changes.isEmpty else { return }
        do {
            try await keeper.save(changes)
        } catch {
            book.restore(changes)
            logger.error("the status of objects cannot be stored", metadata: [LogKeys.error: "\(error)"])
        }
    }

    private func inputs(_ load: ManifestLoad) -> [CompilerInput] {
        let sound = load.objects.map { loaded in
            CompilerInput(
                key: loaded.key, object: loaded.object, problems: loaded.problems.map(\.description),
                claimedHosts: loaded.claimedHosts, generation: loaded.generation,
                createdAt: loaded.creationTimestamp)
        }
        let memory = load.duplicates.isEmpty ? [:] : directory.memory()
        let doubled = load.duplicates.map { duplicate in
            let places = duplicate.sources.map(\.description).joined(separator: ", ")
            return CompilerInput(
                key: duplicate.key, object: nil, problems: ["the object stands in several places: \(places)"],
                claimedHosts: Array(Set(duplicate.claimedHosts)).sorted(),
                generation: memory[duplicate.key]?.generation ?? 0,
                createdAt: memory[duplicate.key].map { Timestamp(microseconds: $0.firstSeen) } ?? .latest)
        }
        return sound + doubled
    }

    /// A file that cannot be read leaves what it held in force, and says so on each of those objects.
    private func note(
        fileProblems: [ManifestProblem], sources: [ObjectKey: ManifestSource],
        statuses: inout [ObjectKey: ObjectStatus]
    ) {
        let broken = fileProblems.filter { $0.severity == .error && $0.object == nil }
        guard !broken.isEmpty else { return }
        for key in statuses.keys {
            guard let problem = broken.first(where: { $0.file == sources[key]?.file }) else { continue }
            statuses[key]?.conditions.set(
                "FileReadable", .false, "FileUnreadable", "\(problem)")
        }
    }

    /// Logs each problem once, until it is gone.
    private func report(_ problems: [ManifestProblem]) {
        let texts = Set(problems.map(\.description))
        for problem in problems where !reported.contains(problem.description) {
            let level: Logger.Level = problem.severity == .error ? .error : .warning
            logger.log(level: level, "manifest problem", metadata: [LogKeys.reason: "\(problem)"])
        }
        reported = texts
    }

    private func log(_ status: ObjectStatus, of key: ObjectKey) {
        guard let ready = status.conditions["Ready"] else { return }
        logger.notice(
            "object status",
            metadata: [
                LogKeys.object: "\(key)", "ready": "\(ready.state.rawValue)", LogKeys.reason: "\(ready.reason)",
                LogKeys.detail: "\(ready.message)",
            ])
    }

    private func view(_ input: CompilerInput, source: ManifestSource?) -> ResourceView? {
        // Of the others only the ConfigMap of the policy data has a status.
        guard input.key.kind.isOwn || input.key == policyData?.key else { return nil }
        return ResourceView(input, status: book.statuses[input.key], source: source)
    }
}
