// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Metrics

/// What the trail counts. Every instrument exists from the start, at zero.
package struct AuditMetrics: Sendable {
    private let entries: [AuditDraft.Outcome: Counter]
    let writeSeconds: Timer
    let healingWriteSeconds: Timer
    let queueDepth: Gauge
    let lost: Counter
    let corruption: Counter
    let segmentBytes: Gauge
    let indexLagSeconds: Gauge
    let volumeUsed: Gauge

    package init(factory: any MetricsFactory) {
        var entries: [AuditDraft.Outcome: Counter] = [:]
        for outcome in AuditDraft.Outcome.allCases {
            entries[outcome] = Counter(
                label: "tollgate_audit_entries_total", dimensions: [("outcome", outcome.rawValue)], factory: factory)
        }
        self.entries = entries
        writeSeconds = Timer(
            label: "tollgate_audit_write_seconds", dimensions: [], preferredDisplayUnit: .seconds, factory: factory)
        healingWriteSeconds = Timer(
            label: "autoheal_audit_write_seconds", dimensions: [], preferredDisplayUnit: .seconds, factory: factory)
        queueDepth = Gauge(label: "tollgate_audit_queue_depth", factory: factory)
        lost = Counter(label: "tollgate_audit_lost_total", factory: factory)
        corruption = Counter(label: "tollgate_audit_corruption_total", factory: factory)
        segmentBytes = Gauge(label: "tollgate_audit_segment_bytes", factory: factory)
        indexLagSeconds = Gauge(label: "tollgate_audit_index_lag_seconds", factory: factory)
        volumeUsed = Gauge(label: "tollgate_audit_volume_used_ratio", factory: factory)
        for counter in entries.values { counter.increment(by: 0) }
        lost.increment(by: 0)
        corruption.increment(by: 0)
        queueDepth.record(0)
        segmentBytes.record(0)
        indexLagSeconds.record(0)
        volumeUsed.record(0)
    }

    func written(_ outcome: AuditDraft.Outcome, count: Int) { entries[outcome]?.increment(by: count) }

    func waited(microseconds: Int64) {
        writeSeconds.recordNanoseconds(max(0, microseconds) * 1000)
        healingWriteSeconds.recordNanoseconds(max(0, microseconds) * 1000)
    }
}
