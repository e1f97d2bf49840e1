// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import MetricsTestKit
internal import Reconcilers
internal import Synchronization
internal import Testing

@Suite struct ToolKeyReportTests {
    @Test func tellsEachProblemOnceAndCountsThem() throws {
        let lines = LogLines()
        let metrics = TestMetrics()
        var report = ToolKeyReport(metrics: metrics, logger: Logger(label: "test") { _ in lines })
        let gauge = try metrics.expectGauge("tollgate_tool_key_problems")
        #expect(gauge.lastValue == 0 && lines.all.isEmpty)
        report.note(["a"])
        report.note(["a"])
        #expect(gauge.lastValue == 1 && lines.all == ["warning tool key problem a"])
        report.note(["a", "b"])
        #expect(gauge.lastValue == 2 && lines.all.last == "warning tool key problem b" && lines.all.count == 2)
        report.note([])
        #expect(gauge.lastValue == 0 && lines.all.last == "notice every trusted tool key is usable")
        report.note([])
        #expect(lines.all.count == 3)
    }

    /// Keeps what is logged.
    private final class LogLines: LogHandler {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock(\.self) }

        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        var logLevel: Logger.Level {
            get { .trace }
            set {}
        }
        subscript(metadataKey _: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }

        func log(event: LogEvent) {
            let reason = event.metadata?.values.map { " \($0)" }.joined() ?? ""
            lines.withLock { $0.append("\(event.level) \(event.message)\(reason)") }
        }
    }
}
