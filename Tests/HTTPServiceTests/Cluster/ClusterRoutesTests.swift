// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Pipeline
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite struct ClusterRoutesTests {
    /// A cluster that answers what it was asked.
    private final class FakeCluster: ClusterService {
        let asked = Mutex<[String]>([])

        var isInCluster: Bool { true }

        private func note(_ text: String) { asked.withLock { $0.append(text) } }

        func status() async -> JSONObject { ["in_cluster": true] }

        func checkScale(_ body: JSONObject) throws(Refusal) {
            guard body["replicas"] != nil else { throw Refusal(.requestMalformed) }
        }

        func scale(_ body: JSONObject, actor: String) async throws(Refusal) -> JSONObject {
            note("scale by \(actor)")
            return ["before": 1, "after": body["replicas"] ?? .null]
        }

        func health(dryRun: Bool) async throws(Refusal) -> JSONObject {
            note("health \(dryRun)")
            return ["dry_run": .bool(dryRun)]
        }

        func reconcile() async throws(Refusal) -> JSONObject {
            note("reconcile")
            return ["duration_ms": 1]
        }

        func actions(limit: Int) async throws(Refusal) -> [JSONValue] { [.int(Int64(limit))] }
    }

    /// A leader that is elsewhere, or nowhere.
    private final class FakeLeader: LeaderForwarding {
        let sent = Mutex<[ForwardedRequest]>([])
        let isLeading: Bool
        let answer: ForwardedAnswer?

        init(isLeading: Bool = false, answer: ForwardedAnswer? = nil) {
            self.isLeading = isLeading
            self.answer = answer
        }

        func forward(_ request: ForwardedRequest) async throws(Refusal) -> ForwardedAnswer {
            sent.withLock { $0.append(request) }
            guard let answer else { throw Refusal(.k8sNoLeader, retryAfterSeconds: 2) }
            return answer
        }
    }

    private func gate(_ cluster: any ClusterService, leader: (any LeaderForwarding)? = nil) -> Gate {
        var gate = Gate()
        gate.modules = [ClusterRoutes(service: cluster)]
        gate.leader = leader
        return gate
    }

    @Test func answersWhereItLeads() async throws {
        let cluster = FakeCluster()
        let gate = gate(cluster, leader: FakeLeader(isLeading: true))
        #expect(try await gate.send(.get, "/v1/k8s/status").json == ["in_cluster": true])
        let scaled = try await gate.send(.post, "/v1/k8s/scale", body: #"{"replicas":3}"#)
        #expect(scaled.json == ["before": 1, "after": 3])
        #expect(try await gate.send(.post, "/v1/k8s/health?dry_run=true").json == ["dry_run": true])
        #expect(try await gate.send(.post, "/v1/k8s/health", body: "{}").json == ["dry_run": false])
        #expect(try await gate.send(.post, "/v1/k8s/reconcile").status == 200)
        #expect(cluster.asked.withLock { $0 } == ["scale by ci", "health true", "health false", "reconcile"])
        #expect(try await gate.send(.get, "/v1/k8s/actions").text == "[100]")
        #expect(try await gate.send(.get, "/v1/k8s/actions?limit=7").text == "[7]")
        #expect(gate.audit.durable.map(\.metadata).first?["after"] == 3)
    }

    @Test func refusesWhatItDoesNotKnow() async throws {
        let gate = gate(FakeCluster())
        for (path, body, status, code) in [
            ("scale", "{", 400, "request.malformed"), ("scale", "{}", 400, "request.malformed"),
            ("health?dry_run=maybe", "", 422, "request.invalid"), ("health?dry=true", "", 400, "request.malformed"),
            ("health", #"{"a":1}"#, 400, "request.malformed"), ("reconcile", #"{"a":1}"#, 400, "request.malformed"),
            ("reconcile?a=b", "", 400, "request.malformed"),
        ] {
            let reply = try await gate.send(.post, "/v1/k8s/\(path)", body: body)
            #expect(reply.status == status && reply.code == code, "\(path) \(body): \(reply.text)")
        }
        for limit in ["0", "1001", "-1", "x"] {
            let reply = try await gate.send(.get, "/v1/k8s/actions?limit=\(limit)")
            #expect(reply.status == 422 && reply.code == "request.invalid")
        }
    }

    @Test func withoutAClusterOnlyStatusAnswers() async throws {
        let gate = gate(
            NoCluster { body throws(Refusal) in
                guard body["replicas"] != nil else { throw Refusal(.requestMalformed) }
            })
        let status = try await gate.send(.get, "/v1/k8s/status")
        #expect(status.status == 200 && status.json["in_cluster"] == false && status.json["pods"] == .null)
        #expect(status.json.objectValue?.count == 19)
        #expect(try await gate.send(.get, "/v1/k8s/actions").text == "[]")
        // What is wrong with the body is said first.
        #expect(try await gate.send(.post, "/v1/k8s/scale", body: "{}").code == "request.malformed")
        for (path, body) in [("scale", #"{"replicas":1}"#), ("health", ""), ("reconcile", "")] {
            let reply = try await gate.send(.post, "/v1/k8s/\(path)", body: body)
            #expect(reply.status == 503 && reply.code == "k8s.not_in_cluster")
        }
    }

    @Test func aFollowerSendsOnWithTheCallersOwnCredential() async throws {
        let leader = FakeLeader(
            answer: ForwardedAnswer(
                status: 409,
                headers: HeaderList([
                    ("content-type", "application/json"), ("x-request-id", "of-the-leader"), ("set-cookie", "a=b"),
                    ("server", "x"),
                ]), body: Array(#"{"code":"k8s.hpa_controls"}"#.utf8)))
        let cluster = FakeCluster()
        let gate = gate(cluster, leader: leader)
        let reply = try await gate.send(
            .post, "/v1/k8s/scale",
            [
                ("Authorization", "Bearer t"), ("X-Request-Id", "chosen-by-me"), ("X-Forwarded-For", "9.9.9.9"),
                ("X-Real-Ip", "9.9.9.9"), ("X-Forwarded-Client-Cert", "Hash=x"), ("Idempotency-Key", "k"),
                ("Content-Type", "application/json"), ("X-Else", "1"),
            ], body: #"{"replicas": 3}"#)
        #expect(reply.status == 409 && reply.code == "k8s.hpa_controls")
        #expect(reply["set-cookie"] == nil && reply["server"] == nil)
        #expect(cluster.asked.withLock { $0 } == [])
        let sent = try #require(leader.sent.withLock { $0.first })
        #expect(sent.method == "POST" && sent.target == "/v1/k8s/scale")
        #expect(String(decoding: sent.body, as: UTF8.self) == #"{"replicas": 3}"#)
        #expect(sent.headers.all("authorization") == ["Bearer t"])
        #expect(sent.headers.all("idempotency-key") == ["k"])
        #expect(sent.headers.all("x-tollgate-forwarded") == ["1"])
        // Nobody but a trusted proxy says where a request is from.
        #expect(sent.headers.all("x-forwarded-for") == ["192.0.2.10"])
        #expect(sent.headers.all("x-real-ip") == [] && sent.headers.all("x-else") == [])
        #expect(sent.headers.all("x-forwarded-client-cert") == [])
        #expect(sent.headers.all("x-request-id").count == 1)
        let entry = try #require(gate.audit.durable.first)
        #expect(entry.metadata["forwarded"] == true && entry.metadata["status"] == 409)
        #expect(entry.metadata["leader_request_id"] == "of-the-leader")
        // What every replica answers is not sent on.
        _ = try await gate.send(.get, "/v1/k8s/status")
        #expect(leader.sent.withLock { $0.count } == 1)
    }

    /// The leader may know nothing of a session here.
    @Test func aFollowerSendsTheTokenOfASession() async throws {
        let leader = FakeLeader(answer: ForwardedAnswer(status: 200, headers: HeaderList(), body: []))
        let now = Timestamp(seconds: 1_772_366_400)
        let session = SessionRecord(
            id: "id", issuer: "i", userID: "ci", createdAt: now, lastActivity: now, expiresAt: now,
            tokens: SessionRecord.Tokens(access: "hush", refresh: nil, accessExpiresAt: now))
        var gate = gate(FakeCluster(), leader: leader)
        gate.decider = FakeDecider(admit: { request in
            guard case .allowed(let admitted) = FakeDecider.admitted(request) else {
                return FakeDecider.admitted(request)
            }
            var caller = admitted
            caller.session = session
            return .allowed(caller)
        })
        let headers = [("Cookie", "__Host-tollgate-session=id"), ("X-CSRF-Token", session.proof), ("Accept", "*/*")]
        #expect(try await gate.send(.post, "/v1/k8s/scale", headers, body: #"{"replicas":3}"#).status == 200)
        let sent = try #require(leader.sent.withLock { $0.first })
        #expect(sent.headers.all("authorization") == ["Bearer hush"])
        #expect(sent.headers.all("cookie") == [] && sent.headers.all("x-csrf-token") == [])
        #expect(sent.headers.all("accept") == ["*/*"])
    }

    @Test func whatIsWrongWithTheBodyIsSaidHere() async throws {
        let leader = FakeLeader()
        let reply = try await gate(FakeCluster(), leader: leader).send(.post, "/v1/k8s/scale", body: "{}")
        #expect(reply.code == "request.malformed")
        #expect(leader.sent.withLock { $0.isEmpty })
    }

    @Test func withoutALeaderItSaysWhenToComeBack() async throws {
        let gate = gate(FakeCluster(), leader: FakeLeader())
        let lost = try await gate.send(.post, "/v1/k8s/reconcile")
        #expect(lost.status == 503 && lost.code == "k8s.no_leader" && lost["retry-after"] == "2")
        // A call that was sent on goes no further.
        let leader = FakeLeader(answer: ForwardedAnswer(status: 200, headers: HeaderList(), body: []))
        let again = try await self.gate(FakeCluster(), leader: leader).send(
            .post, "/v1/k8s/reconcile", [("X-Tollgate-Forwarded", "1")])
        #expect(again.status == 503 && again.code == "k8s.no_leader" && again["retry-after"] == "2")
        #expect(leader.sent.withLock { $0.isEmpty })
    }
}
