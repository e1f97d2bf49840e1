// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The own Deployment as the endpoints below `/v1/k8s` show and change it.
package protocol ClusterService: Sendable {
    /// Whether there is a cluster; without one nothing but `status` is of use.
    var isInCluster: Bool { get }
    /// `GET /v1/k8s/status`.
    func status() async -> JSONObject
    /// Tests the body of `POST /v1/k8s/scale` itself.
    ///
    /// - Throws: `request.malformed`, `k8s.bad_replicas`.
    func checkScale(_ body: JSONObject) throws(Refusal)
    /// `POST /v1/k8s/scale`.
    ///
    /// - Parameter actor: the verified subject.
    func scale(_ body: JSONObject, actor: String) async throws(Refusal) -> JSONObject
    /// `POST /v1/k8s/health`.
    func health(dryRun: Bool) async throws(Refusal) -> JSONObject
    /// `POST /v1/k8s/reconcile`.
    func reconcile() async throws(Refusal) -> JSONObject
    /// `GET /v1/k8s/actions`: what was done, the newest first.
    func actions(limit: Int) async throws(Refusal) -> [JSONValue]
}

/// Where there is no cluster.
package struct NoCluster: ClusterService {
    /// What `status` always has, in its order.
    package static let members = [
        "in_cluster", "namespace", "pod_name", "pod_ip", "node_name", "deployment_name", "replicas",
        "available_replicas", "ready_replicas", "updated_replicas", "leader", "leader_identity", "hpa",
        "deployment_mode", "self_heal", "suspended", "last_reconcile", "last_error", "pods",
    ]

    private let check: @Sendable (JSONObject) throws(Refusal) -> Void

    /// - Parameter check: tests the body of a wish to scale.
    package init(check: @escaping @Sendable (JSONObject) throws(Refusal) -> Void) { self.check = check }

    package var isInCluster: Bool { false }

    package func status() async -> JSONObject {
        var status = JSONObject(Self.members.map { ($0, JSONValue.null) })
        status["in_cluster"] = false
        return status
    }

    package func checkScale(_ body: JSONObject) throws(Refusal) { try check(body) }

    package func scale(_ body: JSONObject, actor: String) async throws(Refusal) -> JSONObject {
        throw Refusal(.k8sNotInCluster)
    }

    package func health(dryRun: Bool) async throws(Refusal) -> JSONObject { throw Refusal(.k8sNotInCluster) }

    package func reconcile() async throws(Refusal) -> JSONObject { throw Refusal(.k8sNotInCluster) }

    package func actions(limit: Int) async throws(Refusal) -> [JSONValue] { [] }
}
