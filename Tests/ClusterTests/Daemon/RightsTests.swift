// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// The daemon with the rights of the chart and no others, on an API server that keeps account of what it is asked.
@Suite(.timeLimit(.minutes(30))) struct RightsTests {
    private static let account = "system:serviceaccount:tollgate-system:tollgate"
    private static let values: JSONValue = [
        "watchNamespaces": ["tollgate-system", "acme"], "rbac": ["tokenReview": true],
    ]

    /// Rights that a run need not use, and why they are given.
    private static let unused: [(why: String, rights: [String])] = [
        (
            "asked about by the API server's admission, for owner references that block deletion",
            ["authconfigs", "servicetokens", "subscriptions", "toolmanifests"].map {
                "update tollgate.dev \($0)/finalizers"
            }
        ),
        (
            "a paged list, where the server offers no streaming one or it fails",
            ["authconfigs", "servicetokens", "subscriptions", "toolmanifests"].map { "list tollgate.dev \($0)" } + [
                "list core secrets", "list core configmaps", "list core namespaces",
            ]
        ),
        (
            "an object is read again when the cache does not catch up with an own write",
            ["authconfigs", "servicetokens", "subscriptions", "toolmanifests"].map { "get tollgate.dev \($0)" } + [
                "get core configmaps", "get core namespaces",
            ]
        ),
        ("an Event that happens again within minutes becomes a series", ["patch events.k8s.io events"]),
        (
            "self-management: the own Deployment, its scale and its Pods",
            [
                "get apps deployments", "list apps deployments", "watch apps deployments", "patch apps deployments",
                "get apps deployments/scale", "patch apps deployments/scale", "get apps replicasets", "get core pods",
                "list core pods", "watch core pods", "delete core pods", "create core pods/eviction",
                "list autoscaling horizontalpodautoscalers", "create core configmaps", "patch core configmaps",
            ]
        ),
    ]

    private static let objects = """
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: exporter, namespace: acme}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: reports, namespace: acme}
        spec:
          hosts: [reports.example]
          mode: required
          tokenReview: {enabled: true, audiences: [reports]}
          mappings: [{subject: "system:serviceaccount:acme:exporter", roles: [a2a-agent]}]
          policy:
            routes: [{methods: [GET], path: /v1/me, permission: "tasks:read"}]
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: ToolManifest
        metadata: {name: hello, namespace: acme}
        spec: {manifest: {tool_id: hello, version: 1.0.0}}
        ---

        """

    @Test func theRightsOfTheChartAreEnoughAndUsed() async throws {
        let folder = try TemporaryDirectory()
        let policy = try folder.write(
            """
            apiVersion: audit.k8s.io/v1
            kind: Policy
            omitStages: [RequestReceived]
            rules:
              - {level: Metadata, users: ["\(Self.account)"]}
              - {level: None}
            """, to: "audit-policy.yaml")
        let log = folder.path("audit.log")
        let chart = try await GrantedRights.rendered(Self.values)
        let flags = "--audit-policy-file=\(policy) --audit-log-path=\(log) --audit-log-mode=blocking"
        try await ControlPlane.with(settings: ["CONTROL_PLANE_APISERVER_ARGS": flags]) { plane in
            try await install(chart, on: plane)
            let daemon = try ClusterDaemon(
                "rights", kubeconfig: try await kubeconfig(plane, folder), own: "tollgate-system",
                watched: "tollgate-system,acme", settings: ["TOLLGATE_AUTH_TOKEN": ""])
            try await daemon.running { _ in try await use(daemon, plane) }
        }

        let granted = GrantedRights.granted(chart)
        let requests = try GrantedRights.requests(log)
        for request in requests where request.status == 403 || !granted.contains(request.right) {
            Issue.record("the chart does not give \(request.right): \(request.line)")
        }
        let allowance = Set(Self.unused.flatMap(\.rights))
        #expect(granted.subtracting(requests.map(\.right)).subtracting(allowance).sorted() == [])
        #expect(allowance.subtracting(granted).sorted() == [], "these are excused and not given")
    }

    private func install(_ chart: [JSONValue], on plane: ControlPlane) async throws {
        _ = try await plane.kubectlOutput(["apply", "-f", Repository.root.appending(path: "crds").path])
        _ = try await plane.kubectlOutput(["wait", "--for=condition=Established", "--timeout=120s", "crd", "--all"])
        for name in ["tollgate-system", "acme"] { _ = try await plane.kubectlOutput(["create", "namespace", name]) }
        _ = try await plane.kubectlOutput(["label", "namespace", "acme", "tollgate.dev/tenant=acme"])
        let list: JSONValue = ["apiVersion": "v1", "kind": "List", "items": .array(chart)]
        let rights = try plane.folder.write(list.jsonText, to: "rights.json")
        _ = try await plane.kubectlOutput(["apply", "-f", rights])
        let objects = try plane.folder.write(
            Self.objects + Installation(namespace: "acme").objects(), to: "objects.yaml")
        _ = try await plane.kubectlOutput(["apply", "--server-side", "-f", objects])
    }

    /// The administrator's kubeconfig with the account's token.
    private func kubeconfig(_ plane: ControlPlane, _ folder: TemporaryDirectory) async throws -> String {
        let token = try await plane.kubectlOutput([
            "-n", "tollgate-system", "create", "token", "tollgate", "--duration=2h",
        ])
        let own = try YAMLText.json(String(contentsOfFile: plane.kubeconfig, encoding: .utf8))
        let document: JSONValue = [
            "apiVersion": "v1", "kind": "Config", "clusters": own["clusters"] ?? .null, "current-context": "it",
            "contexts": [
                [
                    "name": "it",
                    "context": [
                        "cluster": own["clusters"]?.arrayValue?.first?["name"] ?? .null, "user": "tollgate",
                    ],
                ]
            ],
            "users": [
                [
                    "name": "tollgate",
                    "user": ["token": .string(token.trimmingCharacters(in: .whitespacesAndNewlines))],
                ]
            ],
        ]
        return try folder.write(document.jsonText, to: "kubeconfig")
    }

    /// What a cluster sees in its first weeks.
    private func use(_ daemon: ClusterDaemon, _ plane: ControlPlane) async throws {
        let place = Installation(namespace: "acme")
        _ = try await plane.kubectlOutput([
            "-n", "acme", "wait", "--for=condition=Ready", "--timeout=180s", "authconfig/api", "authconfig/reports",
            "servicetoken/ci", "subscription/plan",
        ])
        try await Eventually.holds("the manifest to be judged") {
            try await plane.kubectlOutput([
                "-n", "acme", "get", "toolmanifest", "hello", "-o",
                "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}",
            ]) == "False"
        }
        let admin = try await secret("tollgate-admin-token", in: "tollgate-system", plane)
        let text = try await secret("ci-token", in: "acme", plane)
        #expect(try await daemon.decide(host: place.host, token: text, asking: admin) == "allow")
        let reviewed = try await plane.kubectlOutput([
            "-n", "acme", "create", "token", "exporter", "--audience=reports",
        ])
        .trimmingCharacters(in: .whitespacesAndNewlines)
        try await Eventually.holds("the cluster's word on an account") {
            try await daemon.decide(host: "reports.example", token: reviewed, asking: admin) == "allow"
        }

        for turn in 1...2 {
            let before = try await secret("ci-token", in: "acme", plane)
            _ = try await plane.kubectlOutput([
                "-n", "acme", "annotate", "--overwrite", "servicetoken", "ci", "tollgate.dev/rotate=\(turn)",
            ])
            try await Eventually.holds("the token to be rotated") {
                try await secret("ci-token", in: "acme", plane) != before
            }
        }
        _ = try await plane.kubectlOutput([
            "-n", "acme", "patch", "servicetoken", "ci", "--type=merge", "-p", #"{"spec": {"revoked": true}}"#,
        ])
        try await Eventually.holds("the revoked text to be refused") {
            try await daemon.decide(host: place.host, token: text, asking: admin) == "auth.token_revoked"
        }
        // Both have a finalizer: kubectl waits until it is taken off.
        _ = try await plane.kubectlOutput(["-n", "acme", "delete", "servicetoken/ci", "subscription/plan"])
        let left = try await plane.kubectl(["-n", "acme", "get", "secret", "ci-token"])
        #expect(left.status != 0, "the Secret goes with its object")
        #expect(try await daemon.metrics().contains(#"leader_election_master_status{name="tollgate"} 1"#))
    }

    private func secret(_ name: String, in namespace: String, _ plane: ControlPlane) async throws -> String {
        let encoded = try await plane.kubectlOutput([
            "-n", namespace, "get", "secret", name, "-o", "jsonpath={.data.token}",
        ])
        return String(decoding: Data(base64Encoded: encoded) ?? Data(), as: UTF8.self)
    }
}
