// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import KubernetesClient
internal import TestSupport
internal import Testing

/// The contract through the real client on the fake server.
@Suite(.timeLimit(.minutes(10))) struct FakeContractTests {
    @Test(arguments: KubernetesAPIContract.behaviours)
    func keepsTheContract(_ behaviour: KubernetesAPIContract.Behaviour) async throws {
        try await FakeAPIServer.with { server in
            try await ClusterClient.with(server) { api in
                try await KubernetesAPIContract.check(behaviour, on: api)
            }
        }
    }
}

extension RealCluster {
    /// The same contract through the same client on a real server.
    @Suite struct ContractTests {
        @Test(arguments: KubernetesAPIContract.behaviours)
        func keepsTheContract(_ behaviour: KubernetesAPIContract.Behaviour) async throws {
            try await KubernetesAPIContract.check(behaviour, on: try RealCluster.plane().api)
        }
    }
}
