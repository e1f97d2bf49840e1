// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import KubernetesClient
internal import Testing

@Suite struct ClusterConnectionTests {
    @Test func hasNoNamespaceOfItsOwn() { #expect(ClusterConnection(server: "https://127.0.0.1:1").namespace == nil) }
}
