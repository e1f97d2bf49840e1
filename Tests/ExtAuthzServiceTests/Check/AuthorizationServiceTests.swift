// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Foundation
internal import GRPCCore
internal import MetricsTestKit
internal import Pipeline
internal import SwiftProtobuf
internal import Synchronization
internal import TestSupport
internal import Testing

@testable import ExtAuthzService

@Suite struct AuthorizationServiceTests {
    private typealias Request = Envoy_Service_Auth_V3_CheckRequest

    private func failure(
        _ door: Door, _ request: Envoy_Service_Auth_V3_CheckRequest, peer: String = Door.proxy,
        patience: Duration? = nil
    )
        async -> RPCError?
    {
        do {
            _ = try await door.answer(request, peer: peer, patience: patience)
            return nil
        } catch {
            return error
        }
    }

    @Test func allows() async throws {
        let door = Door()
        let response = try await door.answer(.about())
        #expect(response.status.code == 0)
        #expect(response.okResponse.headers.contains { $0.header.key == "X-Tollgate-Subject" })
        #expect(door.decider.inputs.count == 1)
    }

    @Test func givesBackWhatWasTakenForACallThatWasGivenUp() async throws {
        let returned = Mutex(0)
        let door = Door { input in
            var decision = Door.allowed(input)
            decision.taken = [{ returned.withLock { $0 += 1 } }]
            return decision
        }
        _ = try await door.answer(.about())
        #expect(returned.withLock { $0 } == 0)
        _ = try await door.service.answer(.about(), peer: Door.proxy, patience: nil, isGone: { true })
        #expect(returned.withLock { $0 } == 1)
    }

    @Test(arguments: [
        (ErrorCode.requestBadHost, Int32(3)), (.authInvalidToken, 16), (.policyPermissionDenied, 7), (.authNoConfig, 5),
        (.rateLimited, 8), (.requestHeadersTooLarge, 3), (.billingPlanRequired, 8), (.billingModelTierNotAvailable, 7),
        (.billingAccountNotFound, 5),
    ])
    func saysNoAsAnAnswer(_ code: ErrorCode, _ statusCode: Int32) async throws {
        let response = try await Door(Door.refusing(Refusal(code))).answer(.about())
        #expect(response.status.code == statusCode)
        #expect(response.deniedResponse.status.code == Int32(code.status))
        #expect(response.deniedResponse.body.contains(code.rawValue))
    }

    @Test(arguments: [
        ErrorCode.decisionNotReady, .decisionTimeout, .decisionOverloaded, .decisionInternal, .configInvalid,
        .auditUnavailable, .authKeyUnavailable, .billingUnavailable,
    ])
    func failsTheCallWhereItCannotDecide(_ code: ErrorCode) async {
        let error = await failure(Door(Door.refusing(Refusal(code))), .about())
        #expect(error?.code == .unavailable)
        #expect(error?.message == code.rawValue)
    }

    @Test func tellsACallerThatDidNotWait() async {
        let door = Door(Door.refusing(Refusal(.decisionTimeout)))
        let error = await failure(door, .about(), patience: .zero)
        #expect(error?.code == .deadlineExceeded)
        #expect(error?.message == "decision.timeout")
        #expect(door.decider.inputs.first?.patience == .zero)
        // Another reason stays what it is, and so does a time-out before the caller's own.
        let unready = Door(Door.refusing(Refusal(.decisionNotReady)))
        #expect(await failure(unready, .about(), patience: .seconds(60))?.code == .unavailable)
        #expect(await failure(door, .about(), patience: .seconds(60))?.code == .unavailable)
    }

    @Test(arguments: ["ipv4:192.0.2.1:40000", "ipv6:[2001:db8::1]:1", "unix:/run/x.sock", "<unknown>"])
    func answersNoStranger(_ peer: String) async throws {
        let door = Door()
        let error = await failure(
            door, .about("POST", "/a?secret", headers: ["x-request-id": "of-a-stranger"]), peer: peer)
        #expect(error?.code == .permissionDenied)
        #expect(error?.message.hasPrefix("decision.untrusted_proxy: ") == true)
        #expect(error?.message.contains("TOLLGATE_TRUSTED_PROXIES") == true)
        #expect(door.decider.inputs.isEmpty)
        let entry = door.audit.entries.queued.first
        #expect(entry?.resource == "/a")
        #expect(entry?.metadata["code"] == "decision.untrusted_proxy")
        #expect(entry?.metadata["door"] == "grpc")
        #expect(entry?.requestID != "of-a-stranger")
        #expect(try door.metrics.expectCounter("tollgate_decision_untrusted_total").totalValue == 1)
    }

    /// As the HTTP listeners count theirs: availability is that of every door.
    @Test func countsEveryAnswer() async throws {
        func counted(_ door: Door, _ status: Int) throws -> Int64 {
            try door.metrics.expectCounter(
                "tollgate_http_requests_total",
                [
                    ("route", "/envoy.service.auth.v3.Authorization/Check"), ("method", "POST"), ("code", "\(status)"),
                ]
            ).totalValue
        }
        let door = Door()
        _ = try await door.answer(.about())
        _ = await failure(door, .about(), peer: "ipv4:192.0.2.1:40000")
        _ = try await door.answer(.about { $0.request.http.rawBody = .init(count: 65_537) })
        for (status, count) in [(200, 1), (403, 1), (413, 1), (503, 0)] as [(Int, Int64)] {
            #expect(try counted(door, status) == count, "\(status)")
        }
        let unready = Door(Door.refusing(Refusal(.decisionNotReady)))
        _ = await failure(unready, .about())
        #expect(try counted(unready, 503) == 1)
        let slow = Door(Door.refusing(Refusal(.decisionTimeout)))
        _ = await failure(slow, .about(), patience: .zero)
        #expect(try counted(slow, 504) == 1)
    }

    @Test func answersAClientWithAVerifiedCertificate() async throws {
        let door = Door()
        let peer = "ipv4:192.0.2.1:40000"
        door.verifiedPeers.insert(try #require(PeerName(peer)))
        #expect(try await door.answer(.about(), peer: peer).status.code == 0)
        #expect(await failure(door, .about(), peer: "ipv4:192.0.2.1:40001")?.code == .permissionDenied)
    }

    @Test func recordsWhatItRefusesByItself() async throws {
        let door = Door()
        let large = Request.about("POST", "/upload") { $0.request.http.rawBody = .init(count: 65_537) }
        let response = try await door.answer(large)
        #expect(response.status.code == 3)
        #expect(response.deniedResponse.status.code == 413)
        #expect(response.deniedResponse.body.contains("request.too_large"))
        #expect(door.audit.entries.queued.first?.resource == "/upload")
        #expect(door.decider.inputs.isEmpty)
    }

    @Test func failsWhereARefusalCannotBeRecorded() async {
        let door = Door()
        door.audit.become(.away)
        let large = Request.about { $0.request.http.rawBody = .init(count: 65_537) }
        #expect(await failure(door, large)?.message == "audit.unavailable")
        let stranger = await failure(door, .about(), peer: "ipv4:192.0.2.1:40000")
        #expect(stranger?.code == .unavailable)
    }

    /// No rule needs the body, so a part of one changes nothing.
    @Test func decidesWithAPartOfTheBody() async throws {
        let request = Request.about(headers: ["x-envoy-auth-partial-body": "true"]) {
            $0.request.http.rawBody = .init("{\"half\":".utf8)
        }
        #expect(try await Door().answer(request).status.code == 0)
    }

    /// Whatever the bytes, a message that can be read gets an answer, and only the pipeline allows.
    @Test func survivesAnyMessage() async throws {
        let random = SeededRandom(seed: 0x6E7F0)
        let door = Door(Door.refusing(Refusal(.authMissingToken)))
        var read = 0
        for _ in 0..<FuzzCases.count(2000) {
            var bytes: [UInt8] = try Self.arbitrary(random).serializedBytes()
            for _ in 0..<random.below(3) where !bytes.isEmpty {
                let position = random.below(bytes.count)
                switch random.below(4) {
                case 0, 1: bytes[position] = UInt8(truncatingIfNeeded: random.next())
                case 2: bytes.remove(at: position)
                default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: position)
                }
            }
            // What is no message never reaches the service.
            guard let request = try? Request(serializedBytes: bytes) else { continue }
            read += 1
            let response = try await door.answer(request)
            #expect(response.status.code != 0)
            #expect(!response.deniedResponse.body.isEmpty)
        }
        #expect(read > 500)
    }

    /// A question with odd texts in every place.
    private static func arbitrary(_ random: SeededRandom) -> Envoy_Service_Auth_V3_CheckRequest {
        let odd = [
            "", "GET", "/a?b", "api.example.com:443", "http://x/y", "\u{0}", "é%", "10.0.0.9", "::1", "\"", "\\",
            ":path",
            "x-forwarded-for", "X-Forwarded-For", "10.0.0.1, x, 203.0.113.9", "x-tollgate-resource-owner",
            "X-Tollgate-Resource-Owner", "Bearer x", "x-request-id", "tollgate.dev/host",
            String(repeating: "a", count: 5000),
        ]
        func text() -> String {
            random.below(4) == 0
                ? String(decoding: random.bytes(random.below(40)), as: UTF8.self) : odd[random.below(odd.count)]
        }
        var headers: [String: String] = [:]
        for _ in 0..<random.below(6) { headers[text()] = text() }
        return .about(text(), text(), host: text(), headers: headers, source: text()) {
            $0.request.http.scheme = text()
            $0.request.http.body = text()
            $0.source.certificate = text()
            $0.contextExtensions = [text(): text()]
        }
    }
}
