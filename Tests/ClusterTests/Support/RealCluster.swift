// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import KubernetesClient
internal import ResourceModel
internal import TestSupport
internal import Testing

/// The tests on a real control plane. All of them share one, started before the first and ended after the last.
@Suite(.onControlPlane, .timeLimit(.minutes(30))) enum RealCluster {
    /// The control plane with the four definitions, and a client of its administrator.
    struct Plane: Sendable {
        let plane: ControlPlane
        let api: HTTPKubernetesAPI
        /// What kubectl said when it applied `crds/`.
        let installed: String

        /// A file of its own for kubectl.
        func write(_ text: String, to name: String) throws -> String { try plane.folder.write(text, to: name) }

        /// A new namespace.
        func makeNamespace(_ name: String) async throws -> String {
            let name = "\(name)-\(UInt32.random(in: 0..<1_000_000))"
            _ = try await plane.kubectlOutput(["create", "namespace", name])
            // No pod is admitted before the controller-manager has made the account that pods run as.
            let account = ["-n", name, "get", "serviceaccount", "default", "--ignore-not-found", "-o", "name"]
            try await Eventually.holds("the default service account of \(name)") {
                try await !plane.kubectlOutput(account).isEmpty
            }
            return name
        }
    }

    @TaskLocal fileprivate static var current: Plane?

    /// The one control plane.
    static func plane() throws -> Plane {
        try #require(current, "this test stands outside of the suite RealCluster")
    }
}

/// Starts the control plane around a suite.
struct OnControlPlane: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await ControlPlane.with { plane in
            let installed = try await plane.kubectlOutput([
                "apply", "-f", Repository.root.appending(path: "crds").path,
            ])
            _ = try await plane.kubectlOutput([
                "wait", "--for=condition=Established", "--timeout=120s", "crd", "--all",
            ])
            let api = try ClusterClient.of(kubeconfig: plane.kubeconfig)
            do {
                try await RealCluster.$current.withValue(
                    RealCluster.Plane(plane: plane, api: api, installed: installed)
                ) { try await function() }
                await api.shutdown()
            } catch {
                await api.shutdown()
                throw error
            }
        }
    }
}

extension Trait where Self == OnControlPlane {
    /// One control plane for the whole suite.
    static var onControlPlane: Self { OnControlPlane() }
}
