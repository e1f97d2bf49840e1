// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import KubernetesClient
internal import Logging
internal import Metrics
internal import ResourceModel
internal import TestSupport

/// A real control plane with the four definitions.
struct Plane: Sendable {
    static let ownNamespace = "tollgate-system"
    static let bareNamespace = "bare-client"

    let folder: TemporaryDirectory
    let api: HTTPKubernetesAPI
    let kubeconfig: String

    /// Runs `body` while a control plane answers, and ends it whatever happens.
    static func with(_ folder: TemporaryDirectory, _ body: (Plane) async throws -> Void) async throws {
        do {
            try await act("start", folder)
            let kubeconfig = folder.path("plane/kubeconfig")
            let api = try HTTPKubernetesAPI(
                Kubeconfig(path: kubeconfig, environment: [:]).connection(context: nil),
                userAgent: "tollgate-benchmark", clock: SystemWallClock(), random: SystemRandomSource(),
                metrics: NOOPMetricsHandler.instance,
                logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() })
            do {
                let plane = Plane(folder: folder, api: api, kubeconfig: kubeconfig)
                try await plane.install()
                try await body(plane)
                await api.shutdown()
            } catch {
                await api.shutdown()
                throw error
            }
        } catch {
            // The first fault is the one to tell about.
            try? await act("stop", folder)
            throw error
        }
        try await act("stop", folder)
    }

    /// The namespaces in which tenants have their objects.
    static func tenantNamespaces(_ count: Int) -> [String] { (0..<count).map { "tenant-\($0)" } }

    /// Makes a namespace, of a tenant of the same name unless it is the daemon's own.
    func make(namespace: String) async throws {
        var metadata: JSONObject = ["name": .string(namespace)]
        if namespace != Self.ownNamespace { metadata["labels"] = ["tollgate.dev/tenant": .string(namespace)] }
        _ = try await api.create(
            ["apiVersion": "v1", "kind": "Namespace", "metadata": .object(metadata)], in: .namespaces,
            namespace: nil, name: nil, subresource: nil)
    }

    private func install() async throws {
        let definitions = APIResource(
            group: "apiextensions.k8s.io", version: "v1", plural: "customresourcedefinitions",
            kind: "CustomResourceDefinition", isNamespaced: false)
        for kind in ResourceKind.own {
            let path = Repository.root.appending(path: "crds/tollgate.dev_\(kind.plural).yaml")
            for document in try YAMLText.documents(String(contentsOf: path, encoding: .utf8)) {
                _ = try await api.create(document, in: definitions, namespace: nil, name: nil, subresource: nil)
            }
        }
        for kind in ResourceKind.own {
            try await Eventually.holds("\(kind.plural) to be served") {
                // Until the definition is established there is no such resource.
                (try? await api.list(ListQuery(ObjectSelection(.of(kind)))) { _ in }) != nil
            }
        }
    }

    private static func act(_ action: String, _ folder: TemporaryDirectory) async throws {
        // Nobody looks after namespaces and owners: those controllers would only share the machine.
        var environment = ["CONTROL_PLANE_CONTROLLERS": "0"]
        // The script looks for the programs where the user keeps them.
        for name in ["HOME", "KUBEBUILDER_ASSETS", "TOLLGATE_CONTROL_PLANE", "XDG_CACHE_HOME"] {
            environment[name] = ProcessInfo.processInfo.environment[name]
        }
        let (status, output) = try await PeerProcess.run(
            name: "control-plane-\(action)", executable: "\(Repository.root.path)/Scripts/control-plane.sh",
            arguments: [action, folder.path("plane")], environment: environment, folder: folder,
            within: .seconds(900))
        guard status == 0 else { throw BenchmarkFault("control-plane.sh \(action) ended with \(status):\n\(output)") }
    }
}
