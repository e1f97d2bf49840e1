// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging

/// What replicas share through Redis.
struct RedisParts: Sendable {
    let client: RedisClient
    /// Tells the other replicas of failed authentications.
    let failures: RedisFailureSharing
    /// Wakes the other replicas up when something has changed in the database.
    let changes: RedisChangeSignal
    /// Tells the other replicas that there are new events.
    let events: RedisNoticeChannel
    private let clock: any WallClock

    /// - Returns: nil where Redis is not set.
    /// - Throws: `StartupProblem` when the files of the settings cannot be read; that Redis is away is no problem.
    init?(
        _ settings: RedisSettings?, limits: FailureLimitSettings, clock: any WallClock, random: any RandomSource,
        logger: Logger, metrics: PrometheusRegistry
    ) throws(StartupProblem) {
        guard let settings else { return nil }
        do throws(RedisError) {
            client = try RedisClient(settings, random: random, logger: logger, metricsFactory: metrics)
        } catch {
            throw StartupProblem(error.message)
        }
        failures = RedisFailureSharing(
            client, intervalSeconds: limits.intervalSeconds, clock: clock, random: random, metricsFactory: metrics)
        changes = RedisChangeSignal(client)
        events = RedisNoticeChannel(client, channel: "tollgate:events")
        self.clock = clock
    }

    /// What has to run as long as a process does that decides nothing.
    var connection: ClosureService { ClosureService(name: "Redis") { [client] in await client.run() } }

    /// What has to run as long as the server does.
    ///
    /// - Parameter limiter: hears of the failures of other replicas.
    func services(_ limiter: FailureLimiter) -> [ClosureService] {
        [
            connection,
            ClosureService(name: "failures of other replicas") { [failures, clock] in
                await failures.run { limiter.apply($0, now: clock.now()) }
            },
        ]
    }

    /// One line of `/readyz?verbose`. A replica that is alone still does its work.
    func readiness() -> ReadinessCheck {
        let status = client.status
        guard let fault = status.fault else {
            return ReadinessCheck(name: "redis", status: .ok, detail: status.address)
        }
        return ReadinessCheck(
            name: "redis", status: .degraded,
            detail:
                "\(status.address) is away: \(fault); request limits, failed authentications and sessions are kept "
                + "by each replica alone")
    }
}
