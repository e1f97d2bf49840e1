// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
internal import Synchronization

/// One series of a family: an instrument that can write its samples.
package protocol PrometheusSeries: AnyObject, Sendable {
    /// Writes the samples under that name and these labels.
    func write(name: String, labels: String, to text: inout PrometheusText)
}

/// Counts upwards in whole steps.
package final class PrometheusCounter: CounterHandler, PrometheusSeries {
    private let value = Atomic<Int64>(0)

    package func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    package func reset() { value.store(0, ordering: .relaxed) }
    package func write(name: String, labels: String, to text: inout PrometheusText) {
        text.sample(name, labels: labels, value: String(value.load(ordering: .relaxed)))
    }
}

/// Counts upwards in fractions.
package final class PrometheusFloatingPointCounter: FloatingPointCounterHandler, PrometheusSeries {
    private let value = Mutex(0.0)

    package func increment(by amount: Double) { value.withLock { $0 += amount } }
    package func reset() { value.withLock { $0 = 0 } }
    package func write(name: String, labels: String, to text: inout PrometheusText) {
        text.sample(name, labels: labels, value: PrometheusText.number(value.withLock { $0 }))
    }
}

/// Holds the present value of something.
package final class PrometheusGauge: MeterHandler, RecorderHandler, PrometheusSeries {
    private let value = Mutex(0.0)

    package func set(_ value: Int64) { self.value.withLock { $0 = Double(value) } }
    package func set(_ value: Double) { self.value.withLock { $0 = value } }
    package func increment(by amount: Double) { value.withLock { $0 += amount } }
    package func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    package func record(_ value: Int64) { set(value) }
    package func record(_ value: Double) { set(value) }
    package func write(name: String, labels: String, to text: inout PrometheusText) {
        text.sample(name, labels: labels, value: PrometheusText.number(value.withLock { $0 }))
    }
}

/// Sorts observations into fixed buckets. Durations come in nanoseconds and are shown in seconds.
package final class PrometheusHistogram: TimerHandler, RecorderHandler, PrometheusSeries {
    private struct Counts {
        var buckets: [Int64]
        var count: Int64 = 0
        var nanoseconds: Int64 = 0
    }

    private let bounds: PrometheusBuckets
    private let counts: Mutex<Counts>

    init(bounds: PrometheusBuckets) {
        self.bounds = bounds
        counts = Mutex(Counts(buckets: [Int64](repeating: 0, count: bounds.nanoseconds.count)))
    }

    package func recordNanoseconds(_ duration: Int64) {
        counts.withLock { counts in
            if let index = bounds.nanoseconds.firstIndex(where: { duration <= $0 }) { counts.buckets[index] += 1 }
            counts.count += 1
            counts.nanoseconds &+= max(0, duration)
        }
    }

    package func record(_ value: Int64) { record(Double(value)) }
    package func record(_ value: Double) {
        let nanoseconds = value * 1_000_000_000
        recordNanoseconds(nanoseconds.isFinite && abs(nanoseconds) < 9e18 ? Int64(nanoseconds) : 0)
    }

    package func write(name: String, labels: String, to text: inout PrometheusText) {
        let counts = counts.withLock { $0 }
        let lead = labels.isEmpty ? "" : labels + ","
        var sum: Int64 = 0
        for (index, bound) in bounds.texts.enumerated() {
            sum += counts.buckets[index]
            text.sample(name + "_bucket", labels: "\(lead)le=\"\(bound)\"", value: String(sum))
        }
        text.sample(name + "_bucket", labels: "\(lead)le=\"+Inf\"", value: String(counts.count))
        text.sample(
            name + "_sum", labels: labels, value: PrometheusText.number(Double(counts.nanoseconds) / 1_000_000_000))
        text.sample(name + "_count", labels: labels, value: String(counts.count))
    }
}
