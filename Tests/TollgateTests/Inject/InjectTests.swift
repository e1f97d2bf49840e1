// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ManifestFiles
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct InjectTests {
    private static let deployment = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: shop}
        spec:
          replicas: 2
          template:
            metadata: {labels: {app: shop}}
            spec:
              containers:
                - name: shop
                  image: shop:1
                  ports: [{containerPort: 8080}]

        """

    private static func inject(_ text: String, _ more: [String] = []) async -> CommandRun {
        await run(["inject", "-f", "-", "--auth-config", "shop/api"] + more, input: text)
    }

    private static func documents(_ text: String) throws -> [JSONValue] { try YAMLReader.parse(text).map(\.value) }

    private static func pod(_ document: JSONValue) -> JSONValue? {
        switch document["kind"]?.stringValue {
        case "Pod": document["spec"]
        case "CronJob": document["spec"]?["jobTemplate"]?["spec"]?["template"]?["spec"]
        default: document["spec"]?["template"]?["spec"]
        }
    }

    @Test(arguments: ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"])
    func addsTheContainerToEveryKind(kind: String) async throws {
        let containers = "containers: [{name: a, image: a}]"
        let group = ["Pod": "v1", "Job": "batch/v1", "CronJob": "batch/v1"][kind] ?? "apps/v1"
        let spec =
            switch kind {
            case "Pod": "{\(containers)}"
            case "CronJob": "{schedule: '* * * * *', jobTemplate: {spec: {template: {spec: {\(containers)}}}}}"
            default: "{template: {spec: {\(containers)}}}"
            }
        let result = await Self.inject("apiVersion: \(group)\nkind: \(kind)\nmetadata: {name: a}\nspec: \(spec)\n")
        #expect(result.status == 0, "\(result.errors)")
        let document = try #require(try Self.documents(result.output).first)
        let pod = try #require(Self.pod(document))
        let added = try #require(pod["initContainers"]?.arrayValue?.first)
        #expect(added["name"] == "tollgate" && added["restartPolicy"] == "Always")
        #expect(pod["containers"]?.arrayValue?.count == 1)
        let environment = added["env"]?.arrayValue ?? []
        #expect(environment.contains(["name": "TOLLGATE_SIDECAR_AUTH_CONFIG", "value": "shop/api"]))
        #expect(environment.contains(["name": "TOLLGATE_LISTEN", "value": "127.0.0.1:15080"]))
        let volumes = (pod["volumes"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        let mounts = (added["volumeMounts"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        #expect(Set(volumes) == Set(mounts))
    }

    @Test(arguments: [[], ["--ca-config-map", "ca"], ["--token-secret", "gate", "--port", "9000"]])
    func givesTheSameTwiceAsOnce(more: [String]) async throws {
        let once = await Self.inject(Self.deployment, more)
        #expect(once.status == 0, "\(once.errors)")
        let twice = await Self.inject(once.output, more)
        #expect(twice.output == once.output)
        // Another way of proving who it is leaves nothing of the first behind.
        let other = await Self.inject(once.output, ["--token-secret", "other"])
        let direct = await Self.inject(Self.deployment, ["--token-secret", "other"])
        #expect(other.output == direct.output)
    }

    @Test func readsTheTokenOfASecretFromAFileThatIsRenewed() async throws {
        let result = await Self.inject(Self.deployment, ["--token-secret", "gate"])
        let pod = try #require(try Self.documents(result.output).first.flatMap(Self.pod))
        let volume = pod["volumes"]?.arrayValue?.first { $0["name"] == "tollgate-token" }
        #expect(
            volume?["projected"]?["sources"] == [
                ["secret": ["name": "gate", "items": [["key": "token", "path": "token"]]]]
            ])
        let added = try #require(pod["initContainers"]?.arrayValue?.first)
        let mount = added["volumeMounts"]?.arrayValue?.first { $0["name"] == "tollgate-token" }
        let file = try #require(SettingsCatalog.upstreamTokenFile.info.defaultText)
        #expect(mount?["mountPath"]?.stringValue.map { "\($0)/token" } == file)
        #expect(!result.output.contains("TOLLGATE_TOKEN"))
    }

    @Test func leavesOtherDocumentsAsTheyAre() async throws {
        let service =
            "# The service, with a comment\napiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec:\n  ports: [ {port: 80} ]  # as it is\n"
        let map =
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  text: |\n    a\n    --- not a separator\n     ---\n"
        let text = service + "---\n" + Self.deployment + "--- # last\n" + map
        let result = await Self.inject(text)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.hasPrefix(service + "---\n"))
        #expect(result.output.hasSuffix(map))
        #expect(try Self.documents(result.output).count == 3)
    }

    @Test func takesLists() async throws {
        let text = """
            apiVersion: v1
            kind: List
            items:
              - {apiVersion: v1, kind: Service, metadata: {name: s}}
              - {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: a}]}}

            """
        let result = await Self.inject(text)
        #expect(result.status == 0, "\(result.errors)")
        let items = try #require(try Self.documents(result.output).first?["items"]?.arrayValue)
        #expect(items.count == 2 && items[0]["kind"] == "Service")
        #expect(items[1]["spec"]?["initContainers"]?.arrayValue?.count == 1)
    }

    @Test(
        arguments: [
            ("kind: Service\napiVersion: v1\n", [], "there is no Deployment"),
            ("", [], "there is no Deployment"),
            ("a: [", [], "line"),
            ("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n", [], "Pod p: its pod has no containers"),
            ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n", [], "Deployment d: spec is missing"),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {hostNetwork: true, containers: [{name: a}]}\n",
                [],
                "hostNetwork"
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: tollgate}]}\n", [],
                "has a container tollgate already"
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, ports: [{containerPort: 15081}]}]}\n",
                [], "container a listens on 15081 too"
            ),
            (deployment, ["--port", "8080"], "container shop listens on 8080 too"),
        ] as [(String, [String], String)])
    func saysWhyNot(text: String, more: [String], words: String) async {
        let result = await Self.inject(text, more)
        #expect(result.status != 0 && result.output.isEmpty)
        #expect(result.errors.contains(words), "\(result.errors)")
    }

    @Test(arguments: [
        ["--auth-config", "shop"], ["--auth-config", "Shop/a"], ["--auth-config", "a/b", "--upstream", "tollgate"],
        ["--auth-config", "a/b", "--port", "80"], ["--auth-config", "a/b", "--port", "9000", "--probe-port", "9000"],
        ["--auth-config", "a/b", "--token-secret", "A B"], ["--auth-config", "a/b", "--image", "a b"], [],
    ])
    func refusesArgumentsThatAreNone(arguments: [String]) async {
        let result = await run(["inject", "-f", "-"] + arguments, input: Self.deployment)
        #expect(result.status == 2 && result.output.isEmpty)
    }

    @Test func givesTheSameTwiceAsOnceWhateverComes() async throws {
        let random = SeededRandom(seed: 17)
        let pieces = [
            "---\n", "--- # x\n", Self.deployment, "# only a comment\n", "kind: Service\napiVersion: v1\n", "\n",
            "- a\n- b\n",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: \"y\"}\nspec:\n  containers:\n  - {name: a, args: [\"on\", \"1\", \"é\\n- x\"]}\n",
            "a: |\n  ---\n", "{}\n", "--- {apiVersion: v1, kind: Pod, spec: {containers: [{name: b}]}}\n", "\t",
            "a: [\n",
        ]
        var injected = 0
        for _ in 0..<FuzzCases.count(400) {
            let text = (0..<(1 + random.below(6))).map { _ in pieces[random.below(pieces.count)] }.joined()
            let once = await Self.inject(text)
            guard once.status == 0 else {
                #expect(once.output.isEmpty && !once.errors.isEmpty)
                continue
            }
            injected += 1
            let twice = await Self.inject(once.output)
            #expect(twice.status == 0 && twice.output == once.output, "\(text)")
            #expect(try Self.documents(once.output).count == (try Self.documents(text).count), "\(text)")
        }
        #expect(injected > 0)
    }
}
