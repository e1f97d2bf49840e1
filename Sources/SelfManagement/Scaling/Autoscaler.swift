// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Measures the load of the own replicas, and says how many there should be.
final class Autoscaler: Sendable {
    private struct State {
        var samples = LoadSamples()
        var calculation = AutoscaleCalculation()
        /// The number of replicas that was there, or asked for, last.
        var expected: Int?
        /// When somebody else last changed it.
        var changedAt: Timestamp?
    }

    /// How long a change by somebody else holds.
    private static let respect = Duration.seconds(600)

    private let settings: AutoscaleSettings
    private let bounds: ScaleRequest.Bounds
    private let read: @Sendable (OwnPod) async -> String?
    private let state = Mutex(State())

    /// - Parameter read: the metrics of a replica as text; nil when it does not give them.
    init(
        _ settings: AutoscaleSettings, bounds: ScaleRequest.Bounds, read: @escaping @Sendable (OwnPod) async -> String?
    ) {
        self.settings = settings
        self.bounds = bounds
        self.read = read
    }

    /// How many replicas there should be; nil to leave it as it is.
    ///
    /// - Parameters:
    ///   - isLeftAlone: whether an autoscaler of the cluster decides.
    ///   - scaledAt: when somebody last asked for a number.
    func look(
        _ deployment: OwnDeployment, pods: [OwnPod], isLeftAlone: Bool, scaledAt: Timestamp?, clock: any WallClock
    ) async -> Int? {
        let readings = await readings(of: pods.filter { $0.isReady && $0.deletionAt == nil })
        let now = clock.now()
        return state.withLock { state in
            for (pod, value) in readings { state.samples.add(value, of: pod.uid, at: now) }
            state.samples.keep(Set(pods.map(\.uid)))
            if let expected = state.expected, expected != deployment.replicas { state.changedAt = now }
            state.expected = deployment.replicas
            let isRespected = [scaledAt, state.changedAt].contains { $0.map { now.since($0) < Self.respect } ?? false }
            guard !isLeftAlone, !isRespected else {
                state.calculation.forget()
                return nil
            }
            let measured = readings.compactMap { load(of: $0.pod, state.samples.rate(of: $0.pod.uid, at: now)) }
            guard !measured.isEmpty else {
                state.calculation.forget()
                return nil
            }
            let wanted = AutoscaleCalculation.wanted(
                replicas: deployment.replicas, measured: measured, target: settings.target)
            let next = state.calculation.next(
                wanted: wanted, replicas: deployment.replicas, minimum: bounds.minimum,
                maximum: bounds.hasSharedStore ? bounds.maximum : 1, at: now)
            return next == deployment.replicas ? nil : next
        }
    }

    /// It was done.
    func changed(_ outcome: ScaleOutcome, at now: Timestamp) {
        state.withLock { state in
            state.expected = outcome.after
            state.calculation.changed(by: outcome.after - outcome.before, at: now)
        }
    }

    /// Another leads now: what was seen says nothing any more.
    func forget() { state.withLock { $0 = State() } }

    private func load(of pod: OwnPod, _ rate: Double?) -> Double? {
        guard let rate else { return nil }
        switch settings.measure {
        case .requests: return rate
        case .processor:
            // Without a request there is nothing that it could be a part of.
            guard let millis = pod.processorMillis, millis > 0 else { return nil }
            return rate * 100_000 / Double(millis)
        }
    }

    private func readings(of pods: [OwnPod]) async -> [(pod: OwnPod, value: Double)] {
        await withTaskGroup(of: (OwnPod, Double)?.self) { group in
            for pod in pods {
                group.addTask { [read, settings] in
                    guard let text = await read(pod) else { return nil }
                    return Self.counter(text, settings.measure).map { (pod, $0) }
                }
            }
            var found: [(pod: OwnPod, value: Double)] = []
            for await reading in group { if let reading { found.append(reading) } }
            return found
        }
    }

    private static func counter(_ text: String, _ measure: AutoscaleSettings.Measure) -> Double? {
        switch measure {
        case .requests: return ExpositionText.sum(of: "tollgate_http_requests_total", in: text)
        case .processor: return ExpositionText.sum(of: "process_cpu_seconds_total", in: text)
        }
    }
}
