// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Foundation
internal import Logging
internal import Metrics
internal import Synchronization
internal import TestSupport

/// What the audit trail costs: appending with a sync, boolean queries and verification. Prints a Markdown table.
struct AuditBenchmarks {
    private static let segmentEntries = 20_000

    let effort: Measurement.Effort

    func run() async throws {
        print("| measurement | p50 | p95 | highest | rate |")
        print("| --- | --- | --- | --- | --- |")
        let folder = try TemporaryDirectory()
        let seconds = max(2, 10 * effort.percent / 100)
        try await append(
            "append, queued class, 2,000 a second: queued to synced", "\(folder.path)/queued", seconds: seconds
        ) { _ = $0.acceptNow($1) }
        try await append(
            "append, durable class, 2,000 a second: asked to synced", "\(folder.path)/durable", seconds: seconds
        ) { try await $0.record($1) }
        try await groupCommit("\(folder.path)/group", seconds: seconds)
        try queries()
        try verify("\(folder.path)/verify")
    }

    // MARK: Appending

    private func trail(_ directory: String, latencies: Latencies) -> AuditLog {
        let settings = AuditSettings(directory: directory, writer: "bench")
        return AuditLog(
            settings: settings, index: nil, clock: SystemWallClock(), random: SeededRandom(seed: 1),
            logger: Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() }), metricsFactory: latencies)
    }

    private static func draft(_ number: Int) -> AuditDraft {
        AuditDraft(
            actor: "service-account-\(number % 50)", action: "tool.execute", resource: "tools/\(number % 300)",
            outcome: number % 9 == 0 ? .denied : .success,
            metadata: [
                "method": "POST", "route": "/v1/tools/{id}/execute", "status": .int(number % 9 == 0 ? 403 : 200),
                "duration_ms": .int(Int64(number % 1000)), "auth_source": "service_token", "token_id": "ci-deploy",
                "user_agent": "tollgate-bench/1.0",
            ], ip: "10.0.\(number % 200).7", tenant: "acme", requestID: "019c4690-7c7b-70a1-8b2c-0123456789ab")
    }

    /// 20 entries every 10 ms; the trail's own instrument says how long each took.
    private func append(
        _ name: String, _ directory: String, seconds: Int,
        _ accept: @escaping @Sendable (AuditLog, AuditDraft) async throws -> Void
    ) async throws {
        let latencies = Latencies()
        let trail = trail(directory, latencies: latencies)
        try trail.open()
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for tick in 0..<seconds * 100 {
                try await ContinuousClock().sleep(until: start + .milliseconds(10 * tick))
                for number in 0..<20 {
                    let draft = Self.draft(tick * 20 + number)
                    group.addTask { try await accept(trail, draft) }
                }
                while tick % 10 == 9, try await group.next() != nil {}
            }
            try await group.waitForAll()
        }
        let rate = Double(seconds * 2000) / Self.seconds(since: start)
        await trail.close()
        row(name, latencies, "\(Int(rate)) entries/s")
    }

    /// As many durable entries as 256 callers get synced.
    private func groupCommit(_ directory: String, seconds: Int) async throws {
        let latencies = Latencies()
        let trail = trail(directory, latencies: latencies)
        try trail.open()
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<256 {
                group.addTask {
                    var made = 0
                    while ContinuousClock.now < end {
                        try await trail.record(Self.draft(caller + made * 256))
                        made += 1
                    }
                    return made
                }
            }
            return try await group.reduce(0, +)
        }
        let rate = Double(count) / Self.seconds(since: start)
        await trail.close()
        row("append, durable class, 256 callers at once: asked to synced", latencies, "\(Int(rate)) entries/s")
    }

    private func row(_ name: String, _ latencies: Latencies, _ rate: String) {
        let sorted = latencies.all.sorted()
        func at(_ share: Double) -> String {
            guard !sorted.isEmpty else { return "–" }
            let nanoseconds = sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
            return "\(Double((nanoseconds + 5000) / 10_000) / 100) ms"
        }
        print("| \(name) | \(at(0.5)) | \(at(0.95)) | \(at(1)) | \(rate) |")
    }

    // MARK: Reading

    private static func lines() -> [[UInt8]] {
        let at = Timestamp(seconds: 1_772_366_400)
        return SegmentText.lines(
            writer: "bench", created: at, firstSequence: 1, previousSegment: nil,
            previousHash: String(repeating: "0", count: 64),
            entries: (0..<segmentEntries).map { (UUIDv7.make(at: at), at, draft($0)) }, closed: at)
    }

    /// Entries that a query looks at in a second of one core, from the stored line on.
    private func queries() throws {
        let entries = Self.lines().dropFirst().dropLast()
        for text in [
            "actor=service-account-7 AND outcome=denied", "status>=400 AND NOT resource~tools/1",
            "(route~execute OR code=x) AND duration_ms>=990 AND auth_source=service_token",
        ] {
            let query = try BooleanQuery(parsing: text)
            var best = 0.0
            var found = 0
            for _ in 0..<effort.rounds {
                let start = ContinuousClock.now
                found = entries.count { query.matches(line: $0) }
                best = max(best, Double(entries.count) / Self.seconds(since: start))
            }
            print("| query `\(text)`, \(found) of \(entries.count) fit | – | – | – | \(Int(best)) entries/s |")
        }
    }

    private func verify(_ directory: String) throws {
        try FileManager.default.createDirectory(atPath: "\(directory)/bench", withIntermediateDirectories: true)
        let name = SegmentName(created: Timestamp(seconds: 1_772_366_400), firstSequence: 1)
        let text = Array(Self.lines().map { $0 + [0x0A] }.joined())
        try Data(text).write(to: URL(filePath: "\(directory)/bench/\(name.file)"))
        var best = 0.0
        for _ in 0..<effort.rounds {
            let start = ContinuousClock.now
            let report = AuditVerifier.verify(directory: directory)
            try ContractBroken.hold(report.exitCode == 0)
            best = max(best, Double(text.count) / 1_000_000 / Self.seconds(since: start))
        }
        print("| verify, SHA-256 | – | – | – | \(Int(best)) MB/s |")
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        (ContinuousClock.now - start) / .seconds(1)
    }
}

/// Instruments of which only the time from queue to disk is kept.
private final class Latencies: MetricsFactory, Sendable {
    private let kept = Mutex<[Int64]>([])

    var all: [Int64] { kept.withLock { $0 } }

    private final class Kept: TimerHandler {
        private let note: @Sendable (Int64) -> Void
        init(_ note: @escaping @Sendable (Int64) -> Void) { self.note = note }
        func recordNanoseconds(_ duration: Int64) { note(duration) }
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        guard label == "tollgate_audit_write_seconds" else {
            return NOOPMetricsHandler.instance.makeTimer(label: label, dimensions: dimensions)
        }
        return Kept { duration in self.kept.withLock { $0.append(duration) } }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        NOOPMetricsHandler.instance.makeCounter(label: label, dimensions: dimensions)
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        NOOPMetricsHandler.instance.makeRecorder(label: label, dimensions: dimensions, aggregate: aggregate)
    }

    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}
