// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct UpstreamClientTests {
    private static func failure(_ body: () async throws(UpstreamError) -> Void) async -> UpstreamError? {
        do throws(UpstreamError) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [LoopbackHTTPServer.Answer.stalling("{}"), .silence])
    func givesUpOnAnAnswerThatDoesNotGoOn(_ answer: LoopbackHTTPServer.Answer) async throws {
        try await LoopbackHTTPServer.with({ _ in answer }) { server in
            let client = UpstreamClient(
                server: server.url, credential: UpstreamCredential(text: Redacted("token")), authorities: nil,
                maximumBytes: 1000, readTimeout: .milliseconds(200))
            let question = await Self.failure { () throws(UpstreamError) in
                _ = try await client.snapshot(of: ["acme/shop"], entityTag: nil)
            }
            #expect(question?.code == .unreachable)
            let report = await Self.failure { () throws(UpstreamError) in
                try await client.report(Array("{}".utf8), key: "k")
            }
            #expect(report?.code == .unreachable)
            await client.shutdown()
        }
    }
}
