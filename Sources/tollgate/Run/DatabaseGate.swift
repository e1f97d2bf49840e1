// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPService
internal import Logging
internal import Persistence
internal import ServiceLifecycle
internal import Synchronization

/// Opens the shared database at the start, and waits for it while it is away: meanwhile the probes say that the process lives and is not ready.
struct DatabaseGate: Sendable {
    let settings: PostgreSQLSettings
    /// The same database for migrations; nil = the server may not make them.
    let administrator: PostgreSQLAddress?
    /// Where probes are answered meanwhile.
    let probes: HTTPService.ListenAddress?
    let logger: Logger
    let metrics: PrometheusRegistry
    var clock: any MonotonicClock = SystemMonotonicClock()

    /// How long an answer to a probe may take when the waiting is over.
    private static let patienceWithProbes = Duration.seconds(5)
    /// Pauses between tries, the first and the longest.
    private static let pauses = (first: Duration.milliseconds(250), longest: Duration.seconds(5))

    /// Returns as soon as the database is open and as it must be.
    ///
    /// - Throws: `StartupProblem` for what does not pass by waiting.
    func open() async throws -> PostgreSQLDatabase {
        let wait = DatabaseWait()
        if let database = try await attempt(wait) { return database }
        guard let probes else { return try await retry(wait) }
        let answers = StartupProbes(readiness: wait, metrics: metrics, clock: SystemWallClock())
        var configuration = ServiceGroupConfiguration(
            services: [.init(service: answers.listener(probes, logger: logger))], logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.patienceWithProbes
        let listening = ServiceGroup(configuration: configuration)
        let opened = try await withThrowingTaskGroup(of: PostgreSQLDatabase?.self) { group in
            group.addTask {
                try await listening.run()
                return nil
            }
            group.addTask {
                let database = try await retry(wait)
                // Not cancelled: a connection that was accepted in this moment would be dropped before anybody has it, which ends the process.
                await listening.triggerGracefulShutdown()
                return database
            }
            var opened: PostgreSQLDatabase?
            for try await database in group { opened = opened ?? database }
            return opened
        }
        guard let opened else { throw StartupProblem("the probes ended while the database was waited for") }
        logger.notice("the database answers")
        return opened
    }

    private func retry(_ wait: DatabaseWait) async throws -> PostgreSQLDatabase {
        var pause = Self.pauses.first
        while true {
            try await clock.pause(for: pause)
            if let database = try await attempt(wait) { return database }
            pause = min(pause * 2, Self.pauses.longest)
        }
    }

    /// - Returns: nil when the database is away.
    private func attempt(_ wait: DatabaseWait) async throws -> PostgreSQLDatabase? {
        do {
            return try await PostgreSQLStart.open(
                settings, administrator: administrator, logger: logger, metrics: metrics)
        } catch let error as PostgreSQLError where Self.passes(error.code) {
            if wait.isNew("\(error)") {
                logger.error("waiting for the database", metadata: [LogKeys.error: "\(error)"])
            }
            return nil
        } catch let error as PostgreSQLError {
            throw StartupProblem("TOLLGATE_DATABASE_URL: \(error)")
        }
    }

    /// Whether it may be over in a while without anybody changing a setting.
    private static func passes(_ code: PostgreSQLError.Code) -> Bool {
        switch code {
        case .unavailable, .timeout, .overloaded, .outcomeUnknown, .serialization: true
        default: false
        }
    }
}

/// What the probes say while the database is waited for.
private final class DatabaseWait: ReadinessReporting {
    private let reason = Mutex("")

    var isDraining: Bool { false }
    var isLive: Bool { true }

    func checks() -> [ReadinessCheck] {
        [
            ReadinessCheck(
                name: "database", status: .failed, detail: "waiting for it: \(reason.withLock(\.self).prefix(512))")
        ]
    }

    /// Takes note of why it cannot be opened; whether that is another reason than before.
    func isNew(_ reason: String) -> Bool {
        self.reason.withLock { present in
            defer { present = reason }
            return present != reason
        }
    }
}
