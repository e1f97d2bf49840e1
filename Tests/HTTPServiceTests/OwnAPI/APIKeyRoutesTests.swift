// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Foundation
internal import HTTPService
internal import HTTPTypes
internal import Logging
internal import Pipeline
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite struct APIKeyRoutesTests {
    /// The endpoints over a real registry, for an editor of tenant acme, or of another.
    private struct World {
        let clock = ManualClock()
        let trail = RowTrail()
        let registry: APIKeyRegistry
        let limit: Int64?

        init(limit: Int64? = nil) {
            self.limit = limit
            registry = APIKeyRegistry(
                table: APIKeyTable(heardAt: clock.now()), store: InMemoryAPIKeyStore(), prefixes: TokenPrefixes(),
                rules: APIKeyRules(
                    catalogue: { APIKeyCatalogue(defaultScopes: ["tasks:read"], permissions: ["tasks:read"]) },
                    allowance: { _, _ in APIKeyAllowance(plan: "free", limit: limit) }),
                clock: clock, random: SeededRandom(seed: 1),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        }

        func gate(tenant: String = "acme") -> Gate {
            let decider = FakeDecider(admit: { request in
                let path = String(request.target.prefix { $0 != "?" })
                return .allowed(
                    OwnCaller(
                        principal: Principal(
                            subject: "u1", identityType: .user, authSource: .jwt, accountID: tenant, tenantID: tenant,
                            roles: ["editor"], issuer: "https://id.example"),
                        admin: false, action: "api_key.test", route: "\(request.method) \(path)", canonicalPath: path,
                        holds: { !$0.hasPrefix("admin:") }))
            })
            return Gate(decider: decider, modules: [APIKeyRoutes(keys: registry, auditTrail: trail)])
        }
    }

    @Test(arguments: ["/v1/api-keys", "/api-keys", "/v1/users/api-keys", "/api-keys/create"])
    func servesTheWholeLife(_ path: String) async throws {
        let world = World()
        let gate = world.gate()
        let made = try await gate.send(.post, path, body: #"{"name":"a"}"#)
        #expect(made.status == 201)
        #expect(made["Cache-Control"] == "no-store")
        let id = try #require(made.json["id"]?.stringValue)
        let text = try #require(made.json["key"]?.stringValue)
        let entry = try #require(gate.audit.durable.first)
        #expect(entry.resource == id && entry.metadata["account_id"] == "acme")
        let base = path == "/api-keys/create" ? "/api-keys" : path
        let shown = try await gate.send(.get, "\(base)/\(id)")
        #expect(shown.status == 200 && shown.json["key"] == .null && !shown.text.contains(text))
        #expect(try await gate.send(.get, base).json["total"] == 1)
        let changed = try await gate.send(.patch, "\(base)/\(id)", body: #"{"name":"b","expires_at":null}"#)
        #expect(changed.status == 200 && changed.json["name"] == "b" && changed.json["key"] == .null)
        #expect(gate.audit.durable.last?.metadata["before"]?["name"] == "a")
        #expect(gate.audit.durable.last?.metadata["after"]?["name"] == "b")
        let next = try await gate.send(.post, "\(base)/\(id)/rotate")
        #expect(next.status == 200 && next.json["key"]?.stringValue?.hasPrefix("tgk_live_") == true)
        #expect(gate.audit.durable.last?.resource == id)
        #expect(gate.audit.durable.last?.metadata["rotated_to"] == next.json["id"])
        let usage = try await gate.send(.get, "\(base)/\(id)/usage?bucket=day")
        #expect(usage.status == 200 && usage.json["id"] == .string(id) && usage.json["totals"]?["requests"] == 0)
        #expect(try await gate.send(.delete, "\(base)/\(id)?reason=lost%20it").status == 204)
        #expect(try await gate.send(.get, "\(base)/\(id)").json["revocation_reason"] == "lost it")
        #expect(try await gate.send(.post, "\(base)/\(id)/revoke").status == 204)
        let rotated = try await gate.send(.post, "\(base)/\(id)/rotate")
        #expect(rotated.status == 409 && rotated.code == "key.not_active")
        #expect(rotated.json["details"] == ["state": "revoked"])
        for entry in gate.audit.durable + gate.audit.queued { #expect(!"\(entry)".contains("tgk_live_")) }
    }

    @Test func answersRefusals() async throws {
        let world = World(limit: 1)
        let gate = world.gate()
        let id = try #require(
            try await gate.send(.post, "/v1/api-keys", body: #"{"name":"a"}"#).json["id"]?.stringValue)
        func told(_ reply: Reply) -> String { "\(reply.status) \(reply.code ?? ""): \(reply.message ?? "")" }
        #expect(
            told(try await gate.send(.post, "/v1/api-keys", body: #"{"name":"b"}"#))
                == "403 key.limit_reached: API key limit reached (1/1)")
        #expect(
            told(try await gate.send(.post, "/v1/api-keys", body: #"{"name":"b","x":1}"#))
                == "400 request.malformed: Unknown member 'x'")
        let invalid = try await gate.send(.post, "/v1/api-keys", body: #"{"name":"","environment":"x"}"#)
        #expect(invalid.status == 422 && invalid.code == "request.invalid")
        #expect(invalid.json["details"]?["fields"]?.arrayValue?.compactMap { $0["field"] } == ["name", "environment"])
        let missing = "404 key.not_found: API key '\(id)' not found"
        let stranger = world.gate(tenant: "other")
        for (method, path) in [
            (HTTPRequest.Method.get, ""), (.patch, ""), (.delete, ""), (.post, "/rotate"), (.post, "/revoke"),
            (.get, "/usage"), (.get, "/events"),
        ] {
            #expect(told(try await stranger.send(method, "/v1/api-keys/\(id)\(path)")) == missing)
        }
        #expect(told(try await stranger.send(.get, "/api-keys/\(id)/audit-logs")) == missing)
        #expect(
            told(try await gate.send(.get, "/v1/api-keys?sort=up")) == "400 request.malformed: Unknown parameter: sort")
        #expect(try await gate.send(.get, "/v1/api-keys/\(id)/usage?bucket=week").status == 422)
    }

    @Test func repeatsAnAnswerWithoutTheText() async throws {
        let gate = World().gate()
        let key = [("Idempotency-Key", "k-1")]
        let first = try await gate.send(.post, "/v1/api-keys", key, body: #"{"name":"a"}"#)
        let second = try await gate.send(.post, "/v1/api-keys", key, body: #"{"name":"a"}"#)
        #expect(first.json["key"] != .null && second.json["key"] == .null)
        #expect(second.status == 201 && second.json["id"] == first.json["id"])
        #expect(second["Idempotency-Replayed"] == "true")
        let id = try #require(first.json["id"]?.stringValue)
        let rotation = [("Idempotency-Key", "k-2")]
        let next = try await gate.send(.post, "/v1/api-keys/\(id)/rotate", rotation)
        let again = try await gate.send(.post, "/v1/api-keys/\(id)/rotate", rotation)
        #expect(next.status == 200 && again.status == 200)
        #expect(again.json["key"] == .null && again.json["id"] == next.json["id"])
        let other = try await gate.send(.post, "/v1/api-keys", key, body: #"{"name":"b"}"#)
        #expect(other.status == 422 && other.code == "request.idempotency_mismatch")
    }

    // MARK: Events

    @Test func tellsTheEventsOfOneKey() async throws {
        let world = World()
        let gate = world.gate()
        let id = try #require(
            try await gate.send(.post, "/v1/api-keys", body: #"{"name":"a"}"#).json["id"]?.stringValue)
        for number in 0..<5 { world.trail.add("api_key.use", id, at: number) }
        world.trail.add("service_token.use", id, at: 5)
        world.trail.add("api_key.use", "other", at: 6)
        func times(_ reply: Reply) -> [Int64] {
            reply.json["events"]?.arrayValue?.compactMap { $0["sequence"]?.intValue } ?? []
        }
        let all = try await gate.send(.get, "/v1/api-keys/\(id)/events")
        #expect(times(all) == [4, 3, 2, 1, 0] && all.json["next_cursor"] == .null)
        let page = try await gate.send(.get, "/v1/api-keys/\(id)/events?limit=3")
        let cursor = try #require(page.json["next_cursor"]?.stringValue)
        let rest = try await gate.send(.get, "/v1/api-keys/\(id)/events?limit=3&cursor=\(cursor)")
        #expect(times(page) + times(rest) == [4, 3, 2, 1, 0])
        let logs = try await gate.send(.get, "/api-keys/\(id)/audit-logs?limit=2&offset=2")
        #expect(logs.status == 200)
        #expect(times(logs).allSatisfy { $0 <= 3 })
        let bad = try await gate.send(.get, "/v1/api-keys/\(id)/events?limit=0")
        #expect(bad.status == 422 && bad.message == "limit: not a number from 1 to 200")
        let offset = try await gate.send(.get, "/api-keys/audit-logs?offset=801")
        #expect(offset.message == "offset: not a number from 0 to 800: use cursor to go further")
        #expect(try await gate.send(.get, "/v1/api-keys/events?offset=1").code == "request.malformed")
        #expect(try await gate.send(.get, "/v1/api-keys/events?cursor=x").code == "audit.bad_cursor")
    }

    @Test func tellsTheEventsOfTheOwnAccount() async throws {
        let world = World()
        let (gate, stranger) = (world.gate(), world.gate(tenant: "other"))
        func make(_ gate: Gate) async throws -> String {
            try #require(try await gate.send(.post, "/v1/api-keys", body: #"{"name":"a"}"#).json["id"]?.stringValue)
        }
        let own = [try await make(gate), try await make(gate)]
        let foreign = try await make(stranger)
        let actions = ["api_key.create", "api_key.update", "api_key.use", "api_key.rotate", "api_key.revoke"]
        var expected: [Int64] = []
        for number in 0..<600 {
            let isOwn = number % 3 != 1
            // Several share an instant.
            world.trail.add(actions[number % 5], isOwn ? own[number % 2] : foreign, at: number / 4, sequence: number)
            if isOwn { expected.append(Int64(number)) }
        }
        world.trail.add("decision.allow", own[0], at: 1000)
        var found: [Int64] = []
        var cursor: String?
        var pages = 0
        repeat {
            let reply = try await gate.send(
                .get, "/v1/api-keys/events?limit=37" + (cursor.map { "&cursor=\($0)" } ?? ""))
            #expect(reply.status == 200)
            found += reply.json["events"]?.arrayValue?.compactMap { $0["sequence"]?.intValue } ?? []
            cursor = reply.json["next_cursor"]?.stringValue
            pages += 1
        } while cursor != nil && pages < 100
        #expect(found == Array(expected.reversed()))
        let logs = try await gate.send(.get, "/api-keys/audit-logs?limit=5&offset=10")
        #expect(
            logs.json["events"]?.arrayValue?.compactMap { $0["sequence"]?.intValue }
                == Array(expected.reversed()[10..<15]))
    }

    @Test func everyRouteHasARule() throws {
        let text = try String(contentsOf: Repository.root.appending(path: "policies/routes.yaml"), encoding: .utf8)
        for route in APIKeyRoutes(keys: World().registry, auditTrail: RowTrail()).routes {
            let rule = text.split(separator: "\n").first {
                $0.contains("methods: [\(route.method)]") && $0.contains("path: \"\(route.pattern)\",")
            }
            #expect(rule != nil, "\(route.method) \(route.pattern)")
            let permission = route.method == "GET" ? "api_keys:read" : "api_keys:write"
            #expect(rule?.contains(permission) == true)
        }
    }
}

/// A trail of the rows that a test adds, filtered as the real one does it.
private final class RowTrail: AuditQuerying {
    private let rows = Mutex<[AuditRow]>([])

    func add(_ action: String, _ resource: String, at second: Int, sequence: Int? = nil) {
        let number = sequence ?? second
        let id = String(repeating: "0", count: 8 - String(number).count) + "\(number)"
        let line: JSONValue = [
            "id": .string(id), "timestamp": .string(Timestamp(seconds: 1_772_366_400 + Int64(second)).rfc3339),
            "sequence": .int(Int64(number)), "actor": "u1", "action": .string(action), "resource": .string(resource),
            "outcome": "success",
        ]
        guard let row = AuditRow(line: line.encoded(), writer: "w") else { return }
        rows.withLock { $0.append(row) }
    }

    func query(_ query: AuditQuery, as reader: AuditReader) async throws(Refusal) -> AuditPage {
        var position: AuditIndexRequest.Position?
        if let cursor = query.cursor {
            guard let row = rows.withLock({ $0.first { $0.id == cursor } }) else { throw Refusal(.auditBadCursor) }
            position = AuditIndexRequest.Position(at: row.at, id: row.id)
        }
        let request = AuditIndexRequest(query: query, after: position, limit: query.limit)
        let fitting = rows.withLock { $0.filter { request.matches($0) } }.sorted { AuditRow.precedes($1, $0) }
        let page = Array(fitting.prefix(query.limit))
        return AuditPage(rows: page, nextCursor: fitting.count > query.limit ? page.last?.id : nil)
    }

    func healingEvents(_ query: HealingQuery, as reader: AuditReader) async throws(Refusal) -> [JSONObject] { [] }
}
