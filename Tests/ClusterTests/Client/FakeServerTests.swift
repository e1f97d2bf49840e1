// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import KubernetesClient
internal import ResourceModel
internal import TestSupport
internal import Testing

/// What only the fake server can do.
@Suite(.timeLimit(.minutes(10))) struct FakeServerTests {
    private static func secret(_ name: String, owner uid: JSONValue? = nil) -> JSONValue {
        var metadata: JSONObject = ["name": .string(name), "namespace": "acme"]
        if let uid {
            metadata["ownerReferences"] = [
                ["apiVersion": "tollgate.dev/v1alpha1", "kind": "ServiceToken", "name": "t", "uid": uid]
            ]
        }
        return ["apiVersion": "v1", "kind": "Secret", "metadata": .object(metadata), "stringData": ["k": "v"]]
    }

    @Test func tellsWhatItWasAsked() async throws {
        try await FakeAPIServer.with { server in
            try await ClusterClient.with(server) { api in
                _ = try await api.list(ListQuery(ObjectSelection(.secrets, namespace: "acme", labelSelector: "a=b"))) {
                    _ in
                }
                _ = try await api.patch(
                    APIObjectReference(.secrets, namespace: "acme", name: "s"), subresource: nil,
                    .apply(Self.secret("s"), force: true))
                #expect(server.usedRights == ["list core secrets", "patch core secrets"])
                #expect(server.requests(.list, .secrets).first?.query["labelSelector"] == "a=b")
                #expect(server.requests(.patch).first?.query["fieldManager"] == "tollgate")
                #expect(server.requests.allSatisfy { $0.userAgent.hasPrefix("tollgate/") })
                server.forgetRequests()
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test func forgetsHistory() async throws {
        try await FakeAPIServer.with { server in
            try server.add(Self.secret("a"))
            let version = "\(server.resourceVersion)"
            try server.add(Self.secret("b"))
            server.compact()
            try await ClusterClient.with(server) { api in
                var seen: [KubernetesError.Code] = []
                try await api.watch(
                    WatchQuery(
                        ObjectSelection(.secrets), resourceVersion: version, timeoutSeconds: 60,
                        idleTimeout: .seconds(60))
                ) { event in
                    if case .error(let error) = event { seen.append(error.code) }
                    return .goOn
                }
                #expect(seen == [.expired])
            }
        }
    }

    @Test func knowsTokensAndTheirAudiences() async throws {
        try await FakeAPIServer.with { server in
            server.setTokens([
                "good": .init(
                    name: "system:serviceaccount:acme:runner", uid: "u", groups: ["system:serviceaccounts"],
                    audiences: ["tollgate"])
            ])
            try await ClusterClient.with(server) { api in
                func review(_ token: String, _ audiences: [String]) async throws -> JSONValue? {
                    try await api.create(
                        [
                            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
                            "spec": ["token": .string(token), "audiences": .strings(audiences)],
                        ], in: .tokenReviews, namespace: nil, name: nil, subresource: nil)["status"]
                }
                let good = try await review("good", ["tollgate", "other"])
                #expect(good?["authenticated"] == true && good?["audiences"] == ["tollgate"])
                #expect(good?["user"]?["username"] == "system:serviceaccount:acme:runner")
                #expect(try await review("good", ["other"])?["authenticated"] != true)
                #expect(try await review("bad", ["tollgate"])?["authenticated"] != true)
            }
        }
    }

    @Test func refusesEvictionsForABudget() async throws {
        try await FakeAPIServer.with { server in
            try server.add([
                "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p", "namespace": "acme"], "spec": [:],
            ])
            server.setVersions(["v1beta1"], ofGroup: "policy")
            server.setDisruptionBudget("b")
            var settings = HTTPKubernetesAPI.Settings()
            settings.requestTimeout = .seconds(30)
            try await ClusterClient.with(server, settings: settings, time: HastyClock()) { api in
                #expect(try await api.versions(ofGroup: "policy") == ["v1beta1"])
                func evict(_ version: String) async throws(KubernetesError) {
                    _ = try await api.create(
                        [
                            "apiVersion": .string("policy/\(version)"), "kind": "Eviction",
                            "metadata": ["name": "p", "namespace": "acme"],
                        ], in: .pods, namespace: "acme", name: "p", subresource: "eviction")
                }
                await #expect(throws: KubernetesError.self) { try await evict("v1") }
                do throws(KubernetesError) {
                    try await evict("v1beta1")
                    Issue.record("a budget lets nothing through")
                } catch {
                    #expect(error.code == .tooManyRequests && error.message.contains("disruption budget"))
                }
                server.setDisruptionBudget(nil)
                try await evict("v1beta1")
                #expect(server.objects(.pods).isEmpty)
            }
        }
    }

    /// Pauses that are over at once.
    private struct HastyClock: MonotonicClock {
        private let usual = SystemMonotonicClock()

        func now() -> Duration { usual.now() }
        func pause(for duration: Duration) async throws {
            if duration > .seconds(20) { try await usual.pause(for: duration) }
        }
    }

    @Test func collectsGarbageWhenTold() throws {
        let server = try FakeAPIServer()
        let owner = try server.add([
            "apiVersion": "tollgate.dev/v1alpha1", "kind": "ServiceToken",
            "metadata": ["name": "t", "namespace": "acme"], "spec": ["secretName": "s"],
        ])
        try server.add(Self.secret("s", owner: owner["metadata"]?["uid"]))
        try server.add(Self.secret("free"))
        try server.collectGarbage()
        #expect(server.objects(.secrets).count == 2)
        try server.delete(APIObjectReference(.serviceTokens, namespace: "acme", name: "t"))
        #expect(server.objects(.secrets).count == 2)
        try server.collectGarbage()
        #expect(server.objects(.secrets).compactMap { $0["metadata"]?["name"]?.stringValue } == ["free"])
    }

    @Test func emptiesNamespacesThatGo() throws {
        let server = try FakeAPIServer()
        try server.add(Self.secret("a"))
        try server.delete(APIObjectReference(.namespaces, namespace: nil, name: "acme"))
        #expect(server.objects(.secrets).isEmpty && server.objects(.namespaces).count == 1)
        #expect(throws: APIStatus.self) { try server.add(Self.secret("b")) }
    }

    /// Whatever patch comes, the store holds: a random walk over objects, seeded.
    @Test func staysWholeUnderRandomChanges() throws {
        let random = SeededRandom(seed: 20_260_301)
        let server = try FakeAPIServer()
        for _ in 0..<FuzzCases.count(300) {
            let name = "s\(random.below(5))"
            let reference = APIObjectReference(.secrets, namespace: "acme", name: name)
            let before = server.resourceVersion
            switch random.below(4) {
            case 0: try server.add(Self.secret(name))
            case 1 where server.object(reference) != nil: try server.delete(reference)
            case 2 where server.object(reference) != nil:
                try server.change(reference, merging: ["data": ["k": .string(random.below(2) == 0 ? "YQ==" : "Yg==")]])
            case 3 where server.object(reference) != nil:
                try server.change(
                    reference, manager: "m\(random.below(3))",
                    merging: ["metadata": ["labels": ["l": .string("\(random.below(3))")]]])
            default: break
            }
            #expect(server.resourceVersion - before <= 1)
            for object in server.objects(.secrets) {
                let managed = object["metadata"]?["managedFields"]?.arrayValue ?? []
                #expect(!managed.isEmpty && object["metadata"]?["uid"] != nil)
            }
        }
    }
}
