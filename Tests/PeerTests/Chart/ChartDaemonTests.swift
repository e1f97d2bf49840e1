// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// The daemon on a real API server with the rights that the chart gives it, and with no others.
@Suite(.timeLimit(.minutes(30))) struct ChartDaemonTests {
    private static let account = "system:serviceaccount:tollgate-system:tollgate"

    /// Rights that no request of this test needs, and why they are there.
    private static func expected(watched: [String], isOwnWatched: Bool) -> Set<String> {
        var rights: Set<String> = []
        for place in watched {
            let role = "\(place)/tollgate-objects: "
            for kind in ["authconfigs", "servicetokens", "subscriptions", "toolmanifests"] {
                // One object is read only after a conflict: its watch has it.
                rights.insert(role + "tollgate.dev/\(kind): get")
                // Asked by the admission plugin OwnerReferencesPermissionEnforcement, where a cluster has it.
                rights.insert(role + "tollgate.dev/\(kind)/finalizers: update")
            }
            rights.insert(role + "/configmaps: get")
        }
        // A template is kept in mode own, and what healing by alerts remembers where that is on.
        let own = "tollgate-system/tollgate-self: "
        rights.insert(own + "/configmaps[tollgate-template,tollgate-healing-state]: create")
        rights.insert(own + "/configmaps[tollgate-template,tollgate-healing-state]: patch")
        if !isOwnWatched {
            rights.insert(own + "/configmaps[tollgate-policy]: get")
            // The same Event again.
            rights.insert(own + "events.k8s.io/events: patch")
        }
        rights.insert("*/tollgate-cluster: /namespaces: get")
        return rights
    }

    private static func values(watched: [String]) -> JSONValue {
        ["watchNamespaces": .strings(watched), "rbac": ["tokenReview": true]]
    }

    private static let extra = """
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: exporter, namespace: acme}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: reports, namespace: acme}
        spec:
          hosts: [reports.acme.example]
          mode: required
          tokenReview: {enabled: true, audiences: [reports]}
          policy: {routes: [{methods: [GET], path: /v1/me, authenticated: true}]}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: ToolManifest
        metadata: {name: unsigned, namespace: acme}
        spec: {manifest: {tool_id: unsigned}}

        """

    @Test(arguments: [["tollgate-system", "acme"], ["acme", "beta"]])
    func worksWithTheRightsOfTheChart(watched: [String]) async throws {
        let folder = try TemporaryDirectory()
        try folder.write(AuditedRequests.policy, to: "policy.yaml")
        let log = folder.path("audit.log")
        let arguments = "--audit-policy-file \(folder.path("policy.yaml")) --audit-log-path \(log)"
        try await ControlPlane.with(settings: ["CONTROL_PLANE_APISERVER_ARGS": arguments]) { plane in
            for name in ["acme", "beta"] {
                try await plane.kubectlOutput(["create", "namespace", name])
                try await plane.kubectlOutput(["label", "namespace", name, "tollgate.dev/tenant=\(name)"])
            }
            _ = try await HelmEngine.ask([
                [
                    "do": "install", "chart": .string(HelmEngine.chart), "name": "tollgate",
                    "values": Self.values(watched: watched), "namespace": "tollgate-system",
                    "kubeconfig": .string(plane.kubeconfig),
                ]
            ])[0].value()
            try await plane.kubectlOutput(["wait", "--for=condition=Established", "--timeout=120s", "crd", "--all"])
            try await plane.kubectlOutput([
                "apply", "-f", Repository.root.appending(path: "manifests/samples").path,
            ])
            try await plane.kubectlOutput(["apply", "-f", try folder.write(Self.extra, to: "extra.yaml")])
            try await Self.live(plane, folder, watched: watched)

            let chart = try await HelmEngine.rendered(Self.values(watched: watched))
            let roles = (chart.all("Role") + chart.all("ClusterRole")).filter { role in
                // Those of people are bound to nobody here.
                ["objects", "self", "cluster"].contains { role["metadata"]?["name"] == .string("tollgate-\($0)") }
            }
            let requests = try AuditedRequests(log: log, account: Self.account)
            #expect(requests.forbidden == [])
            let used = watched.filter { $0 != "beta" }
            // Nothing is in that namespace: its objects are only watched.
            let unused = requests.unused(of: roles).filter {
                !$0.hasPrefix("beta/") && !$0.hasPrefix("tollgate-system/tollgate-objects")
            }
            let expected = Self.expected(watched: used, isOwnWatched: watched.contains("tollgate-system"))
                .filter { !$0.hasPrefix("tollgate-system/tollgate-objects") }
            #expect(unused.subtracting(expected) == [], "rights that nothing used")
            #expect(expected.subtracting(unused) == [], "rights that are used, and need no reason")
        }
    }

    /// A day of the daemon: it becomes ready, mints, restores, reviews, cleans up and goes.
    private static func live(_ plane: ControlPlane, _ folder: TemporaryDirectory, watched: [String]) async throws {
        let token = try await plane.kubectlOutput(["-n", "tollgate-system", "create", "token", "tollgate"])
            .trimmingCharacters(in: .whitespacesAndNewlines)
        var config = try YAMLText.json(String(contentsOfFile: plane.kubeconfig, encoding: .utf8)).objectValue ?? [:]
        let user = config["users"]?.arrayValue?.first?["name"] ?? .null
        config["users"] = [["name": user, "user": ["token": .string(token)]]]
        let kubeconfig = try folder.write(JSONValue.object(config).line, to: "kubeconfig")
        let (port, probePort) = (try FreePort.next(), try FreePort.next())
        let pod = try await pods(plane, 1)[0]
        try await PeerProcess.with(
            name: "tollgate", executable: PeerPaths.tollgate(), arguments: ["run", "--kubeconfig", kubeconfig],
            environment: [
                "TOLLGATE_LISTEN": "127.0.0.1:\(port)", "TOLLGATE_PROBE_LISTEN": "127.0.0.1:\(probePort)",
                "TOLLGATE_DATA_DIR": folder.path("data"), "TOLLGATE_DRAIN_DELAY": "0s", "TOLLGATE_LOG_FORMAT": "text",
                "TOLLGATE_DECISION_TIMEOUT": "10s", "TOLLGATE_RECONCILE_INTERVAL": "1h",
                "TOLLGATE_WATCH_NAMESPACES": watched.joined(separator: ","), "POD_NAME": pod,
                "POD_NAMESPACE": "tollgate-system", "POD_IP": "127.0.0.1",
            ], folder: folder
        ) { process in
            try await process.wait(forStatus: 200, of: "/readyz", port: probePort, within: .seconds(180))
            let wait = ["-n", "acme", "wait", "--for=condition=Ready", "--timeout=120s"]
            try await plane.kubectlOutput(wait + ["authconfig", "--all"])
            try await plane.kubectlOutput(wait + ["servicetoken", "--all"])
            try await plane.kubectlOutput(wait + ["subscription", "--all"])

            // The admin token was made, and lets somebody ask about a service account.
            let encoded = try await plane.kubectlOutput([
                "-n", "tollgate-system", "get", "secret", "tollgate-admin-token", "-o", "jsonpath={.data.token}",
            ])
            let admin = String(decoding: try #require(Data(base64Encoded: encoded)), as: UTF8.self)
            let caller = try await plane.kubectlOutput([
                "-n", "acme", "create", "token", "exporter", "--audience=reports",
            ]).trimmingCharacters(in: .whitespacesAndNewlines)
            let question: JSONValue = [
                "request": ["method": "GET", "host": "reports.acme.example", "path": "/v1/me"],
                "credential": .string(caller),
            ]
            let answer = try await PlainHTTP.send(
                "POST", "/v1/decisions", port: port,
                headers: [("Authorization", "Bearer \(admin)"), ("Content-Type", "application/json")],
                body: question.encoded())
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try answer.json()["decision"] == "allow", "\(answer.text)")

            try await heal(plane, as: pod, port: port, admin: admin)

            // A lost Secret is made again, and goes with its token.
            let name = try await plane.kubectlOutput([
                "-n", "acme", "get", "servicetokens", "-o",
                "jsonpath={.items[0].metadata.name} {.items[0].spec.secretName}",
            ]).split(separator: " ").map(String.init)
            try await plane.kubectlOutput(["-n", "acme", "delete", "secret", name[1]])
            try await Eventually.holds("the Secret to be restored") {
                try await plane.kubectl(["-n", "acme", "get", "secret", name[1]]).status == 0
            }
            try await plane.kubectlOutput(["-n", "acme", "annotate", "secret", name[1], "somebody=was-here"])
            try await plane.kubectlOutput([
                "-n", "acme", "patch", "secret", name[1], "--type=merge", "-p", #"{"data":null}"#,
            ])
            try await Eventually.holds("the text to be restored") {
                let text = try await plane.kubectlOutput([
                    "-n", "acme", "get", "secret", name[1], "-o", "jsonpath={.data.token}",
                ])
                return !text.isEmpty
            }
            try await plane.kubectlOutput(["-n", "acme", "delete", "servicetoken", name[0]])
            try await Eventually.holds("the Secret to go with its token") {
                try await plane.kubectl(["-n", "acme", "get", "secret", name[1]]).status != 0
            }
        }
    }

    /// Waits until there are so many of its own pods, which the controller-manager makes and nobody runs.
    private static func pods(_ plane: ControlPlane, _ count: Int) async throws -> [String] {
        try await Eventually.value("\(count) pods") {
            let names = try await plane.kubectlOutput([
                "-n", "tollgate-system", "get", "pods", "-o", "jsonpath={.items[*].metadata.name}",
            ]).split(separator: " ").map(String.init)
            return names.count == count ? names : nil
        }
    }

    /// It replaces a pod, deletes one that has ended, and scales itself.
    private static func heal(_ plane: ControlPlane, as own: String, port: Int, admin: String) async throws {
        func ask(_ path: String, _ body: JSONValue = [:]) async throws -> JSONValue {
            try await PlainHTTP.send(
                "POST", "/v1/k8s/\(path)", port: port,
                headers: [("Authorization", "Bearer \(admin)"), ("Content-Type", "application/json")],
                body: body.encoded()
            ).json()
        }
        func set(_ pod: String, _ status: String) async throws {
            try await plane.kubectlOutput([
                "-n", "tollgate-system", "patch", "pod", pod, "--subresource=status", "--type=merge", "-p",
                #"{"status":\#(status)}"#,
            ])
        }
        try await plane.kubectlOutput(["-n", "tollgate-system", "scale", "deployment/tollgate", "--replicas=4"])
        let others = try await pods(plane, 4).filter { $0 != own }
        let ready = #"{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}"#
        let lost = #"[{"type":"Ready","status":"False","lastTransitionTime":"2026-01-01T00:00:00Z"}]"#
        for pod in [own, others[0]] { try await set(pod, ready) }
        try await set(others[1], #"{"phase":"Running","conditions":\#(lost)}"#)
        try await set(others[2], #"{"phase":"Failed"}"#)
        // The one that has ended was replaced already.
        let new = try await pods(plane, 5).filter { $0 != own && !others.contains($0) }
        for pod in new { try await set(pod, ready) }
        try await Eventually.holds("the pods to be seen") {
            let plan = try await ask("health?dry_run=true")
            return plan["action"] == "evict" && plan["unhealthy"]?.arrayValue?.count == 2
        }
        let done = try await ask("health")
        let results = done["unhealthy"]?.arrayValue?.compactMap { $0["result"]?.stringValue } ?? []
        #expect(results.sorted() == ["deleted", "evicted"], "\(done.line)")
        let scaled = try await ask("scale", ["replicas": 1])
        #expect(scaled["after"] == 1, "\(scaled.line)")
    }
}
