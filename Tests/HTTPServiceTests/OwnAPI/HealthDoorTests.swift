// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Pipeline
internal import Testing

@Suite struct HealthDoorTests {
    @Test(arguments: [ListenerDuties.ownAPI, .forwardAuth, .probes])
    func isHealthyEverywhere(_ duties: ListenerDuties) async throws {
        var gate = Gate()
        gate.duties = duties
        for path in ["/health", "/healthz"] {
            let reply = try await gate.send(.get, path)
            #expect(reply.status == 200)
            #expect(reply.json == ["status": "ok", "timestamp": "2026-03-01T12:00:00Z"])
        }
        #expect(gate.audit.queued.isEmpty)
    }

    @Test func saysThatItDrains() async throws {
        var gate = Gate()
        gate.readiness.isDraining = true
        #expect(try await gate.send(.get, "/health").json["status"] == "draining")
        #expect(try await gate.send(.get, "/health").status == 200)
        #expect(try await gate.send(.get, "/readyz").status == 503)
        #expect(try await gate.send(.get, "/livez").status == 200)
    }

    @Test func listsChecksOnTheProbeListener() async throws {
        var gate = Gate()
        gate.duties = .probes
        gate.readiness.list.append(ReadinessCheck(name: "keys", status: .degraded, detail: "stale"))
        let reply = try await gate.send(.get, "/readyz?verbose")
        #expect(reply.status == 200)
        #expect(reply.text == "[+]snapshot ok: generation 7\n[+]keys degraded: stale\nreadyz check passed\n")
        gate.readiness.list.append(ReadinessCheck(name: "store", status: .failed, detail: "closed"))
        let failed = try await gate.send(.get, "/readyz?verbose")
        #expect(failed.status == 503)
        #expect(failed.text.contains("[-]store failed: closed"))
        #expect(try await gate.send(.get, "/readyz").text == "not ready\n")
    }

    @Test func listsChecksOnTheAPIOnlyForAKnownCaller() async throws {
        #expect(try await Gate().send(.get, "/readyz?verbose").text.contains("snapshot ok"))
        let anonymous = Gate(
            decider: FakeDecider(admit: { _ in
                .allowed(
                    OwnCaller(
                        principal: .anonymous, admin: false, action: "http.public", route: "GET /readyz",
                        canonicalPath: "/readyz", holds: { _ in false }))
            }))
        #expect(try await anonymous.send(.get, "/readyz?verbose").text == "ok\n")
    }

    @Test func showsMetricsToTheAllowedAndOnTheProbeListener() async throws {
        var gate = Gate()
        let reply = try await gate.send(.get, "/metrics")
        #expect(reply.status == 200)
        #expect(reply["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(reply.text.contains("# TYPE tollgate_decisions_in_flight gauge"))
        #expect(gate.audit.queued.isEmpty)
        #expect(gate.decider.own.count == 1)
        gate.duties = .probes
        #expect(try await gate.send(.get, "/metrics").status == 200)
        #expect(gate.decider.own.count == 1)
        #expect(try await gate.send(.get, "/v1/auth/me").code == "request.not_found")
    }
}
