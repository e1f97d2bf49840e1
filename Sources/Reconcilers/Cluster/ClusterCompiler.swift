// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
package import Billing
package import ControllerRuntime
package import Essentials
package import Logging
package import Metrics
package import ResourceModel
package import RuntimeState
internal import Synchronization

/// The part of a cluster's control side that every replica does: compiles what the caches hold into a snapshot, and works out what status says.
///
/// A pass works out what a change can have moved; `lookAgain()` has every object compared with what is wanted.
package actor ClusterCompiler {
    /// What is fixed for the life of the process.
    package struct Parts: Sendable {
        package var caches: ClusterCaches
        /// How AuthConfigs are compiled; the namespaces' labels are added to its rules in each pass.
        package var compiler: SnapshotCompiler.Settings
        /// How ToolManifests are judged; the namespaces' labels are added here too.
        package var tools: ToolManifestCompiler
        package var plans: PlanBook
        package var policy: CompiledPolicy
        /// The ConfigMap of the policy data, and who puts it in force.
        package var policySource: ManifestPolicySource
        package var policyKeeper: PolicyKeeper
        package var snapshots: SnapshotStore
        package var keySets: RemoteKeySets
        /// ServiceTokens that need not be looked at without a change; nil = there are none.
        package var settled: SettledTokens?
        /// Where the ledger is handed what Subscriptions ask for; nil = there is no ledger.
        package var accounts: SubscriptionAccounts?

        package init(
            caches: ClusterCaches, compiler: SnapshotCompiler.Settings, tools: ToolManifestCompiler, plans: PlanBook,
            policy: CompiledPolicy, policySource: ManifestPolicySource, policyKeeper: PolicyKeeper,
            snapshots: SnapshotStore, keySets: RemoteKeySets, settled: SettledTokens? = nil,
            accounts: SubscriptionAccounts? = nil
        ) {
            self.accounts = accounts
            self.settled = settled
            self.caches = caches
            self.compiler = compiler
            self.tools = tools
            self.plans = plans
            self.policy = policy
            self.policySource = policySource
            self.policyKeeper = policyKeeper
            self.snapshots = snapshots
            self.keySets = keySets
        }
    }

    nonisolated let parts: Parts
    nonisolated let wanted = WantedStatuses()
    private nonisolated let pending = PendingChanges()
    private nonisolated let tokens = Mutex<TokenView>(TokenView())
    private nonisolated let conflicts = Mutex<[ObjectKey: [String]]>([:])
    private let wall: any WallClock
    private let clock: any MonotonicClock
    private let logger: Logger
    private let wake: AsyncStream<Void>.Continuation
    private let wakes: AsyncStream<Void>
    private let compiled: @Sendable ([ObjectKey], WorkPriority) -> Void
    private var book: AuthConfigBook
    private var output: SnapshotCompiler.Output
    private var accounts: AccountTable?
    private var claims: SecretClaims
    private var toolKeys: ToolKeyReport
    private var policyMap: ConfigMap?
    /// When time alone moves accounts, and the keys of tools; nil = never.
    private var accountsDueAt: Timestamp?
    private var toolsDueAt: Timestamp?

    /// What the reconciling of single ServiceTokens needs of all objects.
    struct TokenView: Sendable {
        var namespaces = NamespaceRules(platform: [], tenants: [:])
        /// Counts how often these were others.
        var namespacesVersion: UInt64 = 0
        var secretOwners: [String: ObjectKey] = [:]
    }

    /// - Parameters:
    ///   - clock: spaces the passes.
    ///   - compiled: told after each pass which objects the leader has to look at: those whose statuses say something else than what is wanted
    ///     now, tokens that may be touched, Secrets with tool keys that began to conflict, and what is being deleted.
    package init(
        _ parts: Parts, wall: any WallClock, clock: any MonotonicClock, logger: Logger, metrics: any MetricsFactory,
        compiled: @escaping @Sendable ([ObjectKey], WorkPriority) -> Void
    ) {
        self.parts = parts
        self.wall = wall
        self.clock = clock
        self.logger = logger
        self.compiled = compiled
        toolKeys = ToolKeyReport(metrics: metrics, logger: logger)
        book = AuthConfigBook(settings: parts.compiler)
        output = book.output()
        claims = SecretClaims(find: parts.caches.get)
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        parts.caches.observe { [pending, wake] key in
            // Nil: a cache is filled, or namespaces have changed, which is seen by comparing them.
            if let key { pending.note { $0.keys.insert(key) } }
            wake.yield()
        }
        // Of what changes beside that, the next look at everything takes note.
        parts.caches.observeAll { [pending] object in pending.note { $0.restated.insert(object.key.kind) } }
        parts.accounts?.changes.listen { [pending, wake] in
            pending.note { $0.accounts = true }
            wake.yield()
        }
    }

    /// Asks for a pass over every object; several wishes before it begins are one.
    package nonisolated func lookAgain() {
        pending.note { $0.isResync = true }
        wake.yield()
    }

    /// Which namespaces may say what, and which ServiceToken has which Secret, as of the last pass.
    nonisolated var tokenView: TokenView { tokens.withLock { $0 } }

    /// The ids of a Secret's tool keys that other keys have, too, as of the last pass.
    nonisolated func toolKeyConflicts(of secret: ObjectKey) -> [String]? { conflicts.withLock { $0[secret] } }

    /// Runs a pass at every change, until it is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [plans = parts.plans, pending, wake] in
                for await _ in plans.changes {
                    pending.note { $0.plans = true }
                    wake.yield()
                }
            }
            var followed: Set<RemoteKeySource> = []
            for await _ in wakes {
                if Task.isCancelled { break }
                let began = clock.now()
                await pass()
                if output.keySources != followed {
                    followed = output.keySources
                    // Another pass shows new key sets as soon as they are there.
                    group.addTask { [keySets = parts.keySets, pending, wake] in
                        await keySets.waitForFirstSets(atMost: .seconds(10))
                        pending.note { $0.keySets = true }
                        wake.yield()
                    }
                }
                // The next pass takes all that changes meanwhile: passes get a quarter of a core at the most, decisions the rest.
                let pause = min((clock.now() - began) * 3, .milliseconds(100))
                do { try await clock.pause(for: pause) } catch { break }
            }
            group.cancelAll()
        }
    }

    /// One pass. Nothing happens before all caches are filled: half a cluster would open or close what it should not.
    package func pass() async {
        guard parts.caches.isFilled else { return }
        await followPolicy()
        let now = wall.now()
        var changes = pending.take()
        let namespaces = parts.compiler.namespaces.with(labels: parts.caches.tenants)
        if namespaces != book.namespaces {
            changes.isWhole = true
            changes.isResync = true
        }

        let authConfigs = authConfigStatuses(changes, namespaces: namespaces)
        let accountsBefore = accounts
        let subscriptions = subscriptionStatuses(changes, namespaces: namespaces, now: now)
        let told = conflicts.withLock { $0 }
        let tools = toolStatuses(changes, namespaces: namespaces, now: now)
        var stale = touched(changes, namespaces: namespaces)
        var generation = parts.snapshots.current()?.generation ?? 0
        // A look at everything shows that the snapshot is not old, though it be the same.
        if authConfigs != nil || accounts != accountsBefore || changes.isResync, let accounts {
            let snapshot = parts.snapshots.publish { [output, parts] generation in
                RuntimeSnapshot(
                    generation: generation, builtAt: now, hosts: output.hosts, authConfigs: output.authConfigs,
                    policy: parts.policy, ownRealm: output.ownRealm, accounts: accounts, resources: [])
            }
            generation = snapshot.generation
            logger.debug(
                "snapshot published",
                metadata: [LogKeys.generation: "\(generation)", "authConfigs": "\(output.authConfigs.count)"])
        }
        stale += conflicts.withLock { $0.filter { told[$0.key] != $0.value }.map(\.key) }
        for (kind, said) in [
            (ResourceKind.authConfig, authConfigs), (.subscription, subscriptions), (.toolManifest, tools),
        ] where said != nil || changes.isResync {
            stale += wanted.take(
                said ?? Said(), of: kind,
                WantedStatuses.Look(
                    find: parts.caches.get, snapshot: generation, isResync: changes.isResync,
                    mayDiffer: changes.mayDiffer(kind), now: now))
        }
        if subscriptions != nil || changes.isResync {
            stale += parts.accounts?.needingLook(isResync: changes.isResync) ?? []
        }
        if !stale.isEmpty { compiled(stale, changes.isResync ? .resync : .change) }
    }

    // MARK: The kinds

    private typealias Said = WantedStatuses.Said

    /// The statuses of AuthConfigs that may have moved; nil where nothing can have moved any.
    private func authConfigStatuses(_ changes: ClusterChanges, namespaces: NamespaceRules) -> Said? {
        if changes.isWhole {
            var settings = parts.compiler
            settings.namespaces = namespaces
            book = AuthConfigBook(settings: settings)
            let keys = [ResourceKind.authConfig, .secret, .configMap].flatMap { parts.caches.all($0).map(\.key) }
            book.update(Set(keys), find: find)
            output = book.output()
        } else if book.update(changes.keys, find: find) {
            output = book.output()
        } else if !changes.keySets, !changes.plans, !changes.isResync {
            return nil
        }
        parts.keySets.use(output.keySources)
        var unsaid = book.takeUnsaid()
        // Key sets come and go by themselves.
        if changes.keySets || changes.isResync { unsaid.formUnion(output.keySourcesByObject.keys) }
        if changes.plans || changes.isResync { unsaid.formUnion(book.requiringPlans) }
        var said = Said(generation: { [book] in book.generation(of: $0) })
        var sources: [ObjectKey: Set<RemoteKeySource>] = [:]
        var required: [ObjectKey: Set<String>] = [:]
        for key in unsaid {
            said.statuses[key] = book.status(of: key)
            sources[key] = output.keySourcesByObject[key]
            required[key] = book.requiredPlans(of: key)
        }
        KeyAvailability.note(sources, sets: parts.keySets, statuses: &said.statuses)
        PlanRequirements.note(required, catalogue: parts.plans.catalogue, statuses: &said.statuses)
        said.gone = changes.isWhole ? nil : unsaid.subtracting(said.statuses.keys)
        return said
    }

    /// The statuses of Subscriptions; nil where nothing can have moved them.
    private func subscriptionStatuses(_ changes: ClusterChanges, namespaces: NamespaceRules, now: Timestamp) -> Said? {
        let isDue = changes.isResync && (accountsDueAt.map { $0 <= now } ?? false)
        let mayHaveMoved = changes.has(.subscription) || changes.mayDiffer(.subscription)
        guard changes.isWhole || changes.plans || changes.accounts || mayHaveMoved || isDue else { return nil }
        let objects = present(.subscription)
        let compiler = SubscriptionCompiler(plans: parts.plans, namespaces: namespaces, accounts: parts.accounts)
        let result = compiler.compile(
            objects.values.map(\.input), earlier: earlier(objects, now: now), now: now)
        compiler.want(result.orders)
        accounts = result.accounts
        accountsDueAt = result.dueAt
        return Said(statuses: result.statuses, gone: nil) { objects[$0]?.generation }
    }

    /// The statuses of ToolManifests; nil where nothing can have moved them.
    private func toolStatuses(_ changes: ClusterChanges, namespaces: NamespaceRules, now: Timestamp) -> Said? {
        var compiler = parts.tools
        let mayHoldKeys = changes.keys.contains {
            $0.kind == .secret && $0.namespace == compiler.settings.ownNamespace
        }
        let isDue =
            changes.isResync && ((toolsDueAt.map { $0 <= now } ?? false) || compiler.executablesHaveChanged())
        guard
            changes.isWhole || mayHoldKeys || changes.has(.toolManifest) || changes.mayDiffer(.toolManifest) || isDue
        else { return nil }
        compiler.settings.namespaces = namespaces
        let objects = present(.toolManifest)
        let secrets = present(.secret).values.filter { $0.key.namespace == compiler.settings.ownNamespace }
        let result = compiler.compile(
            (objects.values + secrets).map(\.input), earlier: earlier(objects, now: now), now: now)
        toolKeys.note(result.problems)
        conflicts.withLock { $0 = result.conflicts }
        toolsDueAt = result.dueAt
        return Said(statuses: result.statuses, gone: nil) { objects[$0]?.generation }
    }

    /// The tokens that may be touched, and everything whose finalizer is to be written.
    private func touched(_ changes: ClusterChanges, namespaces: NamespaceRules) -> [ObjectKey] {
        var unfinished: [ObjectKey] = []
        var touched: Set<ObjectKey> = []
        func look(at object: ClusterObject) {
            let hasFinalizer = object.finalizers.contains(ClusterWriter.finalizer)
            let isUnfinished =
                object.isDeleting ? hasFinalizer : object.key.kind == .subscription && !hasFinalizer
            if isUnfinished { unfinished.append(object.key) }
        }
        var keys = changes.keys
        if changes.isWhole {
            claims = SecretClaims(find: parts.caches.get)
            parts.caches.each(.serviceToken) { keys.insert($0.key) }
        }
        if changes.isResync {
            for kind in ResourceKind.own { parts.caches.each(kind, look) }
        } else {
            for key in changes.keys { parts.caches.get(key).map(look) }
        }
        for key in keys {
            switch key.kind {
            case .serviceToken:
                let object = parts.caches.get(key).flatMap { $0.isDeleting ? nil : $0 }
                if object != nil { touched.insert(key) }
                touched.formUnion(claims.update(key, to: object))
            case .secret: touched.formUnion(claims.update(secret: key))
            default: break
            }
        }
        tokens.withLock { [claims] view in
            if view.namespaces != namespaces {
                view.namespaces = namespaces
                view.namespacesVersion += 1
            }
            view.secretOwners = claims.owners
        }
        if changes.isResync { touched.formUnion(unsettled()) }
        return unfinished + touched
    }

    /// The tokens that are not known to be as they should.
    private func unsettled() -> [ObjectKey] {
        var live: [ObjectKey] = []
        parts.caches.each(.serviceToken) { if !$0.isDeleting { live.append($0.key) } }
        guard let settled = parts.settled else { return live }
        let view = tokenView
        return live.filter { !settled.isSettled($0, view: view) }
    }

    // MARK: Sources

    /// What was said of objects before: what is stored, or what is about to be.
    private func earlier(_ objects: [ObjectKey: ClusterObject], now: Timestamp) -> [ObjectKey: JSONValue] {
        objects.mapValues { object in
            if let status = object.status, status["observedGeneration"]?.intValue == object.generation { return status }
            guard let wanted = wanted[object.key], wanted.generation == object.generation else {
                return object.status ?? .null
            }
            return wanted.document(previous: object.status, now: now)
        }
    }

    private nonisolated func find(_ key: ObjectKey) -> CompilerInput? {
        guard let object = parts.caches.get(key), !object.isDeleting else { return nil }
        return object.input
    }

    private func present(_ kind: ResourceKind) -> [ObjectKey: ClusterObject] {
        Dictionary(parts.caches.all(kind).filter { !$0.isDeleting }.map { ($0.key, $0) }) { first, _ in first }
    }

    private func followPolicy() async {
        var map: ConfigMap?
        if let object = parts.caches.get(parts.policySource.key), !object.isDeleting,
            case .configMap(let found)? = object.object
        {
            map = found
        }
        guard map?.data != policyMap?.data || map?.binaryData != policyMap?.binaryData else { return }
        policyMap = map
        parts.policySource.take(map)
        await parts.policyKeeper.refresh()
    }
}
