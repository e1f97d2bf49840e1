// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Authorization
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging
internal import Pipeline
internal import TestSupport

/// The same decision with its checks in a policy engine on the loopback address, which answers at once.
extension MicroBenchmarks {
    private static let answer =
        #"{"result":{"allow":true,"reasons":[],"effective_roles":[],"failures":[],"project":null}}"#

    mutating func measureEngine(in folder: String) async throws {
        try await LoopbackHTTPServer.with({ _ in .json(Self.answer) }) { [self] server in
            let asking = try gate("\(folder)/asking", url: server.url, cacheLifetime: .zero)
            let keeping = try gate("\(folder)/keeping", url: server.url, cacheLifetime: .seconds(3600))
            let token = credentials.stored[0]
            return try await withThrowingTaskGroup(of: Void.self) { group in
                for gate in [asking, keeping] { group.addTask { await gate.audit.run() } }
                var copy = self
                copy.rows = []
                try await copy.measureDecisions(asking: asking, keeping: keeping, token: token)
                for gate in [asking, keeping] { await gate.audit.close() }
                try await group.waitForAll()
                return copy.rows
            }
        }.forEach { rows.append($0) }
    }

    private mutating func measureDecisions(asking: Gate, keeping: Gate, token: String) async throws {
        let clock = SystemWallClock()
        let credentials = credentials
        try await measure(
            "decision: service token, answer of a policy engine kept", count: 100_000,
            prepare: { _ in
                credentials.table.heard(at: clock.now())
                return Gate.request(bearer: token)
            },
            operation: { try await Self.decide($0, at: keeping) })
        let name = "decision: service token, policy engine asked each time, on the wall"
        guard only.map({ name.contains($0) }) ?? true else { return }
        rows.append(
            try await Measurement.ofWaiting(name, count: 2000, effort: effort) { _ in
                credentials.table.heard(at: clock.now())
                try await Self.decide(Gate.request(bearer: token), at: asking)
            })
    }

    private func gate(_ directory: String, url: String, cacheLifetime: Duration) throws -> Gate {
        var logger = Logger(label: "benchmark")
        logger.logLevel = .error
        let client = OPAClient(
            settings: OPAClientSettings(url: url, cacheLifetime: cacheLifetime), clock: SystemWallClock(),
            logger: logger, metricsFactory: PrometheusRegistry())
        return try Gate(credentials: credentials, directory: directory, engine: LoopbackEngine(client: client))
    }
}

/// The client as the pipeline asks it.
private struct LoopbackEngine: PolicyEngine {
    let client: OPAClient

    func answer(_ question: PolicyQuestion, timeLeft: Duration, expiresIn: Duration?) async -> EngineAnswer {
        await client.answer(question, timeLeft: timeLeft, expiresIn: expiresIn)
    }
}
