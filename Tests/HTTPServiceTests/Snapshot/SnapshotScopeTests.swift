// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import HTTPTypes
internal import Pipeline
internal import RuntimeState
internal import TestSupport
internal import Testing

@testable internal import HTTPService

@Suite struct SnapshotScopeTests {
    private static func caller(admin: Bool = false, platform: Bool, tenant: String?) -> OwnCaller {
        OwnCaller(
            principal: Principal(
                subject: "gate", identityType: .service, authSource: .serviceToken, platform: platform, tenantID: tenant
            ),
            admin: admin, action: "decisions.evaluate", route: "POST /v1/sidecar/records",
            canonicalPath: "/v1/sidecar/records", holds: { _ in true })
    }

    @Test(
        arguments: [
            (true, false, nil, .installation), (true, false, "acme", .installation), (false, true, nil, .installation),
            (false, true, "acme", .tenant("acme")), (false, false, "acme", .tenant("acme")), (false, false, nil, nil),
        ] as [(Bool, Bool, String?, SnapshotScope?)])
    func isTheTenantsOfWhoeverHasOne(admin: Bool, platform: Bool, tenant: String?, scope: SnapshotScope?) {
        do throws(Refusal) {
            let found = try SnapshotRoutes.scope(Self.caller(admin: admin, platform: platform, tenant: tenant))
            #expect(found == scope)
        } catch {
            #expect(scope == nil && error.code == .policyTenantDenied && error.status == 403)
        }
    }

    private struct World {
        let tokens: ServiceTokenTable
        let gate: Gate

        init(platform: Bool, tenant: String?) {
            let clock = ManualClock()
            let tokens = ServiceTokenTable(heardAt: clock.now())
            tokens.put(["acme", "globex"].map { StoreRecords.token($0, tenant: $0) })
            tokens.put([
                ServiceTokenRecord(
                    identifier: "mine", secretDigest: SecretDigest(of: "mine"),
                    grant: ServiceTokenGrant(tenantID: "acme"), issuedAt: clock.now(), createdBy: "test")
            ])
            self.tokens = tokens
            let audit = FakeAudit()
            gate = Gate(
                decider: FakeDecider(admit: { _ in
                    .allowed(SnapshotScopeTests.caller(platform: platform, tenant: tenant))
                }),
                audit: audit,
                modules: [SidecarRecordsRoutes(audit: audit, tokens: tokens, keys: APIKeyTable(), clock: clock)])
        }

        func report(_ identifier: String, lastUsedAt: Int64 = 0) async throws -> Reply {
            let records = SidecarRecords(
                writer: "w",
                entries: [
                    [
                        "action": "decision.check", "actor": "a", "resource": "/", "outcome": "success",
                        "tenant": "globex",
                    ]
                ],
                tokenUses: [
                    CredentialUse(
                        identifier: identifier, count: 2, lastUsedAt: Timestamp(microseconds: lastUsedAt))
                ])
            return try await gate.send(
                .post, "/v1/sidecar/records", [("content-type", "application/json")],
                body: String(decoding: records.encoded(), as: UTF8.self))
        }

        func uses(_ identifier: String) -> Int64? { tokens.entry(identifier)?.current.useCount }
    }

    @Test func whoSpeaksForThePlatformAndHasATenantSpeaksForThatTenantAlone() async throws {
        let world = World(platform: true, tenant: "acme")
        for name in ["mine", "globex"] { #expect(try await world.report(name).status == 200) }
        #expect(world.uses("mine") == 2 && world.uses("globex") == 0)
        #expect(world.gate.audit.queued.map(\.tenant) == ["acme", "acme"])
    }

    @Test func whoBelongsToNobodyTellsNothing() async throws {
        let world = World(platform: false, tenant: nil)
        let reply = try await world.report("mine")
        #expect(reply.status == 403 && reply.code == "policy.tenant_denied")
        #expect(world.uses("mine") == 0 && !world.gate.audit.queued.contains { $0.action == "decision.check" })
    }

    @Test(arguments: [(Int64.min, "1970-01-01T00:00:00Z"), (Int64.max, "2026-03-01T12:00:00Z")])
    func aUseIsNeverBeforeTheEpochOrToCome(said: Int64, shown: String) async throws {
        let world = World(platform: false, tenant: "acme")
        #expect(try await world.report("mine", lastUsedAt: said).status == 200)
        #expect(world.tokens.entry("mine")?.current.lastUsedAt?.rfc3339 == shown)
    }
}
