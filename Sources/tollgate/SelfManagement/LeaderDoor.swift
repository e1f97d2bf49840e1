// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import ControllerRuntime
internal import Essentials
internal import HTTPService
internal import Logging

/// The way to the leader: its address is in the Lease.
struct LeaderDoor: LeaderForwarding {
    static let limit = Duration.seconds(10)
    private static let retryAfterSeconds: Int64 = 2

    let elector: LeaderElector
    /// As the Lease names this replica.
    let identity: String
    let client: ReplicaClient
    let logger: Logger

    var isLeading: Bool { elector.isLeading }

    func forward(_ request: ForwardedRequest) async throws(Refusal) -> ForwardedAnswer {
        guard let holder = elector.observed, holder.identity != identity else {
            throw refusal("No replica is known to lead")
        }
        guard let text = holder.address, let address = ReplicaAddress(text) else {
            throw refusal("The leader has not said where it can be reached: set POD_IP of each replica")
        }
        do throws(ReplicaError) {
            let answer = try await client.send(
                ReplicaCall(
                    method: request.method, target: request.target, headers: request.headers, body: request.body),
                to: address, within: Self.limit)
            return ForwardedAnswer(status: answer.status, headers: answer.headers, body: answer.body)
        } catch {
            logger.warning(
                "the leader cannot be reached",
                metadata: [LogKeys.address: "\(address)", LogKeys.error: "\(error)"])
            throw refusal("The leader cannot be reached (\(error.code.rawValue))")
        }
    }

    private func refusal(_ message: String) -> Refusal {
        Refusal(.k8sNoLeader, message: message, retryAfterSeconds: Self.retryAfterSeconds)
    }
}
