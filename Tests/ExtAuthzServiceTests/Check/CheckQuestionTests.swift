// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Foundation
internal import Pipeline
internal import TestSupport
internal import Testing

@testable import ExtAuthzService

@Suite struct CheckQuestionTests {
    private typealias Request = Envoy_Service_Auth_V3_CheckRequest

    private func question(_ request: Envoy_Service_Auth_V3_CheckRequest, peer: String = "10.0.0.5") throws
        -> CheckQuestion
    {
        CheckQuestion(
            request, peer: try #require(IPAddress(peer)),
            addresses: ClientAddressResolver(trusted: ["10.0.0.0/8"].compactMap { CIDR($0) }),
            now: ManualClock().now())
    }

    @Test func readsWhatEnvoyDescribes() throws {
        let input = try question(
            .about(
                "DELETE", "/a?b=c",
                headers: ["Authorization": "Bearer x", ":method": "GET", "x-request-id": "abcdefgh-1"])
        ).input(patience: .milliseconds(200))
        #expect(input.door == .grpc)
        #expect(input.method == "DELETE")
        #expect(input.host == "api.example.com")
        #expect(input.target == "/a?b=c")
        #expect(input.scheme == "http")
        #expect(input.headers.fields.map(\.name) == ["authorization", "x-request-id"])
        #expect(input.requestID == "abcdefgh-1")
        #expect(input.patience == .milliseconds(200))
        #expect(input.clientCertificate == nil)
    }

    @Test func readsNothingWhereNothingIsSaid() throws {
        let input = try question(Request()).input(patience: nil)
        #expect(input.method == nil)
        #expect(input.host == nil)
        #expect(input.target == nil)
        #expect(input.scheme == "https")
    }

    @Test func prefersTheHostOfTheRoute() throws {
        let routed = Request.about(host: "internal") { $0.contextExtensions["tollgate.dev/host"] = "api.example.org" }
        #expect(try question(routed).input(patience: nil).host == "api.example.org")
        let unset = Request.about(host: "internal") { $0.contextExtensions["tollgate.dev/host"] = "" }
        #expect(try question(unset).input(patience: nil).host == "internal")
    }

    /// (source, X-Forwarded-For, client, stands for everybody behind it)
    @Test(arguments: [
        ("203.0.113.7", "198.51.100.1", "203.0.113.7", false), ("10.0.0.9", "198.51.100.1", "198.51.100.1", false),
        ("10.0.0.9", "198.51.100.1, 10.0.0.8", "198.51.100.1", false), ("10.0.0.9", "", "10.0.0.9", true),
        ("", "198.51.100.1", "198.51.100.1", false), ("", "", "10.0.0.5", true), ("/run/x.sock", "", "10.0.0.5", true),
        ("::ffff:203.0.113.7", "", "203.0.113.7", false),
    ])
    func findsTheClient(_ source: String, _ forwarded: String, _ client: String, _ isProxy: Bool) throws {
        let headers = forwarded.isEmpty ? [:] : ["x-forwarded-for": forwarded]
        let input = try question(.about(headers: headers, source: source)).input(patience: nil)
        #expect(input.clientAddress?.description == client)
        #expect(input.clientIsTrustedProxy == isProxy)
    }

    @Test func neverCountsFailuresForAProxyThatNamesNoClient() throws {
        // Trusted for its certificate, not for its address.
        let input = try question(.about(source: ""), peer: "192.0.2.1").input(patience: nil)
        #expect(input.clientAddress?.description == "192.0.2.1")
        #expect(input.clientIsTrustedProxy)
    }

    @Test func handsTheCertificateOnInTheFormOfTheHeader() throws {
        let pem = "-----BEGIN%20CERTIFICATE-----%0Aabc%0A-----END%20CERTIFICATE-----%0A"
        let given = Request.about { $0.source.certificate = pem }
        #expect(try question(given).input(patience: nil).clientCertificate == "Cert=\"\(pem)\"")
        let forged = Request.about { $0.source.certificate = "x\";Hash=00;Subject=\"CN=root" }
        #expect(try question(forged).input(patience: nil).clientCertificate == "Cert=\"\"")
    }

    @Test func ignoresTheHeaderThatNamesCertificatesElsewhere() throws {
        let request = Request.about(headers: ["x-forwarded-client-cert": "Hash=00;URI=spiffe://x/y"])
        #expect(try question(request).input(patience: nil).clientCertificate == nil)
    }

    @Test func readsTheResourceAndRefusesItTwice() throws {
        let once = Request.about(headers: ["x-tollgate-resource-owner": "u1"])
        #expect(try question(once).input(patience: nil).resource.owner == "u1")
        let twice = Request.about(headers: ["x-tollgate-resource-owner": "u1", "X-Tollgate-Resource-Owner": "u2"])
        #expect(
            throws: Refusal(.requestDuplicateHeader, details: ["header": "x-tollgate-resource-owner"]),
            performing: { try question(twice).input(patience: nil) })
    }

    @Test func boundsTheBody() throws {
        let fits = Request.about { $0.request.http.rawBody = .init(count: 65_536) }
        _ = try question(fits).input(patience: nil)
        for change: (inout Envoy_Service_Auth_V3_AttributeContext) -> Void in [
            { $0.request.http.rawBody = .init(count: 65_537) },
            { $0.request.http.body = String(repeating: "x", count: 65_537) },
        ] {
            #expect(throws: Refusal(.requestTooLarge)) {
                try question(.about(change: change)).input(patience: nil)
            }
        }
    }

    @Test func recordsThePathWithoutItsQuery() throws {
        let record = try question(.about("POST", "/a?secret=1")).record
        #expect(record.path == "/a")
        #expect(record.method == "POST")
        #expect(record.client.description == "203.0.113.7")
    }
}
