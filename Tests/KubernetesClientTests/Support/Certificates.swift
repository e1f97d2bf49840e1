// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Foundation
internal import NIOSSL
internal import SwiftASN1
internal import X509

/// An authority and what it signs, made for one test.
struct Certificates {
    let authorityPEM: String
    private let key = P256.Signing.PrivateKey()
    private let name: DistinguishedName

    init() throws {
        name = try DistinguishedName { CommonName("test authority \(UUID().uuidString)") }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey), notValidBefore: Date() - 3600,
            notValidAfter: Date() + 86_400, issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init { Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil)) },
            issuerPrivateKey: .init(key))
        authorityPEM = try certificate.serializeAsPEM().pemString
    }

    /// A certificate for a name, and its key.
    func issue(_ common: String, names: [GeneralName] = []) throws -> (certificate: String, key: String) {
        let own = P256.Signing.PrivateKey()
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(own.publicKey), notValidBefore: Date() - 3600,
            notValidAfter: Date() + 86_400, issuer: name, subject: try DistinguishedName { CommonName(common) },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init {
                Critical(BasicConstraints.notCertificateAuthority)
                if !names.isEmpty { SubjectAlternativeNames(names) }
            }, issuerPrivateKey: .init(key))
        return (try certificate.serializeAsPEM().pemString, own.pemRepresentation)
    }

    /// A server's side with a certificate for those names.
    func server(names: [GeneralName], clientAuthority: String? = nil) throws -> NIOSSLContext {
        let pair = try issue("server", names: names)
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(pair.certificate.utf8)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(pair.key.utf8), format: .pem)))
        if let clientAuthority {
            tls.certificateVerification = .noHostnameVerification
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(clientAuthority.utf8)))
        }
        return try NIOSSLContext(configuration: tls)
    }

    /// The address that all test servers have.
    static var loopback: GeneralName { .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])) }
}
