// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization
internal import TestSupport

/// Makes service tokens over the balancer, one after the other, and remembers which of them were acknowledged.
final class SteadyWriter: Sendable {
    private struct Count {
        var acknowledged: [String: String] = [:]
        var refused = 0
    }

    private let port: Int
    private let count = Mutex(Count())
    private let time = SystemMonotonicClock()

    init(port: Int) { self.port = port }

    /// The texts of the tokens whose making was answered with 201, by identifier.
    var acknowledged: [String: String] { count.withLock(\.acknowledged) }

    /// Writes until it is cancelled.
    func run() async {
        for number in 0..<1_000_000 {
            let identifier = "steady-\(number)"
            let answer = try? await PlainHTTP.send(
                "POST", "/v1/service-tokens", port: port,
                headers: [
                    ("Authorization", "Bearer \(ClusterDaemon.adminToken)"), ("Content-Type", "application/json"),
                ],
                body: JSONValue.object(["identifier": .string(identifier), "scopes": ["tasks:read"]]).encoded())
            let text = answer?.status == 201 ? (try? answer?.json())?["secret"]?.stringValue : nil
            count.withLock { count in
                if let text { count.acknowledged[identifier] = text } else { count.refused += 1 }
            }
            do { try await time.pause(for: .milliseconds(20)) } catch { return }
        }
    }

    /// Waits until so many more are acknowledged.
    func waitForMore(_ wanted: Int) async throws {
        let before = acknowledged.count
        try await Eventually.holds("\(wanted) more tokens") { self.acknowledged.count >= before + wanted }
    }

    /// Waits until so many more were not.
    func waitForRefusals(_ wanted: Int) async throws {
        let before = count.withLock(\.refused)
        try await Eventually.holds("\(wanted) refused writes") { self.count.withLock(\.refused) >= before + wanted }
    }
}
