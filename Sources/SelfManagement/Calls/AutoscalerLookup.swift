// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import ResourceModel

/// Finds the HorizontalPodAutoscaler that decides on the replicas of a workload.
package struct AutoscalerLookup: Sendable {
    private let api: any KubernetesAPI
    private let groups: ClusterGroups

    /// - Parameter groups: what is known of the server's versions.
    package init(api: any KubernetesAPI, groups: ClusterGroups) {
        self.api = api
        self.groups = groups
    }

    /// The name of the autoscaler, the first by name; nil when there is none.
    package func autoscaler(of workload: APIObjectReference) async throws(KubernetesError) -> String? {
        let version = try await groups.version(of: "autoscaling", among: ["v2", "v1"])
        let resource = APIResource(
            group: "autoscaling", version: version, plural: "horizontalpodautoscalers",
            kind: "HorizontalPodAutoscaler")
        var found: [String] = []
        var token: String?
        repeat {
            let page = try await api.list(
                ListQuery(ObjectSelection(resource, namespace: workload.namespace), continueToken: token)
            ) { object in
                let target = object["spec"]?["scaleTargetRef"]
                guard target?["kind"]?.stringValue == workload.resource.kind,
                    target?["name"]?.stringValue == workload.name,
                    Self.group(target?["apiVersion"]?.stringValue ?? workload.resource.apiVersion)
                        == workload.resource.group,
                    let name = object["metadata"]?["name"]?.stringValue
                else { return }
                found.append(name)
            }
            token = page.continueToken
        } while token != nil
        return found.min()
    }

    private static func group(_ apiVersion: String) -> Substring {
        apiVersion.contains("/") ? apiVersion.prefix { $0 != "/" } : ""
    }
}
