// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// The kustomize manifests are the chart with its defaults, for those who have no Helm.
@Suite(.timeLimit(.minutes(20))) struct ManifestsTests {
    private static let folder = Repository.root.appending(path: "manifests").path

    private static func kustomized(_ name: String) async throws -> [JSONValue] {
        let (status, output) = try await PeerProcess.run(
            name: "kustomize", executable: PeerPaths.path(of: .kubectl), arguments: ["kustomize", "\(folder)/\(name)"],
            folder: TemporaryDirectory(), within: .seconds(180))
        guard status == 0 else { throw PeerFault(message: "kubectl kustomize \(name):\n\(output)") }
        return try YAMLText.documents(output)
    }

    /// What both must have in common, by kind, namespace and name.
    private static func comparable(_ objects: [JSONValue]) -> [String: JSONValue] {
        var found: [String: JSONValue] = [:]
        for object in objects {
            let metadata = object["metadata"]
            let name = [object["kind"], metadata?["namespace"], metadata?["name"]].map { $0?.stringValue ?? "" }
            found[name.joined(separator: "/")] = stripped(object)
        }
        return found
    }

    /// Without what only Helm knows, with sorted members.
    private static func stripped(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let items): return .array(items.map(stripped))
        case .object(let object):
            let members = object.members.compactMap { member -> (String, JSONValue)? in
                let helm = ["helm.sh/", "checksum/"].contains { member.name.hasPrefix($0) }
                if helm || member.value == "Helm" { return nil }
                let inner = stripped(member.value)
                if member.name == "annotations", inner == [:] { return nil }
                return (member.name, inner)
            }
            return .object(JSONObject(members.sorted { $0.0 < $1.0 }))
        default: return value
        }
    }

    @Test func theBaseIsTheChart() async throws {
        let chart = try await HelmEngine.rendered().objects.filter { $0["kind"] != "Pod" }
        var base = Self.comparable(try await Self.kustomized("base"))
        #expect(base.removeValue(forKey: "Namespace//tollgate-system") != nil)
        let wanted = Self.comparable(chart)
        #expect(base.keys.sorted() == wanted.keys.sorted())
        for (name, object) in wanted { #expect(base[name] == object, "\(name)") }
    }

    @Test func monitoringIsTheChart() async throws {
        let values: JSONValue = [
            "serviceMonitor": ["enabled": true], "prometheusRule": ["enabled": true], "grafana": ["enabled": true],
        ]
        let chart = try await HelmEngine.rendered(values).objects.filter { $0["kind"] != "Pod" }
        var overlay = Self.comparable(try await Self.kustomized("monitoring"))
        overlay["Namespace//tollgate-system"] = nil
        let wanted = Self.comparable(chart)
        #expect(overlay.keys.sorted() == wanted.keys.sorted())
        for (name, object) in wanted { #expect(overlay[name] == object, "\(name)") }
    }

    @Test func theSamplesGiveTheRightsThatTheChartGives() async throws {
        let values: JSONValue = ["watchNamespaces": ["tollgate-system", "acme"]]
        let wanted = try await HelmEngine.rendered(values)
        let samples = try await Self.kustomized("samples")
        let roles = { (objects: [JSONValue]) in
            Self.comparable(objects).filter { $0.key.contains("Role") }.mapValues { object in
                JSONValue.array([object["rules"] ?? .null, object["subjects"] ?? .null, object["roleRef"] ?? .null])
            }
        }
        #expect(roles(samples) == roles(wanted.objects))
        let namespaces = samples.filter { $0["kind"] == "Namespace" }.compactMap {
            $0["metadata"]?["name"]?.stringValue
        }
        #expect(namespaces.sorted() == ["acme", "tollgate-system"])
    }

    @Test func whatIsMadeIsFresh() async throws {
        let folder = try TemporaryDirectory()
        let (status, output) = try await PeerProcess.run(
            name: "generate", executable: "\(Repository.root.path)/.peers/venv/bin/python",
            arguments: ["\(Repository.root.path)/Scripts/generate-manifests.py", folder.path("made")], folder: folder)
        #expect(status == 0, "\(output)")
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path("made")).sorted()
        where name.hasSuffix(".yaml") {
            let made = try String(contentsOfFile: folder.path("made/\(name)"), encoding: .utf8)
            let kept = try String(contentsOfFile: "\(Self.folder)/\(name)", encoding: .utf8)
            #expect(made == kept, "run .peers/venv/bin/python Scripts/generate-manifests.py: \(name)")
        }
    }

    @Test(arguments: ["sidecar", "sidecar-files"])
    func theSidecarHasNoRights(name: String) async throws {
        let objects = try await Self.kustomized(name)
        #expect(!objects.contains { $0["kind"]?.stringValue?.contains("Role") == true })
        let pod = objects.first { $0["kind"] == "Deployment" }?["spec"]?["template"]?["spec"]
        #expect(pod?["automountServiceAccountToken"] == false)
        let containers = (pod?["initContainers"]?.arrayValue ?? []) + (pod?["containers"]?.arrayValue ?? [])
        #expect(containers.count == 3)
        for container in containers {
            #expect(container["securityContext"]?["readOnlyRootFilesystem"] == true)
            #expect(container["securityContext"]?["capabilities"] == ["drop": ["ALL"]])
        }
        // The proxy is that of the guide, reachable from outside of the pod.
        let guide = try GuideConfig.text(
            of: "caddy.md", language: "caddyfile", replacing: [("\tbind 127.0.0.1\n\n", "")])
        let shipped = try String(contentsOfFile: "\(Self.folder)/sidecar/Caddyfile", encoding: .utf8)
        #expect(shipped == guide)
        // And Tollgate takes what is beside it.
        let (status, output) = try await PeerProcess.run(
            name: "validate", executable: PeerPaths.tollgate(),
            arguments: ["validate", "--strict", "-f", "\(Self.folder)/\(name)/gate.yaml"], folder: TemporaryDirectory())
        #expect(status == 0, "\(output)")
    }

    @Test func theSidecarIsWhatInjectAdds() async throws {
        let objects = try await Self.kustomized("sidecar")
        let deployment = try #require(objects.first { $0["kind"] == "Deployment" })
        let folder = try TemporaryDirectory()
        try Data(deployment.encoded()).write(to: URL(filePath: folder.path("deployment.yaml")))
        let (status, output) = try await PeerProcess.run(
            name: "inject", executable: PeerPaths.tollgate(),
            arguments: [
                "inject", "-f", folder.path("deployment.yaml"), "--auth-config", "shop/shop", "--port", "8080",
                "--probe-port", "8081", "--token-secret", "shop-gate", "--ca-config-map", "tollgate-ca",
            ], folder: folder)
        #expect(status == 0, "\(output)")
        let injected = try #require(try YAMLText.documents(output).first)
        #expect(Self.unordered(injected) == Self.unordered(deployment))
    }

    /// For comparison without the order of lists.
    private static func unordered(_ value: JSONValue) -> JSONValue {
        switch stripped(value) {
        case .array(let items): .array(items.map(unordered).sorted { $0.jsonText < $1.jsonText })
        case .object(let object): .object(JSONObject(object.members.map { ($0.name, unordered($0.value)) }))
        case let other: other
        }
    }

    @Test func theSamplesAreNoProblemStandalone() async throws {
        let (status, output) = try await PeerProcess.run(
            name: "validate", executable: PeerPaths.tollgate(),
            arguments: ["validate", "-f", "\(Self.folder)/samples"], folder: TemporaryDirectory())
        #expect(status == 0)
        #expect(output == "", "the kustomization is no object")
    }
}
