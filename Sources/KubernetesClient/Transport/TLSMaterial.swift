// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import NIOCore
internal import NIOSSL

/// The bytes that a TLS configuration is made of.
struct TLSMaterial: Sendable, Equatable {
    var authority: [UInt8]?
    var certificate: Credential.PEMPair?

    /// The configuration for connections to the server.
    ///
    /// - Throws: what is wrong with which part, without its content.
    func configuration(skipsServerVerification: Bool) throws(ClusterConnectionError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if skipsServerVerification { tls.certificateVerification = .none }
        if let authority {
            do {
                let certificates = try NIOSSLCertificate.fromPEMBytes(authority)
                guard !certificates.isEmpty else {
                    throw ClusterConnectionError(.badField, "the certificate authority holds no PEM certificate")
                }
                tls.trustRoots = .certificates(certificates)
            } catch let error as ClusterConnectionError {
                throw error
            } catch {
                throw ClusterConnectionError(.badField, "the certificate authority is no PEM certificate")
            }
        }
        if let certificate {
            do {
                let chain = try NIOSSLCertificate.fromPEMBytes(certificate.certificate)
                guard !chain.isEmpty else {
                    throw ClusterConnectionError(.badField, "the client certificate holds no PEM certificate")
                }
                tls.certificateChain = chain.map { .certificate($0) }
            } catch let error as ClusterConnectionError {
                throw error
            } catch {
                throw ClusterConnectionError(.badField, "the client certificate is no PEM certificate")
            }
            do {
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: certificate.key.revealed, format: .pem))
            } catch {
                throw ClusterConnectionError(.badField, "the client key is no PEM private key")
            }
        }
        return tls
    }
}
