// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials
internal import Foundation
internal import SwiftASN1
internal import X509

/// A client certificate that somebody has verified: our own TLS listener, or a trusted proxy that says so in a header.
package struct ClientCertificate: Sendable, Hashable {
    /// Lower-case hexadecimal SHA-256 of the certificate.
    package let fingerprint: String
    /// The URI names, in order.
    package let uris: [String]
    /// The DNS names, in order.
    package let dnsNames: [String]
    /// The distinguished name of the subject.
    package let distinguishedName: String?
    /// Whom it names: the first URI name, else the first DNS name, else the distinguished name.
    package let name: String

    /// Takes what is known of it.
    ///
    /// - Returns: nil when the fingerprint is no SHA-256 in hexadecimal, or nothing names the owner.
    package init?(fingerprint: String, uris: [String], dnsNames: [String], distinguishedName: String?) {
        guard let digest = Hex.decode(fingerprint), digest.count == 32 else { return nil }
        let distinguishedName = distinguishedName.flatMap { $0.isEmpty ? nil : $0 }
        guard let name = uris.first ?? dnsNames.first ?? distinguishedName, !name.isEmpty else { return nil }
        self.fingerprint = Hex.encode(digest)
        self.uris = uris
        self.dnsNames = dnsNames
        self.distinguishedName = distinguishedName
        self.name = name
    }

    /// Reads the names of a certificate that our own TLS listener verified, from its DER bytes.
    ///
    /// - Returns: nil when the bytes are no certificate or it names nobody.
    package init?(der: [UInt8]) {
        let subject: String
        var uris: [String] = []
        var dnsNames: [String] = []
        do {
            let certificate = try Certificate(derEncoded: der)
            subject = certificate.subject.description
            for name in try certificate.extensions.subjectAlternativeNames ?? SubjectAlternativeNames([]) {
                switch name {
                case .uniformResourceIdentifier(let text): uris.append(text)
                case .dnsName(let text): dnsNames.append(text)
                default: break
                }
            }
        } catch {
            // Whatever is wrong with it, the answer is the same.
            return nil
        }
        self.init(
            fingerprint: Hex.encode(SHA256.hash(data: der)), uris: uris, dnsNames: dnsNames,
            distinguishedName: subject)
    }

    /// The SHA-256 of the certificate in base64url: what `cnf.x5t#S256` of a token is compared with.
    package var thumbprint: String { Base64URL.encode(Hex.decode(fingerprint) ?? []) }
}
