// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// The chart as Helm's own engine renders it.
@Suite(.timeLimit(.minutes(20))) struct ChartRenderTests {
    /// Every rendering of the table of values.
    private static func everything() async throws -> [(name: String, chart: RenderedChart)] {
        let answers = try await HelmEngine.render(ChartValues.all.map(\.values))
        return try zip(ChartValues.all, answers).map { row, answer in
            do { return (row.name, try RenderedChart(answer.value())) } catch {
                throw PeerFault(message: "\(row.name): \(error)")
            }
        }
    }

    @Test func takesEveryBranch() async throws {
        let folder = try TemporaryDirectory()
        let marks = try ChartBranches.instrument(into: folder)
        #expect(marks.count > 80)
        let answers = try await HelmEngine.render(ChartValues.all.map(\.values), chart: folder.path("chart"))
        // An autoscaler of an old cluster: rendered by ChartInstallTests, whose API server is one.
        var missing = Set(marks.filter { !$0.hasPrefix("# branch templates/autoscaler.yaml:24") })
        for answer in answers {
            for member in try answer.value().objectValue?.members ?? [] {
                guard let text = member.value.stringValue else { continue }
                missing.subtract(marks.filter { text.contains($0) })
            }
        }
        #expect(missing.sorted() == [], "no values of the table come this way")
    }

    @Test func nothingIsRandom() async throws {
        let values = ChartValues.all.map(\.values)
        let answers = try await HelmEngine.render(values + values)
        for (first, second) in zip(answers.prefix(values.count), answers.suffix(values.count)) {
            #expect(try first.value() == second.value())
        }
    }

    @Test func lintHasNothingToSay() async throws {
        let answers = try await HelmEngine.ask(
            ChartValues.all.map { ["do": "lint", "chart": .string(HelmEngine.chart), "values": $0.values] })
        for (row, answer) in zip(ChartValues.all, answers) {
            #expect(answer.refusal == nil, "\(row.name): \(answer.refusal ?? "")")
        }
    }

    @Test func secretsAreInSecretsAlone() async throws {
        var seen = 0
        for (name, chart) in try await Self.everything() {
            for object in chart.objects where object["kind"] != "Secret" {
                #expect(!object.line.contains(ChartValues.secret), "\(name): \(object["kind"]?.line ?? "")")
            }
            #expect(chart.texts["NOTES.txt"]?.contains(ChartValues.secret) == false)
            seen += chart.all("Secret").count
        }
        #expect(seen >= 8)
    }

    @Test func everyPodMayDoNothingButRun() async throws {
        for (name, chart) in try await Self.everything() {
            // Nobody can ask a worker whether it is installed well.
            #expect(chart.pods.count == (name == "worker" ? 1 : 2))
            for pod in chart.pods {
                let place = "\(name): \(pod.name)"
                let security = pod.spec["securityContext"]
                #expect(security?["runAsNonRoot"] == true && security?["runAsUser"] == 65532, "\(place)")
                #expect(security?["seccompProfile"] == ["type": "RuntimeDefault"], "\(place)")
                #expect(pod.spec["enableServiceLinks"] == false, "\(place)")
                #expect(pod.spec["automountServiceAccountToken"] == .bool(pod.name == "tollgate"), "\(place)")
                #expect(pod.spec["volumes"]?.arrayValue?.contains { $0["hostPath"] != nil } == false, "\(place)")
                for container in pod.spec["containers"]?.arrayValue ?? [] {
                    let own = container["securityContext"]
                    #expect(own?["allowPrivilegeEscalation"] == false && own?["privileged"] == false, "\(place)")
                    #expect(own?["readOnlyRootFilesystem"] == true && own?["runAsNonRoot"] == true, "\(place)")
                    #expect(own?["capabilities"] == ["drop": ["ALL"]], "\(place)")
                    #expect(container["resources"]?["limits"]?["memory"] != nil, "\(place)")
                }
            }
            let account = chart.all("ServiceAccount").first
            #expect(account == nil || account?["automountServiceAccountToken"] == false)
        }
    }

    @Test func theDeploymentIsAsPromised() async throws {
        let spec = try await HelmEngine.rendered().object("Deployment")["spec"]
        let pod = spec?["template"]?["spec"]
        let container = pod?["containers"]?.arrayValue?.first
        #expect(spec?["replicas"] == 1 && spec?["strategy"] == ["type": "Recreate"])
        #expect(pod?["terminationGracePeriodSeconds"] == 60)
        let probe = { (path: String, period: Int64, failures: Int64) -> JSONValue in
            [
                "httpGet": ["path": .string(path), "port": "probe"], "periodSeconds": .int(period),
                "failureThreshold": .int(failures),
            ]
        }
        #expect(container?["startupProbe"] == probe("/livez", 2, 60))
        #expect(container?["livenessProbe"] == probe("/livez", 10, 6))
        #expect(container?["readinessProbe"] == probe("/readyz", 5, 2))
        #expect(container?["image"] == "tollgate:0.1.0" && container?["args"] == ["run"])
        let tmp = pod?["volumes"]?.arrayValue?.first { $0["name"] == "tmp" }
        #expect(tmp?["emptyDir"] == ["sizeLimit": "64Mi"])

        let several = try await HelmEngine.rendered(ChartValues.several)
        let rolling: JSONValue = ["type": "RollingUpdate", "rollingUpdate": ["maxUnavailable": 0, "maxSurge": 1]]
        #expect(try several.object("Deployment")["spec"]?["strategy"] == rolling)
        let budget = try several.object("PodDisruptionBudget")["spec"]
        #expect(budget?["minAvailable"] == 1 && budget?["unhealthyPodEvictionPolicy"] == "AlwaysAllow")
        #expect(several.all("PersistentVolumeClaim") == [])
        let spread = try several.object("Deployment")["spec"]?["template"]?["spec"]?["topologySpreadConstraints"]
        #expect(
            spread?.arrayValue?.compactMap { $0["topologyKey"]?.stringValue } == [
                "kubernetes.io/hostname", "topology.kubernetes.io/zone",
            ])
        let pods = try several.object("Deployment")["spec"]?["selector"]?["matchLabels"]
        #expect(spread?.arrayValue?.allSatisfy { $0["labelSelector"]?["matchLabels"] == pods } == true)
        #expect(pod?["topologySpreadConstraints"] == nil)
        // One replica stops before the next starts only where it has something that the next one needs.
        let one = try await HelmEngine.rendered(["postgresql": ["existingSecret": "p"]])
        #expect(try one.object("Deployment")["spec"]?["strategy"] == ["type": "Recreate"])
        let free = try await HelmEngine.rendered(ChartValues.oneWithoutVolume)
        #expect(try free.object("Deployment")["spec"]?["strategy"] == rolling)
        let lost = try await HelmEngine.rendered(["persistence": ["enabled": false]])
        #expect(try lost.object("Deployment")["spec"]?["strategy"] == ["type": "Recreate"])

        let scaled = try await HelmEngine.rendered(ChartValues.autoscaler)
        #expect(try scaled.object("Deployment")["spec"]?["replicas"] == nil)
        #expect(try scaled.object("HorizontalPodAutoscaler")["spec"]?["maxReplicas"] == 10)
        let pinned = try await HelmEngine.rendered(ChartValues.pod).object("Deployment")["spec"]?["template"]
        #expect(
            pinned?["spec"]?["containers"]?.arrayValue?.first?["image"] == .string("tollgate@\(ChartValues.digest)"))
    }

    /// A change of what is mounted or referred to makes new pods; a change elsewhere does not.
    @Test(
        arguments: [
            (["auth": ["token": "hush"]], true), (["policy": ["routes": "version: 1"]], true),
            (["billing": ["plans": "version: 1"]], true), (["service": ["type": "NodePort"]], false),
            (["rbac": ["tokenReview": true]], false), (["grafana": ["enabled": true]], false),
        ] as [(JSONValue, Bool)])
    func newPodsWhereTheyAreNeeded(values: JSONValue, needed: Bool) async throws {
        let answers = try await HelmEngine.render([[:], values])
        let annotations = try answers.map {
            try RenderedChart($0.value()).object("Deployment")["spec"]?["template"]?["metadata"]?["annotations"]
        }
        #expect((annotations[0] != annotations[1]) == needed)
    }

    @Test func aWorkerHasNothingToReach() async throws {
        let chart = try await HelmEngine.rendered(ChartValues.worker)
        #expect(chart.all("Service") == [] && chart.all("Pod") == [])
        let pod = try chart.object("Deployment")["spec"]?["template"]?["spec"]
        let ports = pod?["containers"]?.arrayValue?.first?["ports"]?.arrayValue
        #expect(ports?.map { $0["name"] } == ["probe"])
    }

    @Test func releasesOfSeveralRolesShareALease() async throws {
        func lease(_ values: JSONValue) async throws -> (variable: String?, right: JSONValue?) {
            let chart = try await HelmEngine.rendered(values)
            let rules = try chart.object("Role", "tollgate-self")["rules"]?.arrayValue
            let right = rules?.first { $0["resources"] == ["leases"] && $0["resourceNames"] != nil }
            return (try chart.environment()["TOLLGATE_LEASE_NAME"], right?["resourceNames"])
        }
        let alone = try await lease([:])
        #expect(alone.variable == nil && alone.right == ["tollgate"])
        let shared = try await lease(
            ["role": "api", "postgresql": ["existingSecret": "p"], "leaseName": "gate"])
        #expect(shared.variable == "gate" && shared.right == ["gate"])
    }

    @Test func namesFollowTheRelease() async throws {
        let chart = try await HelmEngine.rendered(name: "edge", namespace: "gates")
        #expect(try chart.object("Deployment", "edge-tollgate")["metadata"]?["namespace"] == "gates")
        #expect(try chart.environment("edge-tollgate")["TOLLGATE_DEPLOYMENT"] == "edge-tollgate")
        #expect(try chart.environment("edge-tollgate")["TOLLGATE_WATCH_NAMESPACES"] == "gates")
        for object in chart.objects where object["kind"]?.stringValue?.hasPrefix("Cluster") == true {
            #expect(object["metadata"]?["name"]?.stringValue?.hasPrefix("edge-tollgate-") == true)
        }
    }

    @Test func customResourceDefinitionsAreThoseOfTheProduct() async throws {
        let folder = Repository.root.appending(path: "crds")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".yaml") }.sorted()
        #expect(names.count == 4)
        let files = try names.map { try String(contentsOf: folder.appending(path: $0), encoding: .utf8) }
        let kept = try await HelmEngine.rendered().texts["crds.yaml"] ?? ""
        let keep = "  annotations:\n    helm.sh/resource-policy: keep\n"
        #expect(kept.components(separatedBy: keep).count == 5)
        let bare = try await HelmEngine.rendered(["crds": ["keep": false]]).texts["crds.yaml"] ?? ""
        for file in files {
            #expect(kept.replacing(keep, with: "").contains(file), "byte for byte, but for the annotation")
            #expect(bare.contains(file), "byte for byte")
        }
        #expect(try await HelmEngine.rendered(["crds": ["enabled": false]]).texts["crds.yaml"] == nil)
    }
}
