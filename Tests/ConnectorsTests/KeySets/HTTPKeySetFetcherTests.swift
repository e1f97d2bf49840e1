// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Connectors
internal import Crypto
internal import Essentials
internal import Foundation
internal import NIOHTTP1
internal import NIOSSL
internal import SwiftASN1
internal import Synchronization
internal import TestSupport
internal import Testing
internal import X509

@Suite(.timeLimit(.minutes(10))) struct HTTPKeySetFetcherTests {
    /// Names and addresses as a test has them.
    final class FakeResolver: AddressResolving {
        private let table: [String: [String]]
        private let asked = Mutex<[String]>([])

        init(_ table: [String: [String]] = [:]) { self.table = table }

        var names: [String] { asked.withLock { $0 } }

        func addresses(of host: String) async throws -> [IPAddress] {
            asked.withLock { $0.append(host) }
            return (table[host] ?? []).compactMap { IPAddress($0) }
        }
    }

    private let clock = ManualClock()

    private func fetcher(
        allowing: [String] = [], resolver: FakeResolver = FakeResolver(),
        tls: TLSConfiguration = .makeClientConfiguration()
    ) throws -> HTTPKeySetFetcher {
        HTTPKeySetFetcher(
            client: GuardedHTTPClient(egress: try EgressRules(allowing: allowing), resolver: resolver, tls: tls),
            clock: clock)
    }

    private func code(_ fetcher: HTTPKeySetFetcher, _ source: RemoteKeySource) async -> KeySetFetchError.Code? {
        do {
            _ = try await fetcher.fetch(source, timeout: .seconds(30))
            return nil
        } catch { return error.code }
    }

    private func jwks(_ port: Int, _ path: String, host: String = "127.0.0.1") -> RemoteKeySource {
        .jwks(url: "http://\(host):\(port)\(path)", trust: .settings)
    }

    @Test func bringsTheDocument() async throws {
        try await LoopbackServer.with { server, port in
            server.set(
                "/keys?a=b",
                .init(headers: [("Cache-Control", "public"), ("cache-control", "max-age=60")], body: Array("{}".utf8)))
            let document = try await fetcher().fetch(jwks(port, "/keys?a=b"), timeout: .seconds(30))
            #expect(document == FetchedDocument(body: Array("{}".utf8), cacheControl: "public,max-age=60"))
        }
    }

    @Test func takesOnlyStatus200AndNoRedirect() async throws {
        try await LoopbackServer.with { server, port in
            let client = try fetcher()
            server.set("/moved", .init(status: .found, headers: [("location", "/keys")]))
            server.set("/keys", .init())
            server.set("/empty", .init(status: .noContent))
            server.set("/fault", .init(status: .internalServerError))
            for path in ["/moved", "/empty", "/fault", "/nowhere"] {
                #expect(await code(client, jwks(port, path)) == .badStatus)
            }
            #expect(!server.seen.contains { $0.path == "/keys" })
        }
    }

    @Test func boundsTheBody() async throws {
        try await LoopbackServer.with { server, port in
            let client = try fetcher()
            server.set("/most", .init(body: Array(repeating: 0x20, count: 262_144)))
            server.set("/more", .init(body: Array(repeating: 0x20, count: 262_145)))
            #expect(await code(client, jwks(port, "/most")) == nil)
            #expect(await code(client, jwks(port, "/more")) == .tooLarge)
        }
    }

    @Test func waitsNoLongerThanItMay() async throws {
        try await LoopbackServer.with { server, port in
            server.set("/slow", .init(hangs: true))
            let fetcher = try fetcher()
            await #expect(throws: KeySetFetchError.self) {
                try await fetcher.fetch(jwks(port, "/slow"), timeout: .milliseconds(100))
            }
        }
    }

    @Test func connectsToTheAddressThatWasChecked() async throws {
        try await LoopbackServer.with { server, port in
            server.set("/keys", .init())
            let resolver = FakeResolver(["keys.example": ["127.0.0.1"]])
            let fetcher = try fetcher(allowing: ["127.0.0.0/8"], resolver: resolver)
            #expect(await code(fetcher, jwks(port, "/keys", host: "keys.example")) == nil)
            #expect(resolver.names == ["keys.example"])
            #expect(server.seen == [.init(path: "/keys", host: "keys.example:\(port)")])
        }
    }

    @Test func refusesPrivateAddressesForObjects() async throws {
        try await LoopbackServer.with { server, port in
            server.set("/keys", .init())
            let table = ["rebind.example": ["127.0.0.1"], "private.example": ["10.0.0.1", "fd00::1"]]
            let fetcher = try fetcher(resolver: FakeResolver(table))
            for url in [
                "https://rebind.example:\(port)/keys", "https://private.example/keys", "https://127.0.0.1:\(port)/keys",
                "http://127.0.0.1:\(port)/keys", "http://rebind.example:\(port)/keys",
            ] { #expect(await code(fetcher, .jwks(url: url, trust: .object)) == .egressRefused, "\(url)") }
            #expect(await code(fetcher, .jwks(url: "https://nowhere.example/", trust: .object)) == .unreachable)
            #expect(server.seen.isEmpty)
        }
    }

    @Test func checksTheNameInTheCertificateAtTheCheckedAddress() async throws {
        let (context, root) = try Self.tlsServer(name: "keys.example")
        try await LoopbackServer.with(tls: context) { server, port in
            server.set("/keys", .init())
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .certificates([root])
            let resolver = FakeResolver(["keys.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]])
            let fetcher = try fetcher(allowing: ["127.0.0.0/8"], resolver: resolver, tls: tls)
            func source(_ host: String) -> RemoteKeySource {
                .jwks(url: "https://\(host):\(port)/keys", trust: .object)
            }
            #expect(await code(fetcher, source("keys.example")) == nil)
            #expect(await code(fetcher, source("other.example")) == .unreachable)
            #expect(server.seen.map(\.host) == ["keys.example:\(port)"])
        }
    }

    @Test func discoversOnceAnHour() async throws {
        try await LoopbackServer.with { server, port in
            let issuer = "http://127.0.0.1:\(port)/realm/"
            let document: JSONValue = ["issuer": .string(issuer), "jwks_uri": .string("http://127.0.0.1:\(port)/keys")]
            server.set("/realm/.well-known/openid-configuration", .init(body: document.encoded()))
            server.set("/keys", .init(body: Array("keys".utf8)))
            let fetcher = try fetcher()
            let source = RemoteKeySource.discovery(issuer: issuer, trust: .settings)
            for _ in 0..<3 { #expect(await code(fetcher, source) == nil) }
            #expect(server.seen.map(\.path) == ["/realm/.well-known/openid-configuration", "/keys", "/keys", "/keys"])
            clock.advance(seconds: 3600)
            #expect(await code(fetcher, source) == nil)
            #expect(server.seen.suffix(2).map(\.path) == ["/realm/.well-known/openid-configuration", "/keys"])
        }
    }

    @Test func refusesForeignAndBrokenDiscoveryDocuments() async throws {
        try await LoopbackServer.with { server, port in
            let client = try fetcher()
            let base = "http://127.0.0.1:\(port)"
            for (name, body) in [
                ("a", "{\"issuer\":\"\(base)/a/\",\"jwks_uri\":\"\(base)/keys\"}"), ("b", "{\"issuer\":\"\(base)/b\"}"),
                ("c", "no json"), ("d", "{\"jwks_uri\":\"\(base)/keys\"}"),
            ] {
                server.set("/\(name)/.well-known/openid-configuration", .init(body: Array(body.utf8)))
                let source = RemoteKeySource.discovery(issuer: "\(base)/\(name)", trust: .settings)
                #expect(await code(client, source) == .badDiscovery, "\(name)")
            }
            let inside = "{\"issuer\":\"\(base)/e\",\"jwks_uri\":\"http://10.0.0.1/keys\"}"
            server.set("/e/.well-known/openid-configuration", .init(body: Array(inside.utf8)))
            let source = RemoteKeySource.discovery(issuer: "\(base)/e", trust: .settings)
            #expect(await code(client, source) == .egressRefused)
        }
    }

    @Test func asksTheSystemForAddresses() async throws {
        #expect(try await SystemResolver().addresses(of: "127.0.0.1") == [IPAddress("127.0.0.1")])
        #expect(try await SystemResolver().addresses(of: "localhost").contains { $0.isLoopback })
    }

    private static func tlsServer(name: String) throws -> (NIOSSLContext, NIOSSLCertificate) {
        let key = P256.Signing.PrivateKey()
        let signer = Certificate.PrivateKey(key)
        let subject = try DistinguishedName { CommonName(name) }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: signer.publicKey,
            notValidBefore: Date(timeIntervalSince1970: 0), notValidAfter: Date(timeIntervalSince1970: 4_000_000_000),
            issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                BasicConstraints.isCertificateAuthority(maxPathLength: nil)
                SubjectAlternativeNames([.dnsName(name)])
            }, issuerPrivateKey: signer)
        var serializer = DER.Serializer()
        try certificate.serialize(into: &serializer)
        let root = try NIOSSLCertificate(bytes: serializer.serializedBytes, format: .der)
        let privateKey = try NIOSSLPrivateKey(bytes: Array(key.derRepresentation), format: .der)
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(root)], privateKey: .privateKey(privateKey))
        return (try NIOSSLContext(configuration: configuration), root)
    }
}
