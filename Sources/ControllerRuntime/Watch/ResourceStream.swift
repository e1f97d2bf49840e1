// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
package import Metrics
package import ResourceModel
internal import Synchronization

/// How a stream stands.
package enum StreamState: Sendable, Equatable {
    /// No list was complete yet.
    case starting
    /// The cache is what the server has.
    case synced
    /// The cache may be old.
    case degraded(reason: String, since: Timestamp)

    package var isSynced: Bool { self == .synced }
}

/// Keeps one cache like what an API server has, for ever: list, watch, and whatever goes wrong with either.
package final class ResourceStream<Value: Sendable>: Sendable {
    private struct Standing {
        var fault: (reason: String, since: Timestamp)?
        /// When the present watch began.
        var watchingSince: Duration?
    }

    /// How long no byte may come before the objects of a streaming list are complete.
    private static var streamingListIdle: Duration { .seconds(10) }
    /// How long a watch that began after a fault has to stand until it counts as good without a word.
    private static var settling: Duration { .seconds(5) }

    private let selection: ObjectSelection
    private let decode: @Sendable (JSONValue) -> Value?
    private let cache: ObjectCache<Value>
    private let gate: ListGate?
    private let api: any KubernetesAPI
    private let clock: any WallClock
    private let time: any MonotonicClock
    private let random: any RandomSource
    private let logger: Logger
    private let metrics: WatchMetrics
    private let standing = Mutex(Standing())

    /// - Parameters:
    ///   - decode: nil leaves an object out.
    ///   - gate: shared by streams that shall not all list at once.
    package init(
        selection: ObjectSelection, decode: @escaping @Sendable (JSONValue) -> Value?, cache: ObjectCache<Value>,
        gate: ListGate? = nil, api: any KubernetesAPI, clock: any WallClock,
        time: any MonotonicClock = SystemMonotonicClock(),
        random: any RandomSource, logger: Logger, metricsFactory: any MetricsFactory
    ) {
        self.selection = selection
        self.decode = decode
        self.cache = cache
        self.gate = gate
        self.api = api
        self.clock = clock
        self.time = time
        self.random = random
        self.logger = logger
        metrics = WatchMetrics(kind: selection.resource.kind, factory: metricsFactory)
    }

    /// How it stands.
    package var state: StreamState {
        let isFilled = cache.isFilled
        return standing.withLock { standing in
            if let fault = standing.fault {
                let isSettled = standing.watchingSince.map { time.now() - $0 >= Self.settling } ?? false
                if !isSettled { return .degraded(reason: fault.reason, since: fault.since) }
            }
            return isFilled ? .synced : .starting
        }
    }

    /// Lists and watches until it is cancelled.
    package func run() async {
        var machine = WatchMachine()
        while !Task.isCancelled {
            let step = machine.step()
            let outcome: WatchMachine.Outcome
            switch step {
            case .pause(let pause):
                // A cancelled pause ends the loop at its condition.
                try? await time.pause(for: pause)
                continue
            case .list, .streamingList:
                let hasTurn = await gate?.enter() ?? false
                outcome = step == .list ? await list() : await watch(from: nil, &machine)
                if hasTurn { gate?.leave() }
            case .watch(let version): outcome = await watch(from: version, &machine)
            }
            guard !Task.isCancelled else { return }
            settle(machine.ended(outcome, at: time.now(), draw: random.fraction()), after: step)
        }
    }

    private func settle(_ fault: WatchMachine.Fault?, after step: WatchMachine.Step) {
        guard let fault else {
            if step == .list { heard() }
            return
        }
        metrics.restarted(fault.reason)
        logger.log(
            level: fault.reason == "idle" || fault.reason == "expired" ? .info : .warning, "watch interrupted",
            metadata: [
                "kind": "\(selection.resource.plural)", "namespace": "\(selection.namespace ?? "*")",
                LogKeys.reason: "\(fault.reason)", LogKeys.detail: "\(fault.message)",
            ])
        let now = clock.now()
        standing.withLock { standing in
            standing.watchingSince = nil
            standing.fault = ("\(fault.reason): \(fault.message)", standing.fault?.since ?? now)
        }
    }

    /// The server spoke: the cache is good.
    private func heard() { standing.withLock { $0.fault = nil } }

    private func list() async -> WatchMachine.Outcome {
        cache.beginReplacement()
        var query = ListQuery(selection)
        do throws(KubernetesError) {
            while true {
                let page = try await api.list(query) { document in
                    if let object = CachedObject(document, decode: decode) { cache.stage(object) }
                }
                guard let token = page.continueToken, !token.isEmpty else {
                    cache.commitReplacement()
                    return .listed(version: page.resourceVersion)
                }
                query.continueToken = token
            }
        } catch {
            return .failed(error)
        }
    }

    /// Follows changes; from nil it lists: the present objects come as events, up to a bookmark.
    private func watch(from version: String?, _ machine: inout WatchMachine) async -> WatchMachine.Outcome {
        let isList = version == nil
        if isList { cache.beginReplacement() }
        let seconds = 300 + Int(random.fraction() * 301)
        let query = WatchQuery(
            selection, resourceVersion: version, timeoutSeconds: seconds,
            idleTimeout: isList ? Self.streamingListIdle : .seconds(seconds + 5), sendsInitialEvents: isList)
        let began = time.now()
        standing.withLock { $0.watchingSince = isList ? nil : began }
        var follower = Follower(isListing: isList)
        do throws(KubernetesError) {
            try await api.watch(query) { event in
                let step = take(event, &follower)
                if let seen = follower.seen { machine.saw(version: seen) }
                return step
            }
        } catch {
            return .failed(error)
        }
        if let error = follower.error { return .failed(error) }
        guard isList else { return .ended }
        guard let listed = follower.listed else {
            return .failed(KubernetesError(.malformedAnswer, message: "the watch ended before the list was complete"))
        }
        return .listed(version: listed)
    }

    /// What is kept while one watch runs.
    private struct Follower {
        /// The present objects are still coming.
        let isListing: Bool
        /// Where the list was complete.
        var listed: String?
        /// The version from which a watch would go on.
        var seen: String?
        var error: KubernetesError?
    }

    private func take(_ event: WatchEvent, _ follower: inout Follower) -> WatchStep {
        switch event {
        case .error(let error):
            follower.error = error
            return .stop
        case .bookmark(let version, let endsInitialEvents):
            heard()
            guard follower.isListing else {
                follower.seen = version
                return .goOn
            }
            guard endsInitialEvents else { return .goOn }
            cache.commitReplacement()
            follower.listed = version
            // What follows is an ordinary watch.
            return .stop
        case .added(let document), .modified(let document):
            heard()
            guard let object = CachedObject(document, decode: decode) else { return .goOn }
            if follower.isListing {
                cache.stage(object)
            } else {
                cache.put(object)
                follower.seen = object.resourceVersion
            }
        case .deleted(let document):
            heard()
            guard let object = CachedObject(document, decode: decode) else { return .goOn }
            if follower.isListing {
                cache.unstage(object.name)
            } else {
                cache.remove(object)
                follower.seen = object.resourceVersion
            }
        }
        return .goOn
    }
}
