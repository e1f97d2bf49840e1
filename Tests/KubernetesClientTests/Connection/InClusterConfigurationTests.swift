// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable import KubernetesClient

@Suite struct InClusterConfigurationTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        try folder.write("t0ken\n", to: "token")
        try folder.write("PEM", to: "ca.crt")
        try folder.write("acme\n", to: "namespace")
    }

    private func load(_ environment: [String: String]) throws(ClusterConnectionError) -> ClusterConnection {
        try InClusterConfiguration.load(environment: environment, folder: folder.path)
    }

    private func failure(_ environment: [String: String]) -> ClusterConnectionError.Code? {
        do {
            _ = try load(environment)
            return nil
        } catch { return error.code }
    }

    @Test func readsWhatTheKubeletGives() throws {
        let connection = try load(["KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "6443"])
        #expect(connection.server == "https://10.96.0.1:6443")
        #expect(connection.namespace == "acme")
        #expect(connection.credential == .tokenFile(folder.path("token")))
        #expect(connection.certificateAuthority == .file(folder.path("ca.crt")))
        #expect(try load(["KUBERNETES_SERVICE_HOST": "fd00::1"]).server == "https://[fd00::1]:443")
    }

    @Test func saysWhatIsMissing() throws {
        let host = ["KUBERNETES_SERVICE_HOST": "10.96.0.1"]
        #expect(failure([:]) == .notInCluster)
        #expect(failure(["KUBERNETES_SERVICE_HOST": ""]) == .notInCluster)
        #expect(failure(host.merging(["KUBERNETES_SERVICE_PORT": "x"]) { $1 }) == .badField)
        try folder.write("", to: "token")
        #expect(failure(host) == .unreadableFile)
        try DurableFile.remove(folder.path("token"))
        #expect(failure(host) == .missingFile)
        #expect(InClusterConfiguration.isPresent(environment: host))
        #expect(!InClusterConfiguration.isPresent(environment: [:]))
    }
}
