// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import KubernetesClient
internal import Logging
internal import Metrics
internal import ResourceModel
internal import SelfManagement
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(10))) struct SelfInfoTests {
    private func owned(_ kind: String, _ name: String, by owner: (kind: String, name: String)?) -> JSONValue {
        var metadata: JSONObject = ["name": .string(name), "namespace": "acme"]
        if let owner {
            metadata["ownerReferences"] = [
                [
                    "apiVersion": "apps/v1", "kind": .string(owner.kind), "name": .string(owner.name), "uid": "u",
                    "controller": true,
                ]
            ]
        }
        return [
            "apiVersion": kind == "Pod" ? "v1" : "apps/v1", "kind": .string(kind), "metadata": .object(metadata),
            "spec": kind == "Pod" ? ["nodeName": "n1"] : [:], "status": kind == "Pod" ? ["podIP": "10.0.0.7"] : [:],
        ]
    }

    private func found(_ objects: [JSONValue]) async throws -> SelfInfo {
        try await FakeAPIServer.with { server in
            for object in objects { try server.add(object) }
            let api = try HTTPKubernetesAPI(
                ClusterConnection(server: server.url), userAgent: "test", clock: SystemWallClock(),
                random: SeededRandom(seed: 1), metrics: NOOPMetricsHandler.instance,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let info = try await SelfInfoFinder(api: api).complete(SelfInfo(namespace: "acme", podName: "p"))
            await api.shutdown()
            return info
        }
    }

    @Test func followsOwnersToTheDeployment() async throws {
        let info = try await found([
            owned("Pod", "p", by: ("ReplicaSet", "rs")), owned("ReplicaSet", "rs", by: ("Deployment", "gate")),
        ])
        #expect(
            info
                == SelfInfo(
                    namespace: "acme", podName: "p", podIP: "10.0.0.7", nodeName: "n1", deployment: "gate"))
    }

    @Test func saysWhyThereIsNone() async throws {
        #expect(try await found([]).reason?.contains("there is no Pod p") == true)
        #expect(try await found([owned("Pod", "p", by: nil)]).reason?.contains("belongs to nothing") == true)
        let set = try await found([owned("Pod", "p", by: ("StatefulSet", "s"))])
        #expect(set.reason?.contains("StatefulSet s and to no Deployment") == true && set.deployment == nil)
        let bare = try await found([
            owned("Pod", "p", by: ("ReplicaSet", "rs")), owned("ReplicaSet", "rs", by: nil),
        ])
        #expect(bare.reason == "ReplicaSet rs belongs to no Deployment")
    }
}
