// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ControllerRuntime
package import Essentials
package import Logging
package import Metrics
package import ResourceModel
internal import Synchronization

/// The own Deployment and its Pods, watched on every replica.
package final class OwnObjects: Sendable {
    private struct State {
        var info: SelfInfo
        /// The newest state that is known, from the watch or from a write of our own.
        var deployment: OwnDeployment?
        /// Its last state before it vanished.
        var vanished: OwnDeployment?
        var pods = ObjectCache<OwnPod>()
        var isFilled = false
        var histories: [String: RestartHistory] = [:]
    }

    private let api: any KubernetesAPI
    private let window: Duration
    private let clock: any WallClock
    private let time: any MonotonicClock
    private let random: any RandomSource
    private let logger: Logger
    private let metrics: any MetricsFactory
    private let state: Mutex<State>
    private let changes = Signal()
    /// Told when the Deployment was looked for the first time, and when it vanishes.
    package let attention = ChangeHook()

    /// - Parameters:
    ///   - info: what is known without asking.
    ///   - window: how far back restarts are remembered.
    package init(
        _ info: SelfInfo, api: any KubernetesAPI, window: Duration, clock: any WallClock,
        time: any MonotonicClock = SystemMonotonicClock(), random: any RandomSource, logger: Logger,
        metrics: any MetricsFactory
    ) {
        self.api = api
        self.window = window
        self.clock = clock
        self.time = time
        self.random = random
        self.logger = logger
        self.metrics = metrics
        state = Mutex(State(info: info))
    }

    package var info: SelfInfo { state.withLock(\.info) }

    /// As it is now; nil where there is none.
    package var deployment: OwnDeployment? { state.withLock(\.deployment) }

    /// Its last state, where it was there and is gone.
    package var vanished: OwnDeployment? { state.withLock { $0.deployment == nil ? $0.vanished : nil } }

    /// Whether the first look at the Deployment and, where there is one, at its pods is over.
    package var isFilled: Bool {
        state.withLock { $0.isFilled && ($0.deployment == nil || $0.pods.isFilled) }
    }

    /// The pods by name.
    package var pods: [OwnPod] {
        state.withLock(\.pods).all().map(\.value).sorted { $0.name < $1.name }
    }

    /// What was seen of the restarts of a pod.
    package func history(of pod: OwnPod) -> RestartHistory {
        state.withLock { $0.histories[pod.uid] } ?? RestartHistory()
    }

    /// A write of our own gave this state.
    package func note(_ document: JSONValue) {
        guard let deployment = OwnDeployment(document) else { return }
        state.withLock { Self.take(deployment, &$0) }
        changes.call()
    }

    /// Writes down how often the pods have been restarted by now; called at every interval.
    package func observe() {
        let now = clock.now()
        let pods = pods
        state.withLock { state in
            var histories: [String: RestartHistory] = [:]
            for pod in pods {
                var history = state.histories[pod.uid] ?? RestartHistory()
                history.observe(restarts: pod.restarts, at: now, window: window)
                histories[pod.uid] = history
            }
            state.histories = histories
        }
    }

    /// Asks who this is, as long as nobody said it and nothing was found.
    package func identify() async throws(KubernetesError) {
        let known = info
        guard known.deployment == nil else { return }
        let found = try await SelfInfoFinder(api: api).complete(known)
        guard found != known else { return }
        state.withLock { $0.info = found }
        changes.call()
    }

    /// Watches until it is cancelled.
    package func run() async {
        while !Task.isCancelled, info.deployment == nil { await changes.wait() }
        guard let name = info.deployment, !Task.isCancelled else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.watchDeployment(name) }
            group.addTask { await self.watchPods() }
        }
    }

    private func watchDeployment(_ name: String) async {
        let cache = ObjectCache<OwnDeployment>(namespace: info.namespace)
        cache.observe { [self] change in
            state.withLock { state in
                switch change {
                case .added(let object), .updated(_, let object): Self.take(object.value, &state)
                case .deleted(let object):
                    state.vanished = object.value
                    if state.deployment?.uid == object.value.uid { state.deployment = nil }
                case .filled: state.isFilled = true
                }
            }
            changes.call()
            switch change {
            case .deleted, .filled: attention.call()
            case .added, .updated: break
            }
        }
        await stream(
            ObjectSelection(.deployments, namespace: info.namespace, fieldSelector: "metadata.name=\(name)"), cache,
            decode: OwnDeployment.init
        ).run()
    }

    /// Follows the pods of the selector that the Deployment has.
    private func watchPods() async {
        while !Task.isCancelled {
            guard let selector = deployment?.selector else {
                await changes.wait()
                continue
            }
            let cache = ObjectCache<OwnPod>(namespace: info.namespace)
            state.withLock { $0.pods = cache }
            let stream = stream(
                ObjectSelection(.pods, namespace: info.namespace, labelSelector: selector), cache,
                decode: OwnPod.init)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await stream.run() }
                group.addTask {
                    // A Deployment that vanished leaves its pods, and they are still looked at.
                    while !Task.isCancelled, (self.deployment?.selector ?? selector) == selector {
                        await self.changes.wait()
                    }
                }
                await group.next()
                group.cancelAll()
            }
        }
    }

    private func stream<Value: Sendable>(
        _ selection: ObjectSelection, _ cache: ObjectCache<Value>, decode: @escaping @Sendable (JSONValue) -> Value?
    ) -> ResourceStream<Value> {
        ResourceStream(
            selection: selection, decode: decode, cache: cache, api: api, clock: clock, time: time, random: random,
            logger: logger, metricsFactory: metrics)
    }

    /// The later state wins: a watch may be behind a write.
    private static func take(_ deployment: OwnDeployment, _ state: inout State) {
        if let known = state.deployment, known.uid == deployment.uid,
            let old = UInt64(known.resourceVersion), let new = UInt64(deployment.resourceVersion), new < old
        {
            return
        }
        // One that was deleted is not there again because an answer about it came late.
        if let vanished = state.vanished, vanished.uid == deployment.uid { return }
        state.deployment = deployment
    }
}
