// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import AuditTrail
internal import Crypto
internal import Essentials
internal import Foundation
internal import HTTPService
internal import Hummingbird
internal import HummingbirdTesting
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import ServiceLifecycle
internal import SwiftASN1
internal import TestSupport
internal import Testing
internal import X509

@Suite(.timeLimit(.minutes(10))) struct TLSTests {
    /// A certificate for localhost and its key, in a folder of their own.
    private struct Pair {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tollgate-tls-\(UUID().uuidString)")
        var files: TLSFiles {
            TLSFiles(
                certificate: folder.appending(path: "tls.crt").path, privateKey: folder.appending(path: "tls.key").path)
        }

        /// Writes a new pair and gives the certificate's PEM.
        func write() throws -> String {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let key = P256.Signing.PrivateKey()
            let name = try DistinguishedName { CommonName("localhost") }
            let certificate = try Certificate(
                version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey), notValidBefore: Date() - 3600,
                notValidAfter: Date() + 86_400, issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try .init {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                    SubjectAlternativeNames([.dnsName("localhost")])
                }, issuerPrivateKey: .init(key))
            let pem = try certificate.serializeAsPEM().pemString
            try Data(pem.utf8).write(to: URL(filePath: files.certificate))
            try Data(key.pemRepresentation.utf8).write(to: URL(filePath: files.privateKey))
            return pem
        }
    }

    private func trusting(_ pem: String) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)))
        return tls
    }

    @Test func speaksHTTP2AndHTTP1OverTLS() async throws {
        let pair = Pair()
        let pem = try pair.write()
        defer { try? FileManager.default.removeItem(at: pair.folder) }
        var gate = Gate()
        gate.settings.tls = pair.files
        let tls = try trusting(pem)
        try await gate.live { port in
            for isTwo in [true, false] {
                var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
                configuration.httpVersion = isTwo ? .automatic : .http1Only
                let client = HTTPClient(configuration: configuration)
                var request = HTTPClientRequest(url: "https://localhost:\(port)/v1/service-tokens")
                request.method = .POST
                request.body = .bytes(ByteBuffer(string: "{"))
                let response = try await client.execute(request, timeout: .seconds(10))
                #expect(response.version == (isTwo ? .http2 : .http1_1))
                #expect(response.status == .badRequest)
                #expect(
                    response.headers["Strict-Transport-Security"] == ["max-age=31536000; includeSubDomains"])
                var large = HTTPClientRequest(url: "https://localhost:\(port)/v1/service-tokens")
                large.method = .POST
                large.body = .bytes(ByteBuffer(repeating: 0x20, count: 100_000))
                let refused = try await client.execute(large, timeout: .seconds(10))
                #expect(refused.status == .payloadTooLarge)
                try await client.shutdown()
            }
        }
    }

    @Test(arguments: [true, false]) func streamsEventsOverTLS(_ isTwo: Bool) async throws {
        let pair = Pair()
        let pem = try pair.write()
        defer { try? FileManager.default.removeItem(at: pair.folder) }
        let streams = StreamGate()
        var gate = streams.gate
        gate.settings.tls = pair.files
        var configuration = HTTPClient.Configuration(tlsConfiguration: try trusting(pem))
        configuration.httpVersion = isTwo ? .automatic : .http1Only
        let client = HTTPClient(configuration: configuration)
        try await gate.live { port in
            let request = HTTPClientRequest(url: "https://localhost:\(port)/events?stream=all")
            let response = try await client.execute(request, timeout: .minutes(5))
            #expect(response.version == (isTwo ? .http2 : .http1_1))
            var text = ""
            for try await part in response.body {
                if text.isEmpty { streams.write([try LiveRows.row(0)]) }
                text += String(buffer: part)
                if text.contains(LiveRows.id(0)) { break }
            }
            #expect(text.hasPrefix("retry: 3000\n: "))
            try await Eventually.holds("the place to be free") { streams.hub.clients == 0 }
            try await client.shutdown()
        }
    }

    @Test func servesANewPairWithoutARestartAndKeepsTheOldOneWhenTheNewIsBroken() async throws {
        let pair = Pair()
        let old = try pair.write()
        defer { try? FileManager.default.removeItem(at: pair.folder) }
        var gate = Gate()
        gate.settings.tls = pair.files
        gate.settings.certificateRefresh = .milliseconds(20)
        let listeners = try HTTPListeners(settings: gate.settings, dependencies: gate.dependencies)
        let (oldTLS, answered) = (try trusting(old), "HTTP/1.1 200 OK")
        try await listeners.api().test(.live) { client in
            let port = try #require(client.port)
            @Sendable func ask(_ tls: TLSConfiguration) async -> Bool {
                let text = try? await RawClient(port: port, tls: tls).run { connection in
                    try await connection.send("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    try await connection.read()
                    return connection.received
                }
                return text?.hasPrefix(answered) == true
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for service in listeners.services { group.addTask { try await service.run() } }
                #expect(await ask(oldTLS))
                try Data("broken".utf8).write(to: URL(filePath: pair.files.certificate))
                for _ in 0..<50 { #expect(await ask(oldTLS)) }
                let newTLS = try trusting(try pair.write())
                var isServed = false
                for _ in 0..<5000 where !isServed { isServed = await ask(newTLS) }
                #expect(isServed)
                #expect(await !ask(oldTLS))
                group.cancelAll()
                do { try await group.waitForAll() } catch is CancellationError {}
            }
        }
    }

    @Test func startsWithNoBrokenPair() throws {
        let pair = Pair()
        var settings = HTTPSettings(api: .init(host: "127.0.0.1", port: 0))
        settings.tls = pair.files
        #expect(throws: (any Error).self) { try HTTPListeners(settings: settings, dependencies: Gate().dependencies) }
    }
}
