// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// The rights that the chart gives: these and no others.
@Suite(.timeLimit(.minutes(20))) struct ChartRightsTests {
    /// In each watched namespace.
    private static func objects(_ place: String) -> [String] {
        let role = "\(place)/tollgate-objects: "
        let kinds = ["authconfigs", "servicetokens", "subscriptions", "toolmanifests"]
        let each = { (part: String) in kinds.map { $0 + part }.joined(separator: ",") }
        return [
            role + "tollgate.dev/\(each("")): get,list,watch",
            role + "tollgate.dev/servicetokens,subscriptions: patch",
            role + "tollgate.dev/\(each("/status")): patch",
            role + "tollgate.dev/\(each("/finalizers")): update",
            role + "/secrets: get,list,watch,create,patch,delete",
            role + "/configmaps: get,list,watch",
            role + "events.k8s.io/events: create,patch",
        ]
    }

    /// In the release's own namespace.
    private static let own = [
        "coordination.k8s.io/leases: create", "coordination.k8s.io/leases[tollgate]: get,update",
        "apps/deployments[tollgate]: get,list,watch,patch", "apps/deployments/scale[tollgate]: get,patch",
        "apps/replicasets: get", "/pods: get,list,watch,delete", "/pods/eviction: create",
        "autoscaling/horizontalpodautoscalers: list",
        "/configmaps[tollgate-template,tollgate-healing-state]: create,patch",
    ].map { "tollgate-system/tollgate-self: " + $0 }

    /// Beside those, where the own namespace is not watched.
    private static let unwatchedOwn = [
        "/configmaps[tollgate-policy]: get,list,watch",
        "/configmaps[tollgate-template,tollgate-healing-state]: get",
        "/secrets[tollgate-admin-token,tollgate-session-key]: get", "/secrets: list,watch,create",
        "events.k8s.io/events: create,patch",
    ].map { "tollgate-system/tollgate-self: " + $0 }

    /// For people, added to the cluster's own roles.
    private static let people = [
        "*/tollgate-view: tollgate.dev/authconfigs,servicetokens,subscriptions,toolmanifests: get,list,watch",
        "*/tollgate-edit: tollgate.dev/authconfigs,servicetokens,toolmanifests: create,update,patch,delete",
        "*/tollgate-admin: tollgate.dev/subscriptions: create,update,patch,delete",
    ]

    private static func healing(_ namespace: String) -> [String] {
        [
            "apps/deployments,statefulsets: get,patch", "apps/deployments/scale,statefulsets/scale: get,patch",
            "/pods: get,list", "/pods/eviction: create", "autoscaling/horizontalpodautoscalers: list",
        ].map { "\(namespace)/tollgate-healing: " + $0 }
    }

    private static let namespaces = "*/tollgate-cluster: /namespaces: get,list,watch"

    /// Values, and the rights that they give.
    private static let given: [(values: JSONValue, rules: [String])] = [
        ([:], objects("tollgate-system") + own + people),
        (
            ChartValues.twoNamespaces,
            objects("acme") + objects("beta") + own + unwatchedOwn + people + [namespaces]
        ),
        (["watchNamespaces": ["acme"]], objects("acme") + own + unwatchedOwn + people),
        (["watchNamespaces": ["*"]], objects("*") + own + people + [namespaces]),
        (
            ["rbac": ["tokenReview": true]],
            objects("tollgate-system") + own + people
                + ["*/tollgate-cluster: authentication.k8s.io/tokenreviews: create"]
        ),
        (
            ["selfManagement": ["deploymentMode": "own"]],
            objects("tollgate-system") + own + people + ["tollgate-system/tollgate-self: apps/deployments: create"]
        ),
        (
            ["autoheal": ["enabled": true]],
            objects("tollgate-system") + own + people + healing("tollgate-system")
        ),
        (
            ChartValues.healing,
            objects("tollgate-system") + own + people + healing("acme") + healing("crm")
                + ["*/tollgate-cluster: /nodes: get,patch"]
        ),
        (["rbac": ["create": false]], []),
    ]

    @Test func theseAndNoOthers() async throws {
        let answers = try await HelmEngine.render(Self.given.map(\.values))
        for (row, answer) in zip(Self.given, answers) {
            let rules = try RenderedChart(answer.value()).rules
            #expect(rules == row.rules.sorted(), "\(row.values.line)")
        }
    }

    @Test func nothingThatGivesMore() async throws {
        for answer in try await HelmEngine.render(ChartValues.all.map(\.values)) {
            let chart = try RenderedChart(answer.value())
            for role in chart.all("Role") + chart.all("ClusterRole") {
                for rule in role["rules"]?.arrayValue ?? [] {
                    let verbs = rule["verbs"]?.arrayValue ?? []
                    let resources = rule["resources"]?.arrayValue ?? []
                    #expect(!verbs.isEmpty && !resources.isEmpty && rule["nonResourceURLs"] == nil)
                    for verb: JSONValue in ["*", "escalate", "bind", "impersonate", "deletecollection"] {
                        #expect(!verbs.contains(verb), "\(rule.line)")
                    }
                    for resource: JSONValue in ["*", "*/*", "pods/exec", "serviceaccounts/token"] {
                        #expect(!resources.contains(resource), "\(rule.line)")
                    }
                }
            }
            // Each role is bound to the one account, but for those of people, which are added to the cluster's own.
            let bindings = chart.all("RoleBinding") + chart.all("ClusterRoleBinding")
            let people = chart.all("ClusterRole").filter {
                $0["metadata"]?["labels"]?.line.contains("aggregate") == true
            }
            #expect(bindings.count + people.count == chart.all("Role").count + chart.all("ClusterRole").count)
            for binding in bindings {
                #expect(binding["subjects"]?.arrayValue?.count == 1)
                #expect(binding["subjects"]?.arrayValue?.first?["namespace"] == "tollgate-system")
                #expect(binding["roleRef"]?["name"] == binding["metadata"]?["name"])
            }
        }
    }
}
