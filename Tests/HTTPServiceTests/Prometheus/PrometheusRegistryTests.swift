// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
internal import Essentials
internal import HTTPService
internal import Testing

@Suite struct PrometheusRegistryTests {
    private func text(_ registry: PrometheusRegistry) -> String { String(decoding: registry.text(), as: UTF8.self) }

    @Test func writesCountersAndGauges() {
        let registry = PrometheusRegistry()
        let counter = Counter(
            label: "a_total", dimensions: [("door", "json"), ("code", "x\"y\\z\n")], factory: registry)
        counter.increment(by: 3)
        Counter(label: "a_total", dimensions: [("door", "json"), ("code", "x\"y\\z\n")], factory: registry).increment()
        Meter(label: "b", dimensions: [], factory: registry).set(2.5)
        #expect(
            text(registry) == """
                # TYPE a_total counter
                a_total{door="json",code="x\\"y\\\\z\\n"} 4
                # TYPE b gauge
                b 2.5

                """)
    }

    @Test func takesAwayWhatIsDestroyed() {
        let registry = PrometheusRegistry()
        let first = Gauge(label: "info", dimensions: [("revision", "a")], factory: registry)
        let second = Gauge(label: "info", dimensions: [("revision", "b")], factory: registry)
        first.record(1)
        second.record(1)
        first.destroy()
        #expect(text(registry) == "# TYPE info gauge\ninfo{revision=\"b\"} 1\n")
        second.destroy()
        second.destroy()
        Gauge(label: "info", dimensions: [("revision", "a")], factory: registry).record(2)
        #expect(text(registry) == "# TYPE info gauge\ninfo{revision=\"a\"} 2\n")
    }

    @Test func sortsTimesIntoBuckets() {
        let registry = PrometheusRegistry()
        let timer = Timer(label: "t_seconds", dimensions: [("d", "x")], factory: registry)
        for nanoseconds: Int64 in [10_000, 50_000, 60_000, 2_000_000_000] { timer.recordNanoseconds(nanoseconds) }
        let lines = text(registry).split(separator: "\n")
        #expect(lines.first == "# TYPE t_seconds histogram")
        #expect(lines.contains("t_seconds_bucket{d=\"x\",le=\"0.00005\"} 2"))
        #expect(lines.contains("t_seconds_bucket{d=\"x\",le=\"0.0001\"} 3"))
        #expect(lines.contains("t_seconds_bucket{d=\"x\",le=\"1\"} 3"))
        #expect(lines.contains("t_seconds_bucket{d=\"x\",le=\"+Inf\"} 4"))
        #expect(lines.contains("t_seconds_count{d=\"x\"} 4"))
        #expect(lines.contains("t_seconds_sum{d=\"x\"} 2.00012"))
    }

    @Test func boundsTheLabelSets() {
        let registry = PrometheusRegistry()
        for number in 0..<(PrometheusRegistry.seriesPerFamily + 50) {
            Counter(label: "n_total", dimensions: [("id", "\(number)")], factory: registry).increment()
        }
        let lines = text(registry).split(separator: "\n")
        #expect(lines.count == PrometheusRegistry.seriesPerFamily + 2)
        #expect(lines.contains("n_total{id=\"overflow\"} 50"))
    }

    @Test func reportsTheProcess() {
        let registry = PrometheusRegistry()
        ProcessMetrics.register(in: registry, startedAt: .init(seconds: 1_772_366_400))
        let text = text(registry)
        #expect(text.contains("process_start_time_seconds 1772366400"))
        #expect(text.contains("# TYPE process_cpu_seconds_total counter"))
        #if os(Linux)
            #expect(!text.contains("process_resident_memory_bytes 0\n"))
            #expect(!text.contains("process_open_fds 0\n"))
        #endif
    }
}
