// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import Testing

@testable import ExtAuthzService

/// What the service says is asked over a socket in `GRPCListenerTests`; here are the parts that need none.
@Suite struct HealthServiceTests {
    private func check(_ service: String, _ serving: FakeServing) async throws
        -> Grpc_Health_V1_HealthCheckResponse.ServingStatus
    {
        var message = Grpc_Health_V1_HealthCheckRequest()
        message.service = service
        let health = HealthService(state: serving)
        return try await withServerContextRPCCancellationHandle { handle in
            let context = ServerContext(
                descriptor: Grpc_Health_V1_Health.Method.Check.descriptor, remotePeer: "ipv4:192.0.2.1:1",
                localPeer: "ipv4:127.0.0.1:1", cancellation: handle)
            return try await health.check(request: ServerRequest(metadata: [:], message: message), context: context)
                .message.status
        }
    }

    @Test(arguments: ["", "envoy.service.auth.v3.Authorization"])
    func tellsTheState(_ service: String) async throws {
        let serving = FakeServing()
        #expect(try await check(service, serving) == .serving)
        serving.become(false)
        #expect(try await check(service, serving) == .notServing)
    }

    @Test func knowsNoOtherService() async {
        let error = await #expect(throws: RPCError.self) { try await check("grpc.health.v1.Health2", FakeServing()) }
        #expect(error?.code == .notFound)
    }
}
