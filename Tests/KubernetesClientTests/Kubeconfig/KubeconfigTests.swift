// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable import KubernetesClient

@Suite struct KubeconfigTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    /// A file with one context, cluster and user.
    private static func text(cluster: String = "", user: String = "token: t0ken", context: String = "") -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: main
        contexts:
        - name: main
          context: {cluster: here, user: me\(context.isEmpty ? "" : ", \(context)")}
        clusters:
        - name: here
          cluster:
            server: https://127.0.0.1:6443
            \(cluster)
        users:
        - name: me
          user:
            \(user.split(separator: "\n").joined(separator: "\n    "))
        """
    }

    private func connection(_ text: String, context: String? = nil) throws(ClusterConnectionError) -> ClusterConnection
    {
        try Kubeconfig(bytes: Array(text.utf8), path: folder.path("config")).connection(context: context)
    }

    private func fault(_ text: String, context: String? = nil) -> ClusterConnectionError? {
        do {
            _ = try connection(text, context: context)
            return nil
        } catch { return error }
    }

    @Test func readsTheCurrentContext() throws {
        let connection = try connection(Self.text(context: "namespace: acme"))
        #expect(connection.server == "https://127.0.0.1:6443")
        #expect(connection.namespace == "acme")
        #expect(connection.credential == .token(Redacted("t0ken")))
        #expect(connection.warnings.isEmpty)
    }

    @Test func readsTheFieldsOfAClusterRelativeToTheFile() throws {
        try folder.write("PEM", to: "pki/ca.crt")
        let connection = try connection(
            Self.text(cluster: "certificate-authority: pki/ca.crt\n    tls-server-name: api.example"))
        #expect(connection.certificateAuthority == .file(folder.path("pki/ca.crt")))
        #expect(connection.tlsServerName == "api.example")
        let data = try self.connection(Self.text(cluster: "certificate-authority-data: UEVN"))
        #expect(data.certificateAuthority == .bytes(Redacted(Array("PEM".utf8))))
        let insecure = try self.connection(Self.text(cluster: "insecure-skip-tls-verify: true"))
        #expect(insecure.skipsServerVerification)
        #expect(insecure.warnings.count == 1)
    }

    @Test(arguments: [
        ("http://proxy:3128", ClusterProxy(kind: .http, host: "proxy", port: 3128)),
        ("http://u%40x:p@proxy", ClusterProxy(kind: .http, host: "proxy", port: 80, credentials: Redacted("u@x:p"))),
        ("socks5://127.0.0.1", ClusterProxy(kind: .socks5, host: "127.0.0.1", port: 1080)),
        ("socks5://[::1]:9/", ClusterProxy(kind: .socks5, host: "::1", port: 9)),
    ])
    func readsProxies(_ url: String, _ proxy: ClusterProxy) throws {
        #expect(try connection(Self.text(cluster: "proxy-url: \"\(url)\"")).proxy == proxy)
    }

    @Test func readsEverySortOfUser() throws {
        try folder.write("-----BEGIN PRIVATE KEY-----", to: "key.pem")
        let certificate = try connection(
            Self.text(user: "client-certificate-data: UEVN\nclient-key: key.pem"))
        #expect(
            certificate.clientCertificate
                == ClientCertificateSource(
                    certificate: .bytes(Redacted(Array("PEM".utf8))), key: .file(folder.path("key.pem"))))
        #expect(
            try connection(Self.text(user: "tokenFile: t")).credential == .tokenFile(folder.path("t")))
        let exec = try connection(
            Self.text(
                user: """
                    exec:
                      apiVersion: client.authentication.k8s.io/v1
                      command: bin/login
                      args: [--quiet, "1"]
                      env: [{name: A, value: b}]
                      interactiveMode: IfAvailable
                      provideClusterInfo: true
                      installHint: get it
                    """))
        #expect(
            exec.credential
                == .exec(
                    ExecPlugin(
                        version: .v1, command: folder.path("bin/login"), arguments: ["--quiet", "1"],
                        environment: [.init(name: "A", value: "b")], providesClusterInfo: true, installHint: "get it")))
    }

    @Test func mergesFilesSoThatTheFirstDefinitionWins() throws {
        let first = try folder.write(
            "contexts: [{name: a, context: {cluster: here}}]\nclusters: [{name: here, cluster: {server: https://one}}]",
            to: "first")
        let second = try folder.write(
            "current-context: a\nclusters: [{name: here, cluster: {server: https://two}}]\ncontexts: [{name: b, context: {cluster: here}}]",
            to: "second")
        let config = try Kubeconfig(
            path: nil, environment: ["KUBECONFIG": "\(first):\(folder.path("none")):\(second)"])
        #expect(config.contextNames == ["a", "b"])
        #expect(try config.connection(context: nil).server == "https://one:443")
        #expect(try config.connection(context: "b").server == "https://one:443")
        #expect(try Kubeconfig(path: second, environment: ["KUBECONFIG": first]).contextNames == ["b"])
        try folder.write(Self.text(), to: "home/.kube/config")
        #expect(try Kubeconfig(path: nil, environment: ["HOME": folder.path("home")]).contextNames == ["main"])
    }

    @Test(arguments: [
        ("password: x", ClusterConnectionError.Code.unsupported, "password"),
        ("username: x", .unsupported, "username"), ("auth-provider: {name: gcp}", .unsupported, "gcp"),
        ("as: admin", .unsupported, "as"), ("client-certificate-data: UEVN", .badField, "client-key"),
        ("client-key-data: UEVN", .badField, "client-certificate"), ("token: [a]", .badField, "token"),
        ("client-certificate-data: UEVN\nclient-key-data: RU5DUllQVEVE", .unsupported, "encrypted"),
        ("client-certificate: nowhere\nclient-key: nowhere", .missingFile, "nowhere"),
        ("exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: a}", .unsupported, "apiVersion"),
        ("exec: {apiVersion: client.authentication.k8s.io/v1, command: a}", .badField, "interactiveMode"),
        ("exec: {apiVersion: client.authentication.k8s.io/v1beta1}", .badField, "command"),
        (
            "exec: {apiVersion: client.authentication.k8s.io/v1, command: a, interactiveMode: Always}", .unsupported,
            "interactiveMode"
        ),
    ])
    func namesWhatIsWrongWithAUser(_ user: String, _ code: ClusterConnectionError.Code, _ words: String) {
        let fault = fault(Self.text(user: user))
        #expect(fault?.code == code)
        #expect(fault?.message.contains(words) == true)
        #expect(fault?.message.contains("users[name=me].user") == true, "\(fault?.message ?? "")")
        #expect(fault?.message.hasPrefix(folder.path) == true)
    }

    @Test(arguments: [
        ("certificate-authority-data: '!'", "base64"), ("insecure-skip-tls-verify: maybe", "true or false"),
        ("certificate-authority: nowhere", "nowhere"), ("proxy-url: ftp://x", "proxy-url"),
        ("certificate-authority-data: UEVN\n    insecure-skip-tls-verify: true", "contradict"),
        ("proxy-url: https://secret:word@x", "not supported"), ("tls-server-name: a b", "DNS"),
    ])
    func namesWhatIsWrongWithACluster(_ cluster: String, _ words: String) {
        let message = fault(Self.text(cluster: cluster))?.message ?? ""
        #expect(message.contains(words), "\(message)")
        #expect(message.contains("clusters[name=here].cluster"))
        #expect(!message.contains("secret"))
    }

    @Test func namesWhatLeadsNowhere() throws {
        #expect(fault(Self.text(), context: "other")?.code == .unknownName)
        #expect(fault("kind: Config")?.code == .unknownName)
        #expect(fault("kind: Pod")?.code == .malformedFile)
        #expect(fault("[]")?.code == .malformedFile)
        #expect(fault("a: [")?.code == .malformedFile)
        #expect(fault("a: 1\na: 2")?.code == .malformedFile)
        #expect(fault("clusters: [{name: a}, {name: a}]")?.code == .malformedFile)
        #expect(fault("contexts: [{name: a, context: {cluster: x}}]\ncurrent-context: a")?.code == .unknownName)
        #expect(fault(String(repeating: " ", count: 1 << 20) + "a")?.code == .unreadableFile)
        #expect(throws: ClusterConnectionError.self) {
            try Kubeconfig(path: folder.path("none"), environment: [:])
        }
        #expect(throws: ClusterConnectionError.self) {
            try Kubeconfig(path: nil, environment: ["KUBECONFIG": folder.path("none")])
        }
        #expect(throws: ClusterConnectionError.self) { try Kubeconfig(path: nil, environment: [:]) }
    }

    @Test func survivesEveryText() {
        let random = SeededRandom(seed: 11)
        let good = Array(
            Self.text(
                cluster: "certificate-authority-data: UEVN\n    proxy-url: http://u:p@h:1",
                user: "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: a, env: [{name: a}]}"
            ).utf8)
        let pieces = ["*a", "&a", "[", "{", "- ", ": ", "\t", "!!binary ", "\"", "'", "|\n", "null", "\u{0}", "%"]
        for _ in 0..<FuzzCases.count(500) {
            var bytes = good
            for _ in 0...random.below(5) {
                let index = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[index] = UInt8(random.below(256))
                case 1: bytes.insert(contentsOf: Array(pieces[random.below(pieces.count)].utf8), at: index)
                default: bytes.removeSubrange(index..<min(bytes.count, index + 1 + random.below(20)))
                }
                if bytes.isEmpty { bytes = good }
            }
            // Any connection and any error of the promised type is fine; there must be one of both.
            do throws(ClusterConnectionError) {
                _ = try connection(String(decoding: bytes, as: UTF8.self))
                _ = try Kubeconfig(bytes: bytes, path: "f").connection(context: nil)
            } catch { #expect(!error.message.isEmpty) }
        }
        let deep = "clusters: " + String(repeating: "[", count: 100_000)
        #expect(fault(deep)?.code == .malformedFile)
    }
}
