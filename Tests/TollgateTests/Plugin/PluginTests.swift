// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import ResourceModel
internal import TestSupport
internal import Testing

@testable internal import tollgate

/// The binary under the name `kubectl-tollgate`, towards a fake API server.
@Suite(.timeLimit(.minutes(5))) struct PluginTests {
    private static let token = APIObjectReference(.serviceTokens, namespace: "acme", name: "nightly")

    private func kubeconfig(_ server: String, _ folder: TemporaryDirectory) throws -> String {
        try folder.write(
            """
            apiVersion: v1
            kind: Config
            current-context: here
            contexts:
              - {name: here, context: {cluster: one, namespace: acme}}
              - {name: away, context: {cluster: none}}
            clusters:
              - {name: one, cluster: {server: "\(server)"}}
              - {name: none, cluster: {server: "http://127.0.0.1:1"}}
            """, to: "kubeconfig")
    }

    private func plugin(_ arguments: [String], environment: [String: String] = [:], terminal: Bool = true) async
        -> CommandRun
    {
        await run(
            arguments, environment: environment, terminal: terminal, calledAs: "/usr/local/bin/kubectl-tollgate")
    }

    /// Runs with a fake API server and the environment that names it.
    private func withCluster(_ body: (FakeAPIServer, [String: String], TemporaryDirectory) async throws -> Void)
        async throws
    {
        let folder = try TemporaryDirectory()
        try await FakeAPIServer.with(namespaces: ["default", "acme", "tollgate-system"]) { server in
            try server.add([
                "apiVersion": "tollgate.dev/v1alpha1", "kind": "ServiceToken",
                "metadata": ["name": "nightly", "namespace": "acme"], "spec": ["secretName": "nightly"],
                "status": [
                    "identifier": "one",
                    "conditions": [["type": "Ready", "status": "False", "reason": "Expired", "message": "it is over"]],
                ],
            ])
            try server.add([
                "apiVersion": "tollgate.dev/v1alpha1", "kind": "Subscription",
                "metadata": ["name": "plan", "namespace": "acme"],
                "spec": ["tenant": "acme", "source": "manual", "plan": "pro"],
                "status": [
                    "plan": "pro", "state": "active", "creditsGranted": 100, "creditsUsed": 40, "creditsRemaining": 60,
                    "periodEnd": "2026-04-01T00:00:00Z",
                    "conditions": [["type": "Ready", "status": "True", "reason": "Active"]],
                ],
            ])
            try await body(server, ["KUBECONFIG": kubeconfig(server.url, folder)], folder)
        }
    }

    @Test func theNameOfTheFileChoosesTheCommands() async {
        #expect(CommandLineTool.root(calledAs: "/x/kubectl-tollgate") == KubectlTollgate.self)
        for name in ["tollgate", "/x/tollgate", "", "/x/kubectl-tollgate/tollgate"] {
            #expect(CommandLineTool.root(calledAs: name) == Tollgate.self, "\(name)")
        }
        let help = await plugin(["--help"])
        #expect(help.status == 0 && help.output.contains("USAGE: kubectl tollgate <subcommand>"), "\(help.output)")
        let rotate = await plugin(["token", "rotate", "--help"])
        #expect(rotate.output.contains("USAGE: kubectl tollgate token rotate"), "\(rotate.output)")
        let wrong = await plugin(["token", "rotate"])
        #expect(wrong.status == 2 && wrong.errors.contains("kubectl tollgate token rotate"), "\(wrong.errors)")
        #expect(await plugin(["run"]).status == 2)
    }

    @Test func statusShowsWhoLeadsAndWhatIsInForce() async throws {
        try await withCluster { server, environment, _ in
            let nobody = await plugin(["status"], environment: environment)
            #expect(
                nobody.output == """
                    Leader: unknown, there is no Lease tollgate-system/tollgate

                    KIND          NAMESPACE  NAME     READY  REASON   MESSAGE
                    ServiceToken  acme       nightly  False  Expired  it is over
                    Subscription  acme       plan     True   Active   -

                    """, "\(nobody.errors)")
            try server.add([
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": ["name": "gate", "namespace": "default"], "spec": ["holderIdentity": "pod-1_x"],
            ])
            let led = await plugin(
                [
                    "status", "-n", "default", "--install-namespace", "default", "--install-name", "gate", "-o", "json",
                ], environment: environment)
            let shown = try JSONParser.parse(text: led.output)
            #expect(shown["leader"] == "pod-1_x" && shown["items"]?.arrayValue?.isEmpty == true)
            let all = await plugin(["status", "-A"], environment: environment)
            #expect(all.output.contains("nightly"))
        }
    }

    @Test func rotateAsksWithTheAnnotationAndWaits() async throws {
        try await withCluster { server, environment, _ in
            let asked = await plugin(["token", "rotate", "nightly"], environment: environment)
            #expect(asked.output == "ServiceToken acme/nightly: will be rotated\n", "\(asked.errors)")
            let object = try #require(server.object(Self.token))
            #expect(object["metadata"]?["annotations"]?["tollgate.dev/rotate"]?.stringValue?.isEmpty == false)
            let managers = object["metadata"]?["managedFields"]?.arrayValue?.compactMap { $0["manager"]?.stringValue }
            #expect(managers?.contains("kubectl-tollgate") == true && managers?.contains("tollgate") == false)

            // Nobody rotates it here.
            let vain = await plugin(["token", "rotate", "nightly", "--wait", "5s"], environment: environment)
            #expect(vain.status == 8 && vain.errors.contains("not done within 5s"), "\(vain.errors)")

            let missing = await plugin(["token", "rotate", "other", "-n", "default"], environment: environment)
            #expect(missing.status == 5, "\(missing.errors)")
            let name = await plugin(["token", "rotate", "../secrets/x"], environment: environment)
            #expect(name.status == 2)
        }
    }

    @Test func revokeSaysSoInTheSpecification() async throws {
        try await withCluster { server, environment, _ in
            try server.change(
                Self.token, subresource: "status", merging: ["status": ["revokedAt": "2026-03-01T00:00:00Z"]])
            let asked = await plugin(
                ["token", "revoke", "nightly", "--reason", "lost", "--wait", "5s"], environment: environment)
            #expect(asked.status == 0 && asked.output == "ServiceToken acme/nightly: revoked\n", "\(asked.errors)")
            let spec = server.object(Self.token)?["spec"]
            #expect(spec?["revoked"] == true && spec?["revocationReason"] == "lost")
        }
    }

    @Test func usageIsThatOfATenant() async throws {
        try await withCluster { _, environment, _ in
            let usage = await plugin(["usage", "acme"], environment: environment)
            #expect(
                usage.output == """
                    NAMESPACE  NAME  PLAN  STATE   GRANTED  USED  HELD  REMAINING  PERIOD END               READY
                    acme       plan  pro   active  100      40    -     60         2026-04-01 00:00:00 UTC  True

                    """, "\(usage.errors)")
            #expect(await plugin(["usage", "beta"], environment: environment).status == 5)
        }
    }

    @Test func theTokenComesFromTheSecret() async throws {
        try await withCluster { cluster, environment, _ in
            let body = #"{"events":[],"count":0}"#
            try await LoopbackHTTPServer.with({ _ in .json(body) }) { server in
                let none = await plugin(["audit", "--api-url", server.url], environment: environment)
                #expect(none.status == 5 && none.errors.contains("TOLLGATE_TOKEN"), "\(none.errors)")
                try cluster.add([
                    "apiVersion": "v1", "kind": "Secret",
                    "metadata": ["name": "tollgate-admin-token", "namespace": "tollgate-system"],
                    "data": ["token": .string(Data("admin-text\n".utf8).base64EncodedString())],
                ])
                let found = await plugin(["audit", "--api-url", server.url], environment: environment)
                #expect(found.status == 0, "\(found.errors)")
                #expect(server.requests.last?.header("authorization") == "Bearer admin-text")

                let given = environment.merging(["TOLLGATE_TOKEN": "mine", "TOLLGATE_API_URL": server.url]) { $1 }
                cluster.forgetRequests()
                #expect(await plugin(["audit"], environment: given).status == 0)
                #expect(server.requests.last?.header("authorization") == "Bearer mine")
                #expect(cluster.requests.isEmpty, "nothing is asked of a cluster that is not needed")

                let open = await plugin(["audit", "--api-url", "http://gate.example"], environment: environment)
                #expect(open.status == 2 && open.errors.contains("without TLS"), "\(open.errors)")
            }
        }
    }

    @Test func kubectlForwardsWhereNoAddressIsGiven() async throws {
        try await withCluster { cluster, environment, folder in
            let body = #"{"decision":"allow","status":200,"explain":{"steps":[]}}"#
            try await LoopbackHTTPServer.with({ _ in .json(body) }) { server in
                let kubectl = try folder.write(
                    """
                    #!/bin/sh
                    echo "$@" > "\(folder.path("arguments"))"
                    echo "Forwarding from \(server.url.dropFirst("http://".count)) -> 8080"
                    exec tail -f /dev/null

                    """, to: "kubectl")
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: kubectl)
                let variables = environment.merging([
                    "PATH": "\(folder.path):/usr/bin:/bin", "TOLLGATE_TOKEN": "mine",
                ]) { $1 }
                let words = ["explain", "GET", "https://api.acme.example/v1/me", "--as", "anonymous"]
                let none = await plugin(words, environment: variables)
                #expect(none.status == 5 && none.errors.contains("--install-namespace"), "\(none.errors)")

                try cluster.add(Self.service("https"))
                let tls = await plugin(words, environment: variables)
                #expect(tls.status == 2 && tls.errors.contains("speaks TLS"), "\(tls.errors)")

                try cluster.add(Self.service("http"))
                let forwarded = await plugin(words + ["--context", "here"], environment: variables)
                #expect(forwarded.status == 0, "\(forwarded.output) \(forwarded.errors)")
                #expect(server.requests.map(\.target) == ["/v1/decisions/explain"])
                let arguments = try String(contentsOfFile: folder.path("arguments"), encoding: .utf8)
                #expect(
                    arguments
                        == "--context here --namespace tollgate-system port-forward --address 127.0.0.1 service/tollgate :80\n"
                )
            }
        }
    }

    private static func service(_ port: JSONValue) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Service", "metadata": ["name": "tollgate", "namespace": "tollgate-system"],
            "spec": ["ports": [["name": "grpc", "port": 50051], ["name": port, "port": 80]]],
        ]
    }

    @Test func aClusterThatIsAwayIsSaid() async throws {
        try await withCluster { _, environment, folder in
            let away = await plugin(["usage", "acme", "--context", "away"], environment: environment)
            #expect(away.status == 8, "\(away.errors)")
            let unknown = await plugin(["usage", "acme", "--context", "nowhere"], environment: environment)
            #expect(unknown.status == 2 && unknown.errors.contains("nowhere"), "\(unknown.errors)")
            let none = await plugin(["status", "--kubeconfig", folder.path("none")])
            #expect(none.status == 2, "\(none.errors)")
        }
    }
}
