// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Billing
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging
internal import Persistence
internal import RuntimeState
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct UpstreamReportTests {
    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private static func usage(_ upstream: FakeUpstream) -> UpstreamUsage {
        UpstreamUsage(
            client: upstream, clock: ManualClock(), time: ManualMonotonicClock(), logger: logger,
            metricsFactory: PrometheusRegistry())
    }

    private static func use(_ id: String, count: Int64 = 3) -> CredentialUse {
        CredentialUse(
            identifier: id, count: count, lastUsedAt: Timestamp(seconds: 10),
            addresses: [IPAddress("192.0.2.1")].compactMap(\.self))
    }

    /// An instant of hour 5.
    private static let now = Timestamp(seconds: 5 * 3600 + 60)

    private static func records(_ bytes: [UInt8]) throws -> SidecarRecords {
        try SidecarRecords(try #require(try JSONParser.parse(bytes).objectValue), now: now)
    }

    @Test func handsOnInOrderAndUntilItIsTaken() async throws {
        let upstream = FakeUpstream()
        let usage = Self.usage(upstream)
        upstream.refuseReports(UpstreamError(.unreachable, "away"))
        #expect(await usage.hand(tokenUses: [Self.use("a")]))
        #expect(
            await usage.hand(
                keyUses: [Self.use("b")],
                keyUsage: [APIKeyUsageRow(id: "b", tenantID: nil, hour: 5, status: 200, requests: 7)]))
        await usage.send()
        #expect(usage.waiting == 3 && upstream.reports.isEmpty)
        upstream.refuseReports(nil)
        await usage.send()
        #expect(usage.waiting == 0)
        let all = try upstream.reports.map { try Self.records($0.bytes) }
        #expect(all.flatMap(\.tokenUses).map(\.identifier) == ["a"])
        #expect(all.flatMap(\.keyUses).map(\.count) == [3])
        #expect(all.flatMap(\.keyUsage).map(\.requests) == [7])
        #expect(Set(upstream.reports.map(\.key)).count == 3)
    }

    /// Every sidecar of an operator would leave its service at the same moment.
    @Test func isReadyWithoutCredentialsOfTheOperator() async throws {
        let clock = ManualClock()
        let random = SeededRandom(seed: 1)
        let usage = Self.usage(FakeUpstream())
        let own = try SQLiteStore(path: TemporaryDirectory().path("own.sqlite"), clock: clock)
        let stores = StoreSet(
            tokens: UpstreamTokenStore(report: usage), keys: UpstreamKeyStore(report: usage), projects: nil,
            idempotency: own, statuses: own, close: {})
        let metrics = PrometheusRegistry()
        let books = StoredBooks(
            stores,
            tokens: ServiceTokenRegistry(
                table: ServiceTokenTable(heardAt: clock.now()), store: stores.tokens, clock: clock, random: random,
                logger: Self.logger),
            keys: APIKeyParts(
                stores: stores, snapshots: SnapshotStore(metricsFactory: metrics),
                plans: PlanBook(try CatalogueLoader.plans.load(nil)), upgradeURL: "",
                prefixes: TokenPrefixes(), clock: clock, random: random, logger: Self.logger
            ).registry,
            projects: nil, policy: nil, redis: nil, clock: clock, logger: Self.logger, metrics: metrics)
        try await books.load()
        #expect(books.checks(clock.now()).map(\.status) == [.ok])
        clock.advance(seconds: 61)
        #expect(books.checks(clock.now()).map(\.status) == [.degraded])
        try own.close()
    }

    @Test func isBounded() async throws {
        let upstream = FakeUpstream()
        upstream.refuseReports(UpstreamError(.unreachable, "away"))
        let usage = Self.usage(upstream)
        for number in 0..<UpstreamUsage.capacity { #expect(await usage.hand(tokenUses: [Self.use("t\(number)")])) }
        #expect(await usage.hand(tokenUses: [Self.use("late")]) == false)
        #expect(usage.waiting == UpstreamUsage.capacity)
    }

    @Test func givesUpWhatWillNeverBeTaken() async throws {
        let upstream = FakeUpstream()
        let usage = Self.usage(upstream)
        upstream.refuseReports(UpstreamError(.refused, status: 422, "no"))
        #expect(await usage.hand(tokenUses: [Self.use("a")]))
        await usage.send()
        #expect(usage.waiting == 0)
    }

    private static func row(_ sequence: Int64, writer: String = "w") throws -> AuditRow {
        let line =
            "{\"id\":\"\(sequence)\",\"timestamp\":\"2026-01-01T00:00:00.000000Z\",\"actor\":\"a\",\"action\":\"decision.check\",\"resource\":\"/\",\"outcome\":\"success\",\"metadata\":{},\"sequence\":\(sequence)}"
        return try #require(AuditRow(line: Array(line.utf8), writer: writer))
    }

    @Test func handsOnEachEntryOnceOverRestarts() async throws {
        let folder = try TemporaryDirectory()
        let upstream = FakeUpstream()
        func index() -> UpstreamAuditIndex {
            UpstreamAuditIndex(
                client: upstream, inner: nil, notePath: folder.path("note"), time: SystemMonotonicClock(),
                logger: Self.logger)
        }
        let first = index()
        #expect(try await first.lastSequence(writer: "w") == 0)
        try await first.add([try Self.row(1), try Self.row(2)])
        let second = index()
        #expect(try await second.lastSequence(writer: "w") == 2)
        try await second.add([try Self.row(2), try Self.row(3)])
        let sequences = try upstream.reports.flatMap { try Self.records($0.bytes).entries }.compactMap {
            $0["sequence"]?.intValue
        }
        #expect(sequences == [1, 2, 3])
    }

    @Test func triesAgainUntilItIsTaken() async throws {
        let folder = try TemporaryDirectory()
        let upstream = FakeUpstream()
        let time = ManualMonotonicClock()
        upstream.refuseReports(UpstreamError(.unreachable, "away"))
        let index = UpstreamAuditIndex(
            client: upstream, inner: nil, notePath: folder.path("note"), time: time, logger: Self.logger)
        let row = try Self.row(1)
        async let done: Void = index.add([row])
        try await Eventually.holds("a pause") { time.asked.contains(.milliseconds(500)) }
        upstream.refuseReports(nil)
        time.advance(by: .milliseconds(500))
        try await done
        #expect(upstream.reports.count == 1)
    }

    private static func index(_ upstream: FakeUpstream, _ note: String, _ time: ManualMonotonicClock)
        -> UpstreamAuditIndex
    {
        UpstreamAuditIndex(client: upstream, inner: nil, notePath: note, time: time, logger: logger)
    }

    /// Adds entries, with as much time as it takes.
    private static func add(_ rows: [AuditRow], to index: UpstreamAuditIndex, _ time: ManualMonotonicClock) async throws
    {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await index.add(rows)
                return true
            }
            group.addTask {
                while !Task.isCancelled {
                    // The spacing between two reports; less than any patience.
                    time.advance(by: .milliseconds(100))
                    await Task.yield()
                }
                return false
            }
            while let isDone = try await group.next(), !isDone {}
            group.cancelAll()
        }
    }

    private static func sequences(_ report: (key: String, bytes: [UInt8])) -> [Int64] {
        // What cannot be read shows as a report without entries.
        (try? records(report.bytes).entries.compactMap { $0["sequence"]?.intValue }) ?? []
    }

    @Test func handsOnInHalvesWhatIsTooMuch() async throws {
        let folder = try TemporaryDirectory()
        let (upstream, time) = (FakeUpstream(), ManualMonotonicClock())
        let index = Self.index(upstream, folder.path("note"), time)
        upstream.refuseReports { report in
            let sequences = Self.sequences(report)
            guard sequences.count > 2 || sequences.contains(3) else { return nil }
            return UpstreamError(.refused, status: 413, "too large")
        }
        try await Self.add(try (1...5).map { try Self.row($0) }, to: index, time)
        // The third is too large by itself: it stays behind, and nothing waits for it.
        #expect(upstream.reports.map(Self.sequences) == [[1, 2], [4, 5]])
        #expect(Set(upstream.reports.map(\.key)).count == 2)
        #expect(try await index.lastSequence(writer: "w") == 5)
    }

    @Test(arguments: [400, 422]) func goesOnAfterWhatIsRefusedForGood(status: Int) async throws {
        let folder = try TemporaryDirectory()
        let (upstream, time) = (FakeUpstream(), ManualMonotonicClock())
        let index = Self.index(upstream, folder.path("note"), time)
        upstream.refuseReports { report in
            Self.sequences(report).contains(1) ? UpstreamError(.refused, status: status, "no") : nil
        }
        try await Self.add([try Self.row(1), try Self.row(2)], to: index, time)
        try await Self.add([try Self.row(3)], to: index, time)
        #expect(upstream.reports.map(Self.sequences) == [[3]])
        #expect(try await index.lastSequence(writer: "w") == 3)
    }

    @Test func leavesOutHoursThatAreLongAgoOrToCome() throws {
        let now = ManualClock().now()
        let present = now.seconds / 3600
        let hours = [0, present - 2161, present - 2160, present, present + 1, present + 2, 1_000_000_000]
        let rows = hours.map { APIKeyUsageRow(id: "k", tenantID: nil, hour: $0, status: 200, requests: 1) }
        let object = try #require(try JSONParser.parse(SidecarRecords(keyUsage: rows).encoded()).objectValue)
        let read = try SidecarRecords(object, now: now).keyUsage.map(\.hour)
        #expect(read == [present - 2160, present, present + 1])
    }

    @Test func refusesReportsThatAreNone() throws {
        let good = SidecarRecords(writer: "w", tokenUses: [Self.use("a")]).encoded()
        _ = try Self.records(good)
        let random = SeededRandom(seed: 9)
        for _ in 0..<FuzzCases.count(500) {
            var bad = good
            bad[random.below(bad.count)] = UInt8(random.below(256))
            guard let object = (try? JSONParser.parse(bad))?.objectValue else { continue }
            do throws(Refusal) {
                _ = try SidecarRecords(object, now: Self.now)
            } catch {
                #expect(error.code == .requestInvalid)
            }
        }
        #expect(throws: Refusal.self) { try SidecarRecords(["format": "tollgate-records/2"], now: Self.now) }
    }
}
