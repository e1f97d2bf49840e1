// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import HTTPService
internal import Logging

extension BillingParts {
    /// Pauses between looks for claims that nobody has: of a worker, and of a process that applies events at once and has only what an earlier
    /// split has left.
    private static let claimPause = (worker: Duration.milliseconds(500), leftOver: Duration.seconds(5))

    /// How reported usage is taken: at once, or as claims where another process applies them. Nil = at once.
    static func usage(_ world: World, _ billing: BillingService) -> (any UsageTaking)? {
        guard world.settings.process.role == .api else { return nil }
        return UsageClaims(billing: billing, queue: world.queue, logger: world.logger)
    }

    /// What applies claims: by what the queue names, where there is one, and by looking for them.
    static func claims(_ world: World, _ billing: BillingService, time: any MonotonicClock) -> [ClosureService] {
        let isWorker = world.settings.process.role == .worker
        let queue = isWorker ? world.queue : nil
        let worker = UsageClaimWorker(
            billing: billing, queue: queue, logger: world.logger, metricsFactory: world.metrics)
        let rounds = WorkRounds(time: time, logger: world.logger, ended: world.ended)
        let pause = isWorker ? claimPause.worker : claimPause.leftOver
        var services = [
            ClosureService(name: "usage claims") {
                await rounds.run("usage claims", pause: pause) { try await worker.sweep() }
            }
        ]
        if let queue {
            let entries = QueueWorker(
                queue: queue, name: "worker-\(UUIDv7.make(at: world.clock.now(), random: world.random))", clock: time,
                logger: world.logger, metricsFactory: world.metrics)
            services.append(
                ClosureService(name: "usage queue") {
                    await entries.run { entries in await worker.apply(entries) }
                })
        }
        return services
    }
}
