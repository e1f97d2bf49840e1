// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Foundation
internal import SwiftASN1
internal import X509

/// An authority and what it signs, made for one test.
package struct TestAuthority {
    /// Its own certificate.
    package let pem: String
    private let key = P256.Signing.PrivateKey()
    private let name: DistinguishedName

    /// A new one.
    package init() throws {
        name = try DistinguishedName { CommonName("test authority \(UUID().uuidString)") }
        pem = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey), notValidBefore: Date() - 3600,
            notValidAfter: Date() + 86_400, issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init { Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil)) },
            issuerPrivateKey: .init(key)
        ).serializeAsPEM().pemString
    }

    /// A server's certificate for names and addresses, and its key.
    package func issue(names: [String], addresses: [[UInt8]]) throws -> (certificate: String, key: String) {
        let own = P256.Signing.PrivateKey()
        let alternatives =
            names.map { GeneralName.dnsName($0) }
            + addresses.map { GeneralName.ipAddress(ASN1OctetString(contentBytes: $0[...])) }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(own.publicKey), notValidBefore: Date() - 3600,
            notValidAfter: Date() + 86_400, issuer: name, subject: try DistinguishedName { CommonName("server") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init {
                Critical(BasicConstraints.notCertificateAuthority)
                SubjectAlternativeNames(alternatives)
            }, issuerPrivateKey: .init(key))
        return (try certificate.serializeAsPEM().pemString, own.pemRepresentation)
    }
}
