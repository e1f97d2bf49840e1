// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials
internal import Foundation
internal import NIOCertificateReloading
internal import NIOSSL
internal import SwiftASN1
internal import X509

/// A certificate and its key, its own authority.
struct Pair: Sendable {
    let certificate: String
    let key: String

    init(name: String) throws {
        let key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName(name) }
        let made = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey), notValidBefore: Date() - 3600,
            notValidAfter: Date() + 86_400, issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                SubjectAlternativeNames([.dnsName(name)])
            }, issuerPrivateKey: .init(key))
        certificate = try made.serializeAsPEM().pemString
        self.key = key.pemRepresentation
    }

    /// The pair as the listener takes it.
    func reloader() throws -> any CertificateReloader {
        FixedPair(
            certificates: try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)),
            key: try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))
    }
}

/// A pair that never changes.
private struct FixedPair: CertificateReloader {
    let certificates: [NIOSSLCertificate]
    let key: NIOSSLPrivateKey

    var sslContextConfigurationOverride: NIOSSLContextConfigurationOverride {
        var override = NIOSSLContextConfigurationOverride()
        override.certificateChain = certificates.map { .certificate($0) }
        override.privateKey = .privateKey(key)
        return override
    }
}
