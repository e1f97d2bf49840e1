// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import HTTPService
internal import KubernetesClient
internal import Logging
internal import ResourceModel
internal import TestSupport
internal import Testing

@testable internal import tollgate

/// Questions about tokens, as an API server is asked them.
@Suite struct TokenReviewerTests {
    private static func asking(
        _ body: @Sendable (FakeAPIServer, TokenReviewer) async throws -> Void
    ) async throws {
        try await FakeAPIServer.with { server in
            server.setTokens([
                "good": FakeAPIServer.TokenUser(
                    name: "system:serviceaccount:ci:builder", uid: "uid-1", groups: ["system:serviceaccounts"],
                    audiences: ["tollgate", "other"], extra: ["k": ["v"]])
            ])
            let api = try HTTPKubernetesAPI(
                ClusterConnection(server: server.url), userAgent: "test",
                clock: SystemWallClock(), random: SeededRandom(seed: 1), metrics: PrometheusRegistry(),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            do {
                try await body(server, TokenReviewer(api: api))
            } catch {
                await api.shutdown()
                throw error
            }
            await api.shutdown()
        }
    }

    @Test func theServerSaysWhomItKnows() async throws {
        try await Self.asking { server, reviewer in
            let status = try await reviewer.review(Redacted("good"), audiences: ["tollgate"])
            let user = ReviewedUser(
                username: "system:serviceaccount:ci:builder", uid: "uid-1", groups: ["system:serviceaccounts"],
                extra: ["k": ["v"]])
            #expect(status == .authenticated(user, audiences: ["tollgate"]))
            #expect(try await reviewer.review(Redacted("good"), audiences: ["elsewhere"]) == .unknown)
            #expect(try await reviewer.review(Redacted("bad"), audiences: ["tollgate"]) == .unknown)
        }
    }

    static let faults: [(APIFault, TokenReviewError.Code)] = [
        (.forbid, .forbidden), (.unauthorized, .forbidden),
        (.refuse(503), .unavailable), (.refuse(500), .unavailable), (.refuse(400, message: "token good"), .unavailable),
        (.refuse(422, message: "token good"), .unavailable), (.garbledBody, .malformedAnswer),
    ]

    @Test(arguments: faults) func whatIsNoAnswerIsAFault(fault: APIFault, code: TokenReviewError.Code) async throws {
        try await Self.asking { server, reviewer in
            server.faults.add(fault, times: nil)
            let error = await #expect(throws: TokenReviewError.self) {
                try await reviewer.review(Redacted("good"), audiences: ["tollgate"])
            }
            #expect(error?.code == code)
            #expect(error?.message.contains("token good") != true)
        }
    }
}
