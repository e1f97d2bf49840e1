// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import KubernetesClient
internal import TestSupport
internal import Testing

/// Two replicas on a real control plane while objects change, watches break and leaders die: after each round of that,
/// status, Secrets and decisions are what a model says, and stay so.
///
/// `TOLLGATE_OPERATOR_SOAK_SECONDS` says how long (120; `make soak` 1200), `TOLLGATE_OPERATOR_SOAK_SEED` which
/// run (1; `make soak` draws one).
@Suite(.timeLimit(.minutes(60))) struct OperatorSoakTests {
    private static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test func staysAsTheModelSays() async throws {
        let seconds = Self.setting("TOLLGATE_OPERATOR_SOAK_SECONDS") ?? 120
        let seed = Self.setting("TOLLGATE_OPERATOR_SOAK_SEED") ?? 1
        print("operator soak: TOLLGATE_OPERATOR_SOAK_SEED=\(seed), \(seconds) s")
        try await ControlPlane.with { plane in
            _ = try await plane.kubectlOutput(["apply", "-f", Repository.root.appending(path: "crds").path])
            _ = try await plane.kubectlOutput(["wait", "--for=condition=Established", "--timeout=120s", "crd", "--all"])
            let api = try ClusterClient.of(kubeconfig: plane.kubeconfig)
            do {
                try await SoakRun.perform(plane: plane, api: api, seed: seed, length: .seconds(Int64(seconds)))
                await api.shutdown()
            } catch {
                await api.shutdown()
                throw error
            }
        }
    }
}
