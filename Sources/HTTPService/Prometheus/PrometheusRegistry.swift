// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import CoreMetrics
internal import Synchronization

/// Holds every instrument of the process and writes them as Prometheus text (exposition format 0.0.4).
///
/// Label sets are bounded: a family takes at most `seriesPerFamily` of them, what comes later is counted together in one series whose label
/// values are all `overflow`. Timers become histograms in seconds with the buckets of `PrometheusBuckets`.
package final class PrometheusRegistry: MetricsFactory {
    /// The largest number of label sets a family may have.
    package static let seriesPerFamily = 1000

    private struct Family {
        var kind: PrometheusKind
        var series: [String: any PrometheusSeries] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var collectors: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    /// An empty registry.
    package init() {}

    /// Adds a function that sets gauges just before the text is written.
    package func onScrape(_ collect: @escaping @Sendable () -> Void) {
        state.withLock { $0.collectors.append(collect) }
    }

    /// The whole exposition text.
    package func text() -> [UInt8] {
        let collectors = state.withLock { $0.collectors }
        for collect in collectors { collect() }
        var text = PrometheusText()
        state.withLock { state in
            for (name, family) in state.families.sorted(by: { $0.key < $1.key }) {
                text.family(name, kind: family.kind)
                for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                    series.write(name: name, labels: labels, to: &text)
                }
            }
        }
        return text.bytes
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, .counter, dimensions, make: { PrometheusCounter() })
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, .counter, dimensions, make: { PrometheusFloatingPointCounter() })
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, .gauge, dimensions, make: { PrometheusGauge() })
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return series(label, .gauge, dimensions, make: { PrometheusGauge() }) }
        return histogram(label, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions)
    }

    /// The counter of the answers of a route, the same one for the same pattern.
    func routeCounter(_ pattern: String) -> HTTPRouteCounter {
        series("tollgate_http_requests_total", .counter, [("route", pattern)], make: { HTTPRouteCounter() })
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> PrometheusHistogram {
        let bounds = PrometheusBuckets.of(PrometheusText.metricName(label))
        return series(label, .histogram, dimensions, make: { PrometheusHistogram(bounds: bounds) })
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    /// Takes the series away; its family stays. Whoever destroys an instrument is the only one who has it.
    private func remove(_ handler: AnyObject) {
        state.withLock { state in
            for name in state.families.keys {
                guard let labels = state.families[name]?.series.first(where: { $0.value === handler })?.key else {
                    continue
                }
                state.families[name]?.series[labels] = nil
                return
            }
        }
    }

    /// Finds or makes a series. A name that is asked for as two kinds keeps the first; the second one is counted but not shown.
    private func series<Series: PrometheusSeries>(
        _ label: String, _ kind: PrometheusKind, _ dimensions: [(String, String)], make: () -> Series
    ) -> Series {
        let name = PrometheusText.metricName(label)
        let labels = PrometheusText.labels(dimensions)
        return state.withLock { state in
            var family = state.families[name] ?? Family(kind: kind)
            if let known = family.series[labels] { return known as? Series ?? make() }
            guard family.kind == kind else { return make() }
            var key = labels
            if family.series.count >= Self.seriesPerFamily {
                key = PrometheusText.labels(dimensions.map { ($0.0, "overflow") })
                if let overflow = family.series[key] as? Series { return overflow }
            }
            let new = make()
            family.series[key] = new
            state.families[name] = family
            return new
        }
    }
}
