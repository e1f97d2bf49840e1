// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

extension RealCluster {
    /// What `tollgate inject` prints, by the real kubectl on a real server that checks every field.
    @Suite struct InjectedWorkloadTests {
        private static let pod = """
            metadata: {labels: {app: NAME}}
            spec:
              RESTART
              containers:
                - {name: shop, image: "shop:1", ports: [{containerPort: 8080}]}
            """

        private static func workload(_ kind: String, _ name: String) -> String {
            let selector = "selector: {matchLabels: {app: \(name)}}"
            let head = ["Deployment", "StatefulSet", "DaemonSet"].contains(kind) ? "apps/v1" : "batch/v1"
            let restart = kind.hasSuffix("Job") ? "restartPolicy: Never" : "restartPolicy: Always"
            let template = pod.replacing("NAME", with: name).replacing("RESTART", with: restart)
            func indented(_ count: Int) -> String {
                template.split(separator: "\n").map { String(repeating: " ", count: count) + $0 }.joined(
                    separator: "\n")
            }
            let metadata = "apiVersion: \(kind == "Pod" ? "v1" : head)\nkind: \(kind)\nmetadata: {name: \(name)}\n"
            switch kind {
            case "Pod":
                return "apiVersion: v1\nkind: Pod\n"
                    + template.replacing("metadata: {", with: "metadata: {name: \(name), ")
            case "Job": return metadata + "spec:\n  template:\n" + indented(4)
            case "CronJob":
                return metadata + "spec:\n  schedule: \"0 * * * *\"\n  jobTemplate:\n    spec:\n      template:\n"
                    + indented(8)
            case "StatefulSet":
                return metadata + "spec:\n  \(selector)\n  serviceName: \(name)\n  template:\n" + indented(4)
            default: return metadata + "spec:\n  \(selector)\n  template:\n" + indented(4)
            }
        }

        @Test func areAcceptedByAServer() async throws {
            let here = try RealCluster.plane()
            let namespace = try await here.makeNamespace("injected")
            let kinds = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"]
            let service = "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: 80}]}"
            let text =
                (kinds.map { Self.workload($0, $0.lowercased()) } + [service]).joined(separator: "\n---\n") + "\n"
            for (number, options) in [[], ["--ca-config-map", "ca"], ["--token-secret", "gate"]].enumerated() {
                let file = try here.write(text, to: "injected/\(number).yaml")
                let (status, output) = try await PeerProcess.run(
                    name: "inject", executable: PeerPaths.tollgate(),
                    arguments: ["inject", "-f", file, "--auth-config", "acme/shop"] + options,
                    folder: TemporaryDirectory())
                #expect(status == 0, "\(output)")
                let objects = try YAMLText.documents(output)
                for object in objects where object["kind"] != "Service" {
                    #expect(Self.pod(of: object)?["initContainers"]?.arrayValue?.first?["restartPolicy"] == "Always")
                }
                let injected = try await here.plane.write(objects, to: "injected/\(number)-injected.json")
                let answer = try await here.plane.kubectlOutput([
                    "-n", namespace, "apply", "--dry-run=server", "--validate=strict", "-f", injected, "-o", "json",
                ])
                // Warnings of kubectl about versions come first.
                let start = try #require(answer.firstIndex(of: "{"))
                let items = try JSONParser.parse(text: String(answer[start...]))["items"]?.arrayValue ?? []
                #expect(items.count == kinds.count + 1)
                for item in items where item["kind"] != "Service" {
                    let pod = Self.pod(of: item)
                    let containers = ["initContainers", "containers"].flatMap { pod?[$0]?.arrayValue ?? [] }
                    #expect(containers.count { $0["name"] == "tollgate" } == 1, "\(item["kind"]?.jsonText ?? "")")
                }
            }
        }

        /// What a workload says of its pods.
        private static func pod(of object: JSONValue) -> JSONValue? {
            let template = object["spec"]?["jobTemplate"]?["spec"]?["template"] ?? object["spec"]?["template"] ?? object
            return template["spec"]
        }
    }
}
