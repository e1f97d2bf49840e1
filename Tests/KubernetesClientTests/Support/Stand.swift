// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import MetricsTestKit
internal import ResourceModel
internal import TestSupport

@testable import KubernetesClient

/// A client with everything that a test may want to look at.
struct Stand {
    var time = ManualTime(passesByItself: true)
    let clock = ManualClock()
    let metrics = TestMetrics()
    var settings = HTTPKubernetesAPI.Settings()

    static let secret = APIObjectReference(.secrets, namespace: "acme", name: "key")

    /// Runs with a client that is shut down at the end.
    func with<Value>(
        _ connection: ClusterConnection, _ body: (HTTPKubernetesAPI) async throws -> Value
    ) async throws -> Value {
        let api = try HTTPKubernetesAPI(
            connection, userAgent: "tollgate/1.2.3 (linux/amd64) all", settings: settings, time: time,
            clock: clock, random: SeededRandom(seed: 1), metrics: metrics,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        do {
            let value = try await body(api)
            await api.shutdown()
            return value
        } catch {
            await api.shutdown()
            throw error
        }
    }

    /// The error of a call; nil when there is none.
    static func failure<Value>(_ body: () async throws(KubernetesError) -> Value) async -> KubernetesError? {
        do throws(KubernetesError) {
            _ = try await body()
            return nil
        } catch { return error }
    }
}

/// Answers one after the other; the last again and again.
final class Script: Sendable {
    private let answers: [LoopbackHTTPServer.Answer]
    private let index = Counter()

    init(_ answers: [LoopbackHTTPServer.Answer]) { self.answers = answers }

    func next() -> LoopbackHTTPServer.Answer { answers[min(index.next(), answers.count - 1)] }
}
