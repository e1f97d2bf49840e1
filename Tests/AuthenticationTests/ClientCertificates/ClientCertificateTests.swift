// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Crypto
internal import Essentials
internal import Foundation
internal import SwiftASN1
internal import Testing
internal import X509

@Suite struct ClientCertificateTests {
    private static let hash = String(repeating: "ab", count: 32)
    private let policy = ClientCertificatePolicy(trustDomains: ["Example.org", "spiffe://other.example"])

    private func principal(_ header: String, _ mappings: [IdentityMapping] = []) -> AuthenticationOutcome? {
        ForwardedCertificate.parse(header).map { policy.principal(of: $0, mappings: IdentityMappings(mappings)) }
    }

    @Test func readsTheLastElement() throws {
        let header =
            "By=spiffe://example.org/x;Hash=\(String(repeating: "00", count: 32));URI=spiffe://example.org/first,"
            + "By=spiffe://example.org/y;Hash=\(Self.hash.uppercased());Subject=\"CN=a,O=\\\"b;c\\\"\";"
            + "URI=spiffe://example.org/ns/prod/tenant/acme/sa/web;URI=https://x;DNS=web.example;DNS=b.example"
        let certificate = try #require(ForwardedCertificate.parse(header))
        #expect(certificate.fingerprint == Self.hash)
        #expect(certificate.uris == ["spiffe://example.org/ns/prod/tenant/acme/sa/web", "https://x"])
        #expect(certificate.dnsNames == ["web.example", "b.example"])
        #expect(certificate.distinguishedName == "CN=a,O=\"b;c\"")
        let principal = try #require(principal(header)?.principal)
        #expect(principal.subject == "spiffe://example.org/ns/prod/tenant/acme/sa/web")
        #expect(principal.authSource == .spiffe)
        #expect(principal.identityType == .service)
        #expect(principal.tenantID == "acme")
        #expect(principal.tokenID == "sha256:\(Self.hash)")
        #expect(principal.roles.isEmpty && principal.scopes.isEmpty && principal.workspaceIDs.isEmpty)
        #expect(!principal.platform && !principal.admin && !principal.scoped)
    }

    @Test func namesByURIThenDNSThenSubject() throws {
        #expect(principal("Hash=\(Self.hash);DNS=web.example;Subject=\"CN=a\"")?.principal?.subject == "web.example")
        #expect(principal("Hash=\(Self.hash);Subject=\"CN=a\"")?.principal?.subject == "CN=a")
        #expect(principal("Hash=\(Self.hash);Subject=\"CN=a\"")?.principal?.authSource == .mtls)
        #expect(principal("Hash=\(Self.hash);URI=https://a/b")?.principal?.authSource == .mtls)
        #expect(principal("Hash=\(Self.hash);DNS=admin")?.principal?.subject == "mtls:admin")
    }

    @Test(arguments: [
        "", ",", "Hash=\(hash)", "URI=spiffe://example.org/x", "Hash=abc;DNS=x", "Hash=\(hash);Subject=\"CN=a",
        "Hash=\(hash);DNS=x,", "Hash=\(hash);Hash=\(hash);DNS=x", "nonsense", "Hash=\(hash);DNS=\"x\"y",
        "Hash=\(hash);Cert=\"nonsense\"", "Hash=\(hash);DNS=a\"b",
    ])
    func refusesWhatItCannotRead(_ header: String) { #expect(ForwardedCertificate.parse(header) == nil) }

    @Test(arguments: [
        "spiffe://evil.example/x", "SPIFFE://example.org/x", "spiffe:example.org/x", "spiffe://example.org:80/x",
        "spiffe://user@example.org/x", "spiffe://example.org/x?y", "spiffe://example.org//x",
        "spiffe://example.org/../x",
        "spiffe://example.org/%41", "spiffe://Example.org/x", "spiffe:///x",
    ])
    func refusesForeignAndMalformedSPIFFENames(_ uri: String) {
        #expect(principal("Hash=\(Self.hash);URI=\(uri)")?.code == "auth.invalid_certificate")
    }

    @Test func givesWhatTheMappingsGive() throws {
        let mappings = [
            IdentityMapping(match: .subject("spiffe://example.org/ns/prod/*"), roles: ["editor"], tenant: "first"),
            IdentityMapping(
                match: .subject("spiffe://example.org/ns/prod/web"), roles: ["viewer"], scopes: ["a:b"],
                workspaces: [" Team-A "], tenant: "second"),
            IdentityMapping(match: .subject("spiffe://example.org/ns/test/*"), roles: ["admin"]),
            IdentityMapping(match: .group("*"), roles: ["admin"]),
        ]
        let found = try #require(
            principal("Hash=\(Self.hash);URI=spiffe://example.org/ns/prod/web", mappings)?.principal)
        #expect(found.roles == ["editor", "viewer"])
        #expect(found.scopes == ["a:b"])
        #expect(found.workspaceIDs == ["team-a"])
        #expect(found.tenantID == "first")
    }

    @Test func readsACertificateItself() throws {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let name = try DistinguishedName { CommonName("web") }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key.publicKey,
            notValidBefore: Date(timeIntervalSince1970: 0),
            notValidAfter: Date(timeIntervalSince1970: 4_000_000_000), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                SubjectAlternativeNames([
                    .dnsName("web.example"), .uniformResourceIdentifier("spiffe://example.org/web"),
                ])
            }, issuerPrivateKey: key)
        var serializer = DER.Serializer()
        try certificate.serialize(into: &serializer)
        let der = serializer.serializedBytes
        let read = try #require(ClientCertificate(der: der))
        #expect(read.name == "spiffe://example.org/web")
        #expect(read.fingerprint == Hex.encode(SHA256.hash(data: der)))
        #expect(read.thumbprint == Base64URL.encode(Array(SHA256.hash(data: der))))
        let pem = PEMDocument(type: "CERTIFICATE", derBytes: der).pemString
        let text = try #require(pem.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        #expect(ForwardedCertificate.parse("Hash=\(read.fingerprint);Cert=\"\(text)\"") == read)
        #expect(ForwardedCertificate.parse("Cert=\"\(text)\"") == read)
        #expect(ForwardedCertificate.parse("Hash=\(Self.hash);Cert=\"\(text)\"") == nil)
        #expect(ClientCertificate(der: Array(der.dropLast())) == nil)
    }
}
