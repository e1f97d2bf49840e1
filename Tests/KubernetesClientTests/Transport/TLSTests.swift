// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import TestSupport
internal import Testing
internal import X509

@testable import KubernetesClient

@Suite(.timeLimit(.minutes(10))) struct TLSTests {
    private let stand = Stand()
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func get(_ api: HTTPKubernetesAPI) async -> KubernetesError.Code? {
        await Stand.failure { () throws(KubernetesError) in try await api.get(Stand.secret, subresource: nil) }?.code
    }

    private func bytes(_ text: String) -> ClusterConnection.Material { .bytes(Redacted(Array(text.utf8))) }

    @Test func checksTheServersCertificate() async throws {
        let (own, other) = (try Certificates(), try Certificates())
        try await StreamServer.with(tls: try own.server(names: [Certificates.loopback]), answer: { _ in "{}" }) {
            server in
            var connection = ClusterConnection(server: "https://127.0.0.1:\(server.port)")
            connection.certificateAuthority = bytes(own.authorityPEM)
            try await stand.with(connection) { #expect(await get($0) == nil) }
            connection.certificateAuthority = bytes(other.authorityPEM)
            try await stand.with(connection) { #expect(await get($0) == .unreachable) }
            connection.certificateAuthority = nil
            connection.skipsServerVerification = true
            try await stand.with(connection) { #expect(await get($0) == nil) }
        }
    }

    @Test func checksTheNameThatTheServerShouldHave() async throws {
        let own = try Certificates()
        try await StreamServer.with(tls: try own.server(names: [.dnsName("api.example")]), answer: { _ in "{}" }) {
            server in
            var connection = ClusterConnection(server: "https://127.0.0.1:\(server.port)")
            connection.certificateAuthority = bytes(own.authorityPEM)
            try await stand.with(connection) { #expect(await get($0) == .unreachable) }
            connection.tlsServerName = "api.example"
            try await stand.with(connection) { #expect(await get($0) == nil) }
            #expect(server.asked.last?.headers["host"] == "127.0.0.1:\(server.port)")
        }
    }

    @Test func showsItsOwnCertificate() async throws {
        let (own, clients) = (try Certificates(), try Certificates())
        let tls = try own.server(names: [Certificates.loopback], clientAuthority: clients.authorityPEM)
        let pair = try clients.issue("tollgate")
        try await StreamServer.with(tls: tls, answer: { _ in "{}" }) { server in
            var connection = ClusterConnection(server: "https://127.0.0.1:\(server.port)")
            connection.certificateAuthority = bytes(own.authorityPEM)
            try await stand.with(connection) { #expect(await get($0) == .unreachable) }
            connection.clientCertificate = .init(certificate: bytes(pair.certificate), key: bytes(pair.key))
            try await stand.with(connection) { #expect(await get($0) == nil) }
            // The same from a plugin.
            connection.clientCertificate = nil
            let status: JSONValue = [
                "clientCertificateData": .string(pair.certificate), "clientKeyData": .string(pair.key),
            ]
            let document: JSONValue = [
                "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status,
            ]
            let file = try folder.write(document.jsonText, to: "credential.json")
            connection.credential = .exec(ExecPlugin(version: .v1, command: "/bin/cat", arguments: [file]))
            var patient = stand
            patient.time = ManualTime()
            try await patient.with(connection) { #expect(await get($0) == nil) }
        }
    }

    @Test func takesANewAuthorityWithinTenSecondsAndKeepsTheLastGoodOne() async throws {
        let (own, other) = (try Certificates(), try Certificates())
        let file = try folder.write(other.authorityPEM, to: "ca.crt")
        try await StreamServer.with(tls: try own.server(names: [Certificates.loopback]), answer: { _ in "{}" }) {
            server in
            var connection = ClusterConnection(server: "https://127.0.0.1:\(server.port)")
            connection.certificateAuthority = .file(file)
            var patient = stand
            patient.settings.retries.attempts = 1
            try await patient.with(connection) { api in
                #expect(await get(api) == .unreachable)
                try folder.write(own.authorityPEM, to: "ca.crt")
                #expect(await get(api) == .unreachable)
                stand.time.advance(.seconds(10))
                #expect(await get(api) == nil)
                for text in ["broken", ""] {
                    try folder.write(text, to: "ca.crt")
                    stand.time.advance(.seconds(10))
                    #expect(await get(api) == nil)
                }
                try DurableFile.remove(file)
                stand.time.advance(.seconds(10))
                #expect(await get(api) == nil)
            }
        }
    }

    @Test func letsRunningCallsEndOnTheOldCertificates() async throws {
        let (own, other) = (try Certificates(), try Certificates())
        let file = try folder.write(own.authorityPEM, to: "ca.crt")
        let tls = try own.server(names: [Certificates.loopback])
        try await StreamServer.with(tls: tls, answer: { $0.target.contains("watch") ? nil : "{}" }) { server in
            var connection = ClusterConnection(server: "https://127.0.0.1:\(server.port)")
            connection.certificateAuthority = .file(file)
            var patient = stand
            patient.time = ManualTime()
            try await patient.with(connection) { [time = patient.time] api in
                let query = WatchQuery(
                    ObjectSelection(.secrets), resourceVersion: "1", timeoutSeconds: 300, idleTimeout: .seconds(305))
                try await withThrowingTaskGroup(of: KubernetesError.Code?.self) { group in
                    group.addTask {
                        await Stand.failure { () throws(KubernetesError) in
                            try await api.watch(query) { _ in .goOn }
                        }?.code
                    }
                    let watch = try await Eventually.value("the watch") { server.asked.first }
                    try await watch.begin()
                    try folder.write(own.authorityPEM + "\n" + other.authorityPEM, to: "ca.crt")
                    time.advance(.seconds(10))
                    #expect(await get(api) == nil)
                    #expect(!watch.isClosed)
                    try await watch.send(#"{"type":"ADDED","object":{}}"# + "\n")
                    try await watch.finish()
                    for try await code in group { #expect(code == nil) }
                    // Its connection goes with the client that is no longer used, and not only when it was idle for a minute.
                    try await Eventually.holds("the end of the connection", within: .seconds(45)) { watch.isClosed }
                }
            }
        }
    }

    @Test func startsWithNothingThatCannotBeUsed() async throws {
        var connection = ClusterConnection(server: "https://127.0.0.1:1", certificateAuthority: bytes("nonsense"))
        await #expect(throws: ClusterConnectionError.self) { try await stand.with(connection) { _ in } }
        connection.certificateAuthority = nil
        let pair = try Certificates().issue("a")
        connection.clientCertificate = .init(certificate: bytes(pair.certificate), key: bytes("nonsense"))
        await #expect(throws: ClusterConnectionError.self) { try await stand.with(connection) { _ in } }
    }
}
