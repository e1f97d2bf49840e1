// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
package import ResourceModel
internal import Synchronization

/// Writes Events about objects, in the background and bounded: what cannot be written is left out, never waited for.
///
/// A hundred at once, then ten a second: thousands of objects that change at the same time leave the API server to the writes that matter,
/// and their Events are left out beyond a thousand, ordinary ones before warnings.
///
/// Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.32/#event-v1-events-k8s-io
package final class EventRecorder: Sendable {
    /// What an Event says about what happened.
    package enum Kind: String, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    private struct State {
        var waiting: [EventNote] = []
        var ledger = EventLedger()
        var isStopping = false
    }

    private static let controller = "tollgate.dev/controller"
    private static let capacity = 1000
    private static let burst = 100
    private static let pace = Duration.milliseconds(100)

    private let api: any KubernetesAPI
    private let instance: String
    private let clock: any WallClock
    private let time: any MonotonicClock
    private let random: any RandomSource
    private let logger: Logger
    private let redact: @Sendable (String) -> String
    private let state = Mutex(State())
    private let arrivals = Signal()

    /// - Parameters:
    ///   - instance: the own pod.
    ///   - redact: takes secrets out of notes.
    package init(
        api: any KubernetesAPI, instance: String, clock: any WallClock,
        time: any MonotonicClock = SystemMonotonicClock(), random: any RandomSource, logger: Logger,
        redact: @escaping @Sendable (String) -> String
    ) {
        self.api = api
        self.instance = String(decoding: instance.utf8.prefix(128), as: UTF8.self)
        self.clock = clock
        self.time = time
        self.random = random
        self.logger = logger
        self.redact = redact
    }

    /// Has an Event written; nothing is waited for.
    ///
    /// - Parameters:
    ///   - reason: CamelCase, at most 128 bytes.
    ///   - note: for people; at most 1 kB is kept.
    package func record(on object: InvolvedObject, type: Kind, reason: String, action: String, note: String) {
        let kept = BoundedText.cut(redact(note), bytes: 1000)
        let event = EventNote(object: object, type: type.rawValue, reason: reason, action: action, note: kept)
        let isFull = state.withLock { state in
            let isFull = state.waiting.count >= Self.capacity
            if isFull {
                guard type == .warning,
                    let ordinary = state.waiting.firstIndex(where: { $0.type == Kind.normal.rawValue })
                else { return true }
                state.waiting.remove(at: ordinary)
            }
            state.waiting.append(event)
            return isFull
        }
        if isFull { logger.debug("an event is left out: too many wait") }
        arrivals.call()
    }

    /// Writes what waits, until `stop`; what waits then is written first, without pauses.
    package func run() async {
        var paidUntil = time.now() - Self.pace * Self.burst
        while true {
            let (event, isStopping) = state.withLock { state in
                (state.waiting.isEmpty ? nil : state.waiting.removeFirst(), state.isStopping)
            }
            guard let event else {
                if isStopping || Task.isCancelled { return }
                await arrivals.wait()
                continue
            }
            guard await write(event) else { continue }
            paidUntil = max(paidUntil, time.now() - Self.pace * Self.burst) + Self.pace
            let wait = paidUntil - time.now()
            // A cancelled pause means that the rest is written at once.
            if wait > .zero, !isStopping { try? await time.pause(for: wait) }
        }
    }

    /// Makes `run` write what waits and return.
    package func stop() {
        state.withLock { $0.isStopping = true }
        arrivals.call()
    }

    /// - Returns: whether the API server was asked to take it.
    private func write(_ event: EventNote) async -> Bool {
        let now = time.now()
        let decision = state.withLock { $0.ledger.decide(event, at: now) }
        do throws(KubernetesError) {
            switch decision {
            case .drop: return false
            case .series(let name, let count):
                let reference = APIObjectReference(.events, namespace: event.object.namespace, name: name)
                let series: JSONValue = [
                    "series": ["count": .int(count), "lastObservedTime": .string(clock.now().rfc3339Micros)]
                ]
                do throws(KubernetesError) {
                    _ = try await api.patch(reference, subresource: nil, .merge(series))
                } catch  where error.code == .notFound {
                    // The server keeps Events for an hour or so.
                    try await create(event, at: now)
                }
            case .create: try await create(event, at: now)
            }
        } catch {
            logger.debug(
                "an event cannot be written",
                metadata: [LogKeys.object: "\(event.object.name)", LogKeys.error: "\(error)"])
        }
        return true
    }

    private func create(_ event: EventNote, at now: Duration) async throws(KubernetesError) {
        let suffix = random.text(16, from: "0123456789abcdef")
        let name = "\(event.object.name.prefix(230)).\(suffix)"
        let object = event.object
        let document: JSONValue = [
            "apiVersion": "events.k8s.io/v1", "kind": "Event",
            "metadata": ["name": .string(name), "namespace": .string(object.namespace)],
            "eventTime": .string(clock.now().rfc3339Micros), "reportingController": .string(Self.controller),
            "reportingInstance": .string(instance), "action": .string(event.action), "reason": .string(event.reason),
            "regarding": [
                "apiVersion": .string(object.resource.apiVersion), "kind": .string(object.resource.kind),
                "namespace": .string(object.namespace), "name": .string(object.name), "uid": .string(object.uid),
                "resourceVersion": .string(object.resourceVersion),
            ], "note": .string(event.note), "type": .string(event.type),
        ]
        _ = try await api.create(
            document, in: .events, namespace: object.namespace, name: nil, subresource: nil)
        state.withLock { $0.ledger.made(event, name: name, at: now) }
    }
}
