// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Foundation
internal import Logging
internal import Metrics
internal import Pipeline
internal import Reconcilers
internal import RuntimeState
internal import TestSupport
internal import Testing

@testable internal import HTTPService

/// `docs/reference/api.md` and what the server serves name the same methods and paths.
@Suite struct RouteTableTests {
    private static let noLogger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// One of each kind of module; what they call is never called here.
    private static func modules() throws -> [any OwnAPIModule] {
        let gate = Gate()
        let (clock, random) = (gate.clock, SeededRandom(seed: 1))
        let snapshots = SnapshotStore(metricsFactory: NOOPMetricsHandler.instance)
        let tokens = ServiceTokenTable(heardAt: clock.now())
        let seal = try #require(SessionSeal(keys: [random.bytes(32)]))
        let sessions = SessionKeeper(
            store: SessionStore(
                backend: MemorySessionBackend(), seal: seal, clock: clock, time: ManualMonotonicClock(),
                random: random), clock: clock, random: random)
        let keys = APIKeyRegistry(
            table: APIKeyTable(heardAt: clock.now()), store: InMemoryAPIKeyStore(), prefixes: TokenPrefixes(),
            rules: APIKeyRules(
                catalogue: { APIKeyCatalogue(defaultScopes: [], permissions: []) },
                allowance: { _, _ in APIKeyAllowance(plan: "free", limit: nil) }), clock: clock, random: random,
            logger: noLogger)
        let policy = try PolicyKeeper(
            sources: [BuiltInPolicySource()], settings: PolicySettings(), readYAML: PolicyYAML.document,
            snapshots: snapshots, clock: clock, logger: noLogger, metricsFactory: NOOPMetricsHandler.instance)
        let desk = SnapshotDesk(
            .init(snapshots: snapshots, tokens: tokens, keys: keys.table, prefixes: TokenPrefixes(), clock: clock) {
                _ in true
            }, room: .init(), clock: ManualMonotonicClock(), metricsFactory: NOOPMetricsHandler.instance)
        let own: [any OwnAPIModule] = [
            SessionRoutes(sessions: sessions), ConsoleRoutes(ConsoleSettings(dashboardURL: nil, version: "1")),
            APIKeyRoutes(keys: keys, auditTrail: gate.trail), PolicyRoutes(service: policy),
            SnapshotRoutes(desk: desk, decider: gate.decider),
            SidecarRecordsRoutes(audit: gate.audit, tokens: tokens, keys: keys.table, clock: clock),
            ClusterRoutes(service: NoCluster { _ throws(Refusal) in }),
        ]
        return own + ProjectGate().gate.modules + StreamGate().gate.modules + HealingGate().gate.modules
            + (try BillingGate().gate.modules)
    }

    /// Every method and path that is served, with those that are no routes of the own API.
    private static func served() throws -> Set<ServedRoute> {
        let own = Gate(modules: try modules()).responder.ownRoutes.map { ServedRoute($0.method, $0.pattern) }
        let doors = Door.allCases.compactMap { door in
            ForwardAuthDoor.pattern(of: door).map { ServedRoute(door == .oauth2 ? "GET" : "ANY", $0) }
        }
        let decisions = DecisionsDoor.Call.allCases.map { ServedRoute("POST", DecisionsDoor.path(of: $0)) }
        let health = ["/health", "/healthz", "/livez", "/readyz"].map { path in
            #expect(HealthDoor.serves(Substring(path)))
            return ServedRoute("GET", path)
        }
        return Set(own + doors + decisions + health)
    }

    /// Nothing is left out: each kind of module that there is has its routes among those that are compared.
    @Test func comparesEveryModule() throws {
        let folder = Repository.root.appending(path: "Sources/HTTPService")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        let declared = try files.flatMap { file in
            try String(contentsOf: folder.appending(path: file), encoding: .utf8).split(separator: "\n")
                .filter { $0.contains("struct ") && $0.contains(": OwnAPIModule") }
                .compactMap { $0.split(separator: ":").first?.split(separator: " ").last.map(String.init) }
        }
        #expect(declared.count >= 12)
        #expect(Set(declared) == Set(try Self.modules().map { String(describing: type(of: $0)) }))
    }

    @Test func documentsEveryRouteAndNoOther() throws {
        let served = try Self.served()
        let document = try String(
            contentsOf: Repository.root.appending(path: "docs/reference/api.md"), encoding: .utf8)
        let documented = DocumentedRoutes(document, served: served).all
        #expect(documented.count > 100)
        #expect(served.subtracting(documented).sorted() == [], "served and not documented")
        #expect(documented.subtracting(served).sorted() == [], "documented and not served")
    }

    /// The reader of the document finds what is missing on either side.
    @Test func tellsWhatIsMissing() {
        let served: Set = [
            ServedRoute("GET", "/v1/a"), ServedRoute("POST", "/v1/a/{id}/b"), ServedRoute("PUT", "/v1/c"),
        ]
        let document = """
            ## One

            | method and path | answer |
            | --- | --- |
            | `GET /v1/a`, `POST …/{name}/b` | `GET /v1/x` |
            | `DELETE /v1/d` | no such thing |
            """
        let documented = DocumentedRoutes(document, served: served).all
        #expect(served.subtracting(documented) == [ServedRoute("PUT", "/v1/c")])
        #expect(documented.subtracting(served) == [ServedRoute("DELETE", "/v1/d")])
    }
}
