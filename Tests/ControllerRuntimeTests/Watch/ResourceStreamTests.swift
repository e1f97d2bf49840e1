// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import Metrics
internal import ResourceModel
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import ControllerRuntime

@Suite(.timeLimit(.minutes(10))) struct ResourceStreamTests {
    private let api = ScriptedAPI()
    private let cache = ObjectCache<Int64>()
    private let time = ManualMonotonicClock()

    private func stream() -> ResourceStream<Int64> {
        ResourceStream(
            selection: ObjectSelection(.secrets, namespace: "acme"), decode: { $0["value"]?.intValue }, cache: cache,
            api: api, clock: ManualClock(), time: time, random: SeededRandom(seed: 1),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            metricsFactory: NOOPMetricsHandler.instance)
    }

    private func names() -> [String] { cache.all().map(\.name.name).sorted() }

    /// Runs the stream until the condition holds.
    private func follow(_ what: String, until condition: @escaping @Sendable () -> Bool) async throws {
        let stream = stream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await stream.run() }
            try await Eventually.holds(what) {
                if !condition() { time.advance(by: .seconds(30)) }
                return condition()
            }
            group.cancelAll()
        }
    }

    @Test func aStreamingListFillsTheCacheAsAWhole() async throws {
        api.state.withLock {
            $0.watches = [
                .events([
                    .added(makeItem("a", version: 1)), .added(makeItem("b", version: 2)),
                    .bookmark(resourceVersion: "5", endsInitialEvents: true),
                ]), .hang([.added(makeItem("c", version: 6)), .deleted(makeItem("a", version: 7))]),
            ]
        }
        let changes = Mutex<[String]>([])
        cache.observe { change in
            changes.withLock { changes in
                switch change {
                case .added(let new): changes.append("+\(new.name.name)")
                case .updated(_, let new): changes.append("~\(new.name.name)")
                case .deleted(let last): changes.append("-\(last.name.name)")
                case .filled: changes.append("filled")
                }
            }
        }
        try await follow("a and b, then c") { names() == ["b", "c"] }
        #expect(changes.withLock { $0.sorted() } == ["+a", "+b", "+c", "-a", "filled"])
        let queries = api.state.withLock(\.watchQueries)
        #expect(queries[0].sendsInitialEvents && queries[0].resourceVersion == nil)
        #expect(queries[0].idleTimeout == .seconds(10))
        #expect(queries[1].resourceVersion == "5" && !queries[1].sendsInitialEvents)
        #expect((300...600).contains(queries[1].timeoutSeconds))
        #expect(queries[1].idleTimeout == .seconds(queries[1].timeoutSeconds + 5))
    }

    @Test func pagesFollowARefusedStreamingListAndReplaceTheCache() async throws {
        cache.stage(CachedObject(makeItem("old", version: 1)) { _ in 0 }!)
        cache.commitReplacement()
        api.state.withLock {
            $0.watches = [.fail(KubernetesError(.invalid, status: 422, message: "no")), .hang([])]
            $0.lists = [
                .page([makeItem("a", version: 2)], version: "9", token: "more"),
                .page([makeItem("b", version: 3)], version: "9"),
            ]
        }
        try await follow("the two pages") {
            names() == ["a", "b"] && api.state.withLock { $0.watchQueries.count } == 2
        }
        let (lists, watches) = api.state.withLock { ($0.listQueries, $0.watchQueries) }
        #expect(lists.map(\.continueToken) == [nil, "more"])
        #expect(lists.allSatisfy { $0.limit == 500 })
        #expect(watches[1].resourceVersion == "9")
    }

    @Test func anExpiredVersionListsAnewAndAFailedListKeepsTheCache() async throws {
        api.state.withLock {
            $0.watches = [
                .fail(KubernetesError(.invalid, message: "no")),
                .events([.error(KubernetesError(.expired, status: 410, message: "too old"))]), .hang([]),
            ]
            $0.lists = [
                .page([makeItem("a", version: 2)], version: "9"),
                .page([makeItem("b", version: 3)], version: "12", token: "more"),
                .fail(KubernetesError(.expired, status: 410, message: "continue token too old")),
                .page([makeItem("c", version: 4)], version: "15"),
            ]
        }
        let seen = Mutex<Set<String>>([])
        cache.observe { change in
            if case .added(let new) = change { _ = seen.withLock { $0.insert(new.name.name) } }
        }
        try await follow("the third list") { names() == ["c"] }
        #expect(seen.withLock { $0 } == ["a", "c"])
    }

    @Test func earlierStatesAndDoublesDoNotStepTheCacheBack() async throws {
        api.state.withLock {
            $0.watches = [
                .events([
                    .added(makeItem("a", version: 5, value: 5)),
                    .bookmark(resourceVersion: "5", endsInitialEvents: true),
                ]),
                .hang([
                    .modified(makeItem("a", version: 8, value: 8)), .modified(makeItem("a", version: 7, value: 7)),
                    .modified(makeItem("a", version: 8, value: 8)), .deleted(makeItem("a", version: 9, uid: "other")),
                    .added(makeItem("end", version: 10)),
                ]),
            ]
        }
        let updates = Mutex(0)
        cache.observe { if case .updated = $0 { updates.withLock { $0 += 1 } } }
        try await follow("the last event") { names() == ["a", "end"] }
        #expect(cache.get(ObjectName(namespace: "acme", name: "a"))?.value == 8)
        #expect(updates.withLock { $0 } == 1)
    }

    @Test func saysWhyItMayNotRead() async throws {
        api.state.withLock {
            $0.watches = [.fail(KubernetesError(.forbidden, status: 403, message: "secrets is forbidden"))]
            $0.lists = [.fail(KubernetesError(.forbidden, status: 403, message: "secrets is forbidden"))]
        }
        let stream = stream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await stream.run() }
            try await Eventually.holds("the fault") {
                if case .degraded(let reason, _) = stream.state { return reason.contains("secrets is forbidden") }
                return false
            }
            #expect(!cache.isFilled)
            api.state.withLock {
                $0.lists = [.page([], version: "1")]
                $0.watches = [.hang([])]
            }
            try await Eventually.holds("the next try") {
                time.advance(by: .seconds(61))
                return stream.state == .synced
            }
            group.cancelAll()
        }
    }
}
