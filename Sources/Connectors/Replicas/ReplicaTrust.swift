// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOSSL

/// How the other side of a TLS connection is judged: its certificate must be one of ours. The handshake proves that it has the key.
struct ReplicaTrust: Sendable {
    private let certificates: [[UInt8]]
    private let context: NIOSSLContext

    /// - Parameter certificates: in DER.
    init(_ certificates: [[UInt8]]) throws(ReplicaError) {
        self.certificates = certificates
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        // The comparison below says more than any name: a pod's address stands in no certificate.
        configuration.certificateVerification = .noHostnameVerification
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw ReplicaError(.untrusted, "TLS cannot be set up: \(error)")
        }
    }

    /// What speaks TLS on a channel; the comparison stands in for the authorities.
    func handler() throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: context, serverHostname: nil) { [certificates] chain, verdict in
            // Without a readable certificate nothing is believed.
            let isOurs = (try? chain.first?.toDERBytes()).flatMap(\.self).map(certificates.contains) ?? false
            verdict.succeed(isOurs ? .certificateVerified : .failed)
        }
    }
}
