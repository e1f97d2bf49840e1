// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Billing
internal import Connectors
internal import Essentials
internal import NIOSSL
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(10))) struct WebhookSenderTests {
    private struct FixedResolver: AddressResolving {
        var address: String

        func addresses(of host: String) async throws -> [IPAddress] { [address].compactMap { IPAddress($0) } }
    }

    private static let headers = WebhookHeaders(
        id: "msg_1", body: Array("{}".utf8), secrets: [.make(SeededRandom(seed: 1))], at: Timestamp(seconds: 5))

    /// Half a minute before 07:28:00 on 21 October 2026.
    private static let now = Timestamp(seconds: 1_792_567_650)

    private func send(
        to host: String = "hooks.example", allowing: [String] = ["127.0.0.0/8"], resolved: String = "127.0.0.1",
        limit: Duration = .seconds(20), _ answer: LoopbackHTTPServer.Answer
    ) async throws -> (answer: WebhookAnswer, requests: [LoopbackHTTPServer.Request]) {
        let authority = try TestAuthority()
        let pair = try authority.issue(names: ["hooks.example"], addresses: [[127, 0, 0, 1]])
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.pem.utf8)))
        let sender = WebhookSender(
            egress: try EgressRules(allowing: allowing), resolver: FixedResolver(address: resolved), tls: tls,
            limit: limit, clock: ManualClock(Self.now))
        return try await LoopbackHTTPServer.with(tls: pair) { _ in
            answer
        } _: { server in
            let found = await sender.send(
                Array("{}".utf8), headers: Self.headers, to: "https://\(host):\(server.port)/in?a=b")
            return (found, server.requests)
        }
    }

    @Test func postsWhatIsSigned() async throws {
        let (answer, requests) = try await send(.init(status: 204))
        #expect(answer == .status(204, retryAfterSeconds: nil))
        let request = try #require(requests.first)
        #expect(request.method == "POST")
        #expect(request.target == "/in?a=b")
        #expect(request.body == Array("{}".utf8))
        for (name, value) in Self.headers.list { #expect(request.header(name) == value) }
    }

    @Test(
        arguments: [
            (301, nil, nil), (410, nil, nil), (500, nil, nil), (429, "30", 30), (429, "soon", nil),
            (503, "Wed, 21 Oct 2026 07:28:00 GMT", 30), (503, "Wed, 21 Oct 2020 07:28:00 GMT", 0),
            (503, "Wednesday, 21-Oct-26 07:28:00 GMT", nil), (503, "Wed, 41 Oct 2026 07:28:00 GMT", nil),
        ] as [(Int, String?, Int64?)])
    func tellsTheStatusAndFollowsNothing(_ status: Int, _ retryAfter: String?, _ seconds: Int64?) async throws {
        var answer = LoopbackHTTPServer.Answer(status: status, headers: [("location", "/other")])
        if let retryAfter { answer.headers.append(("retry-after", retryAfter)) }
        let (found, requests) = try await send(answer)
        #expect(found == .status(status, retryAfterSeconds: seconds))
        #expect(requests.count == 1)
    }

    @Test func anAddressInsideIsNotCalled() async throws {
        let (answer, requests) = try await send(allowing: [], .init())
        #expect(answer == .forbidden("the address of the host is neither public nor allowed"))
        #expect(requests.isEmpty)
        let (literal, none) = try await send(to: "127.0.0.1", allowing: [], .init())
        #expect(literal == .forbidden("the address of the URL is not public"))
        #expect(none.isEmpty)
        let (moved, still) = try await send(allowing: ["127.0.0.0/8"], resolved: "10.0.0.1", .init())
        #expect(moved == .forbidden("the address of the host is neither public nor allowed"))
        #expect(still.isEmpty)
    }

    @Test func aReceiverThatDoesNotAnswerIsLeft() async throws {
        let (answer, _) = try await send(limit: .milliseconds(500), .silence)
        #expect(answer == .unreachable("no answer within \(Duration.milliseconds(500))"))
    }

    @Test(arguments: [
        ("https://a.example/x", true), ("http://a.example", false), ("http://127.0.0.1", false),
        ("https://10.0.0.1", false), ("https://localhost", false), ("nonsense", false),
    ])
    func addressesAreCheckedBeforeTheyAreKept(_ url: String, _ isGood: Bool) {
        let sender = WebhookSender(egress: .strict)
        do throws(Refusal) {
            try sender.check(url)
            #expect(isGood)
        } catch {
            #expect(!isGood)
            #expect(error.code == .requestInvalid)
            #expect(error.details == ["field": "url"])
        }
    }
}
