// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Connectors
internal import Essentials
internal import Logging
internal import Metrics
internal import RuntimeState
internal import Synchronization

/// Hands the uses of credentials to the operator: a bounded queue, each report sent until it is taken, and counted once however often it is sent.
final class UpstreamUsage: Sendable {
    /// Reports that wait at most; while there are as many, the counts stay with their credentials.
    static let capacity = 64
    /// Credentials in one report.
    static let reportSize = 500

    private struct Report {
        let key: String
        let bytes: [UInt8]
    }

    private let client: any UpstreamCalling
    private let clock: any WallClock
    private let time: any MonotonicClock
    private let logger: Logger
    private let queue = Mutex<[Report]>([])
    private let depth: Gauge

    init(
        client: any UpstreamCalling, clock: any WallClock, time: any MonotonicClock, logger: Logger,
        metricsFactory: any MetricsFactory
    ) {
        self.client = client
        self.clock = clock
        self.time = time
        self.logger = logger
        depth = Gauge(label: "tollgate_upstream_queue_depth", factory: metricsFactory)
        depth.record(0)
    }

    /// How many reports wait.
    var waiting: Int { queue.withLock(\.count) }

    /// - Returns: whether all of them were taken into the queue.
    func hand(
        tokenUses: [CredentialUse] = [], keyUses: [CredentialUse] = [], keyUsage: [APIKeyUsageRow] = []
    ) async -> Bool {
        let reports =
            Self.cut(tokenUses).map { SidecarRecords(tokenUses: $0) }
            + Self.cut(keyUses).map { SidecarRecords(keyUses: $0) }
            + Self.cut(keyUsage).map { SidecarRecords(keyUsage: $0) }
        let now = clock.now()
        let made = reports.map { Report(key: UUIDv7.make(at: now), bytes: $0.encoded()) }
        let isTaken = queue.withLock { queue in
            guard queue.count + made.count <= Self.capacity else { return false }
            queue += made
            return true
        }
        depth.record(Int64(waiting))
        return isTaken
    }

    /// Sends what waits, every few seconds, until it is cancelled; then once more what there still is.
    func run() async {
        while !Task.isCancelled {
            await send()
            do { try await time.pause(for: .seconds(5)) } catch { break }
        }
    }

    /// Sends what waits, in order, until one is not taken.
    func send() async {
        while let report = queue.withLock(\.first) {
            do throws(UpstreamError) {
                try await client.report(report.bytes, key: report.key)
            } catch {
                logger.debug("uses were not handed on", metadata: [LogKeys.error: "\(error)"])
                // What was refused as it is will be refused again: only what may pass later is kept.
                guard error.status == 400 || error.status == 413 || error.status == 422 else { return }
            }
            queue.withLock { queue in
                if queue.first?.key == report.key { queue.removeFirst() }
            }
            depth.record(Int64(waiting))
        }
    }

    private static func cut<Element>(_ elements: [Element]) -> [[Element]] {
        stride(from: 0, to: elements.count, by: reportSize).map {
            Array(elements[$0..<min($0 + reportSize, elements.count)])
        }
    }
}
