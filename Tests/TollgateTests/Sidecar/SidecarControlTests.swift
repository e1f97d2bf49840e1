// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging
internal import RuntimeState
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import tollgate

/// An operator that answers what a test says.
final class FakeUpstream: UpstreamCalling {
    private struct State {
        var answers: [Result<UpstreamAnswer, UpstreamError>] = []
        var tags: [String?] = []
        var reports: [(key: String, bytes: [UInt8])] = []
        var reportFault: @Sendable (_ report: (key: String, bytes: [UInt8])) -> UpstreamError? = { _ in nil }
    }

    private let state = Mutex(State())

    func will(_ answers: Result<UpstreamAnswer, UpstreamError>...) { state.withLock { $0.answers += answers } }

    /// The tags of the questions so far.
    var tags: [String?] { state.withLock(\.tags) }
    var reports: [(key: String, bytes: [UInt8])] { state.withLock(\.reports) }

    func refuseReports(_ fault: UpstreamError?) { refuseReports { _ in fault } }

    func refuseReports(_ fault: @escaping @Sendable (_ report: (key: String, bytes: [UInt8])) -> UpstreamError?) {
        state.withLock { $0.reportFault = fault }
    }

    func snapshot(of names: [String], entityTag: String?) async throws(UpstreamError) -> UpstreamAnswer {
        let next = state.withLock { state -> Result<UpstreamAnswer, UpstreamError> in
            state.tags.append(entityTag)
            guard !state.answers.isEmpty else { return .failure(UpstreamError(.unreachable, "nobody there")) }
            return state.answers.removeFirst()
        }
        return try next.get()
    }

    func report(_ records: [UInt8], key: String) async throws(UpstreamError) {
        let fault = state.withLock { state in
            let fault = state.reportFault((key, records))
            if fault == nil { state.reports.append((key, records)) }
            return fault
        }
        if let fault { throw fault }
    }
}

/// A sidecar's control with an operator that is not there.
struct SidecarControlWorld {
    let upstream = FakeUpstream()
    let clock = ManualClock()
    let snapshots: SnapshotStore
    let tokens: ServiceTokenTable
    let keys = APIKeyTable(heardAt: Timestamp(seconds: 0))
    let policy: PolicyKeeper
    let control: SidecarControl

    init(cache: String? = nil, maxSilence: Duration = .seconds(60)) throws {
        let metrics = PrometheusRegistry()
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        snapshots = SnapshotStore(metricsFactory: metrics)
        tokens = ServiceTokenTable(heardAt: Timestamp(seconds: 0))
        policy = try PolicyKeeper(
            sources: [], settings: PolicySettings(),
            readYAML: { text throws(PolicyTextFault) in
                do { return try TestSupport.YAMLText.json(String(decoding: text, as: UTF8.self)) } catch {
                    throw PolicyTextFault("\(error)")
                }
            }, snapshots: snapshots, clock: clock, logger: logger, metricsFactory: metrics)
        control = SidecarControl(
            SidecarControl.Parts(
                client: upstream,
                settings: SidecarSettings(
                    upstream: try #require(WebAddress("https://up.example")), authConfigs: ["default/a"], tokenFile: "",
                    cache: cache, maxSilence: maxSilence),
                tokens: tokens, keys: keys,
                keySets: RemoteKeySets(
                    fetcher: NoKeySets(), clock: clock, random: SeededRandom(seed: 1), logger: logger,
                    metricsFactory: metrics), snapshots: snapshots, policy: policy,
                ownRealm: AuthenticationRealm(mode: .required), prefixes: TokenPrefixes(), clock: clock,
                time: ManualMonotonicClock(), random: SeededRandom(seed: 2), logger: logger), metricsFactory: metrics)
    }

    private struct NoKeySets: KeySetFetching {
        func fetch(_ source: RemoteKeySource, timeout: Duration) async throws(KeySetFetchError) -> FetchedDocument {
            throw KeySetFetchError(.unreachable, "no network in tests")
        }
    }

    /// A document with one AuthConfig, one host and one token.
    static func document(host: String = "a.example", token: String = "t", prefix: String = "tgk") async throws
        -> [UInt8]
    {
        let metrics = PrometheusRegistry()
        let snapshots = SnapshotStore(metricsFactory: metrics)
        let policy = try CompiledPolicy.builtIn(routesDocument: TestSupport.YAMLText.json(BuiltInPolicy.routesYAML))
        let realm = AuthenticationRealm(mode: .required)
        _ = snapshots.publish { generation in
            RuntimeSnapshot(
                generation: generation, builtAt: Timestamp(seconds: 1),
                hosts: HostTable([.init(key: "default/a", createdAt: Timestamp(seconds: 1), hosts: [host])]),
                authConfigs: [
                    CompiledAuthConfig(
                        key: "default/a", brokenReason: nil, realm: realm, policy: HostPolicy(), requiredScopes: [],
                        requiredWorkspaces: [], forwardsCredential: false)
                ], policy: policy, ownRealm: AuthenticationRealm(mode: .required), resources: [])
        }
        let tokens = ServiceTokenTable(heardAt: .latest)
        tokens.put([
            ServiceTokenRecord(
                identifier: token, secretDigest: SecretDigest(of: token),
                grant: ServiceTokenGrant(scopes: ["tasks:read"]),
                issuedAt: Timestamp(seconds: 1), createdBy: "admin")
        ])
        let documents = SidecarDocuments(
            .init(
                snapshots: snapshots, tokens: tokens, keys: APIKeyTable(), prefixes: TokenPrefixes(apiKey: prefix),
                clock: ManualClock()
            ) { _ in true })
        return try await documents.document(for: ["default/a"], scope: .installation, version: 1).bytes
    }

    var hosts: [String] { snapshots.current()?.hosts.entries.map(\.rule) ?? [] }
}

@Suite struct SidecarControlTests {
    @Test func isNotReadyBeforeTheFirstDocument() async throws {
        let world = try SidecarControlWorld()
        #expect(world.control.check().status == .failed)
        #expect(await world.control.ask() == .failed)
        #expect(world.snapshots.current() == nil)
        #expect(world.control.check().detail.contains("nobody there"))
    }

    @Test func putsADocumentInForceAndAsksForTheNextOne() async throws {
        let world = try SidecarControlWorld()
        world.upstream.will(
            .success(.document(bytes: try await SidecarControlWorld.document(), entityTag: "\"1\"")),
            .success(.unchanged),
            .success(
                .document(
                    bytes: try await SidecarControlWorld.document(host: "b.example", token: "u"), entityTag: "\"2\"")))
        #expect(await world.control.ask() == .document)
        #expect(world.hosts == ["a.example"] && world.tokens.entry("t") != nil)
        #expect(world.control.check() == ReadinessCheck(name: "upstream", status: .ok))
        #expect(world.policy.state.origin.kind == .upstream)
        let first = try #require(world.snapshots.current())
        world.clock.advance(seconds: 20)
        #expect(await world.control.ask() == .unchanged(after: .zero))
        // Confirmed: as young as the confirmation.
        let second = try #require(world.snapshots.current())
        #expect(second.generation > first.generation && second.builtAt == world.clock.now())
        #expect(await world.control.ask() == .document)
        #expect(world.hosts == ["b.example"])
        #expect(world.tokens.entry("t") == nil && world.tokens.entry("u") != nil)
        #expect(world.upstream.tags == [nil, "\"1\"", "\"1\""])
    }

    @Test func keepsTheLastGoodOneWhateverComes() async throws {
        let world = try SidecarControlWorld()
        world.upstream.will(
            .success(.document(bytes: try await SidecarControlWorld.document(), entityTag: "\"1\"")),
            .failure(UpstreamError(.unreachable, "gone")),
            .failure(UpstreamError(.refused, status: 401, refusal: "auth.token_revoked", "refused with words")),
            .success(.document(bytes: Array("{\"format\":\"tollgate-snapshot/2\"}".utf8), entityTag: "\"2\"")),
            .success(.document(bytes: try await SidecarControlWorld.document(prefix: "other"), entityTag: "\"3\"")))
        #expect(await world.control.ask() == .document)
        #expect(await world.control.ask() == .failed)
        #expect(await world.control.ask() == .refused)
        #expect(world.control.check().status == .degraded)
        #expect(world.control.check().detail.contains("refused with words"))
        #expect(await world.control.ask() == .failed)
        #expect(await world.control.ask() == .failed)
        #expect(world.control.check().detail.contains("TOLLGATE_API_KEY_PREFIX"))
        #expect(world.hosts == ["a.example"] && world.tokens.entry("t") != nil)
        #expect(world.upstream.tags.last == "\"1\"")
    }

    @Test func closesTheHostsOfAnAuthConfigThatIsGone() async throws {
        let folder = try TemporaryDirectory()
        let world = try SidecarControlWorld(cache: folder.path("cache"))
        world.upstream.will(
            .success(.document(bytes: try await SidecarControlWorld.document(), entityTag: "\"1\"")),
            .failure(UpstreamError(.refused, status: 404, refusal: "auth.no_config", "gone")))
        #expect(await world.control.ask() == .document)
        #expect(DurableFile.exists(folder.path("cache")))
        #expect(await world.control.ask() == .refused)
        #expect(world.hosts.isEmpty)
        #expect(!DurableFile.exists(folder.path("cache")))
        #expect(await world.control.ask() == .failed)
        #expect(world.upstream.tags == [nil, "\"1\"", nil])
    }

    @Test func knowsAfterARestartWhatItKnew() async throws {
        let folder = try TemporaryDirectory()
        let before = try SidecarControlWorld(cache: folder.path("cache"))
        before.upstream.will(.success(.document(bytes: try await SidecarControlWorld.document(), entityTag: "\"1\"")))
        #expect(await before.control.ask() == .document)
        let after = try SidecarControlWorld(cache: folder.path("cache"))
        after.control.start()
        #expect(after.hosts == ["a.example"] && after.tokens.isFresh(at: after.clock.now()))
        after.upstream.will(.success(.unchanged))
        #expect(await after.control.ask() == .unchanged(after: .zero))
        #expect(after.upstream.tags == ["\"1\""])
    }

    @Test(arguments: [(60, 60), (3600, 3600)])
    func believesStoredCredentialsForAsLongAsItWasTold(maxSilence: Int64, seconds: Int64) async throws {
        let world = try SidecarControlWorld(maxSilence: .seconds(maxSilence))
        world.upstream.will(.success(.document(bytes: try await SidecarControlWorld.document(), entityTag: "\"1\"")))
        #expect(await world.control.ask() == .document)
        world.clock.advance(seconds: seconds)
        #expect(world.tokens.isFresh(at: world.clock.now()) && world.keys.isFresh(at: world.clock.now()))
        world.clock.advance(seconds: 1)
        #expect(!world.tokens.isFresh(at: world.clock.now()) && !world.keys.isFresh(at: world.clock.now()))
    }
}
