// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Crypto
internal import Essentials
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import SwiftASN1
internal import TestSupport
internal import Testing
internal import X509

@Suite(.timeLimit(.minutes(10))) struct ReplicaClientTests {
    private let loopback = IPAddress(ipv4: 0x7F00_0001)

    private func fault(_ body: () async throws -> ReplicaAnswer) async -> ReplicaError.Code? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? ReplicaError)?.code
        }
    }

    @Test func asksAndReadsTheAnswer() async throws {
        try await LoopbackHTTPServer.with({ request in
            LoopbackHTTPServer.Answer(
                status: 201, headers: [("X-Test", request.header("authorization") ?? "")],
                body: Array("\(request.method) \(request.target) ".utf8) + request.body)
        }) { server in
            let address = ReplicaAddress(address: loopback, port: server.port, usesTLS: false)
            let client = ReplicaClient(certificateFile: nil)
            let answer = try await client.send(
                ReplicaCall(
                    method: "POST", target: "/a?b=c", headers: HeaderList([("authorization", "Bearer t")]),
                    body: Array("body".utf8)), to: address, within: .seconds(60))
            #expect(answer.status == 201 && answer.headers.first("x-test") == "Bearer t")
            #expect(String(decoding: answer.body, as: UTF8.self) == "POST /a?b=c body")
            let empty = try await client.send(
                ReplicaCall(method: "POST", target: "/"), to: address, within: .seconds(60))
            #expect(String(decoding: empty.body, as: UTF8.self) == "POST / ")
            // A replica that speaks TLS sends no credential in plain text.
            let tls = ReplicaClient(certificateFile: "/nowhere")
            #expect(
                await fault {
                    try await tls.send(ReplicaCall(method: "GET", target: "/"), to: address, within: .seconds(60))
                } == .badAddress)
        }
    }

    @Test func givesUp() async throws {
        let client = ReplicaClient(certificateFile: nil)
        let call = ReplicaCall(method: "GET", target: "/")
        try await LoopbackHTTPServer.with({ request in
            request.target == "/drop" ? .drop : .silence
        }) { server in
            let address = ReplicaAddress(address: loopback, port: server.port, usesTLS: false)
            #expect(await fault { try await client.send(call, to: address, within: .milliseconds(50)) } == .timedOut)
            #expect(
                await fault {
                    try await client.send(
                        ReplicaCall(method: "GET", target: "/drop"), to: address, within: .seconds(60))
                } == .unreachable)
            try await withThrowingTaskGroup(of: ReplicaError.Code?.self) { group in
                group.addTask { await fault { try await client.send(call, to: address, within: .seconds(600)) } }
                try await Eventually.holds("the call") { server.requests.contains { $0.target == "/" } }
                group.cancelAll()
                for try await code in group { #expect(code == .unreachable) }
            }
        }
        let nobody = ReplicaAddress(address: loopback, port: try FreePort.next(), usesTLS: false)
        #expect(await fault { try await client.send(call, to: nobody, within: .seconds(60)) } == .unreachable)
    }

    /// A certificate for another name than any address, and its key.
    private struct Pair {
        let certificate: String
        let key: String

        init() throws {
            let secret = P256.Signing.PrivateKey()
            let name = try DistinguishedName { CommonName("tollgate.example") }
            certificate = try Certificate(
                version: .v3, serialNumber: .init(), publicKey: .init(secret.publicKey), notValidBefore: Date() - 3600,
                notValidAfter: Date() + 86_400, issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try .init { SubjectAlternativeNames([.dnsName("tollgate.example")]) },
                issuerPrivateKey: .init(secret)
            ).serializeAsPEM().pemString
            key = secret.pemRepresentation
        }
    }

    /// Serves "ok" with that certificate.
    private func serving(_ pair: Pair, _ body: (Int) async throws -> Void) async throws {
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(pair.certificate.utf8)).map {
                    .certificate($0)
                },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(pair.key.utf8), format: .pem))))
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(SaysOK())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(channel.localAddress?.port ?? 0)
        } catch {
            try await channel.close().get()
            throw error
        }
        try await channel.close().get()
    }

    @Test func believesNobodyButWhoHasItsOwnCertificate() async throws {
        let folder = try TemporaryDirectory()
        let (ours, theirs) = (try Pair(), try Pair())
        let file = try folder.write(ours.certificate, to: "tls.crt")
        let clock = ManualMonotonicClock()
        let client = ReplicaClient(certificateFile: file, time: clock)
        let call = ReplicaCall(method: "GET", target: "/")
        func code(_ port: Int) async -> ReplicaError.Code? {
            await fault {
                try await client.send(
                    call, to: ReplicaAddress(address: loopback, port: port, usesTLS: true), within: .seconds(60))
            }
        }
        try await serving(ours) { port in #expect(await code(port) == nil) }
        // The same name, another key.
        try await serving(theirs) { port in #expect(await code(port) == .untrusted) }
        // The file was replaced here, and not yet there.
        try folder.write(theirs.certificate, to: "tls.crt")
        try await serving(theirs) { port in #expect(await code(port) == nil) }
        try await serving(ours) { port in
            #expect(await code(port) == nil)
            clock.advance(by: .seconds(601))
            #expect(await code(port) == .untrusted)
        }
        try folder.write("nothing", to: "tls.crt")
        try await serving(theirs) { port in #expect(await code(port) == .untrusted) }
    }
}

private final class SaysOK: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["content-length": "2"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "ok")))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
