// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
package import Metrics
package import ResourceModel
internal import Synchronization

/// Who leads, as the Lease says it.
package struct LeaseHolder: Sendable, Equatable {
    package var identity: String
    package var address: String?
}

/// Takes part in the election of the replica that writes to the cluster, by a Lease.
package final class LeaderElector: LeadershipFence {
    private struct State {
        var machine: LeaderMachine
        var isStopping = false
    }

    /// How long a leader that cannot renew may believe that it leads before it counts as stuck.
    private static let stuckAfter = Duration.seconds(35)

    private let lease: APIObjectReference
    private let api: any KubernetesAPI
    private let clock: any WallClock
    private let time: any MonotonicClock
    private let random: any RandomSource
    private let logger: Logger
    private let status: Gauge
    private let state: Mutex<State>
    private let stopping = Signal()
    private let settings: LeaderMachine.Settings
    private let mayLead: Bool

    /// - Parameters:
    ///   - identity: `<pod>_<uuid>`.
    ///   - address: where clients reach this replica, written to the Lease.
    ///   - mayLead: whether it tries to hold the Lease; else it only sees who does.
    package init(
        lease: APIObjectReference, identity: String, address: String?, mayLead: Bool = true, api: any KubernetesAPI,
        settings: LeaderMachine.Settings = LeaderMachine.Settings(), clock: any WallClock,
        time: any MonotonicClock = SystemMonotonicClock(), random: any RandomSource, logger: Logger,
        metricsFactory: any MetricsFactory
    ) {
        self.lease = lease
        self.mayLead = mayLead
        self.api = api
        self.settings = settings
        self.clock = clock
        self.time = time
        self.random = random
        self.logger = logger
        status = Gauge(
            label: "leader_election_master_status", dimensions: [("name", lease.name)], factory: metricsFactory)
        status.record(0)
        state = Mutex(State(machine: LeaderMachine(identity: identity, address: address, settings: settings)))
    }

    package var isLeading: Bool {
        let now = time.now()
        return state.withLock { $0.machine.isLeading(at: now) }
    }

    /// Who holds the Lease, as far as is known.
    package var observed: LeaseHolder? {
        state.withLock { state in
            guard let record = state.machine.seen?.record, !record.holder.isEmpty else { return nil }
            return LeaseHolder(identity: record.holder, address: record.address)
        }
    }

    /// Whether this process took itself for the leader long after its last renewal, and has not noticed.
    package var isStuck: Bool {
        let now = time.now()
        return state.withLock { state in state.machine.renewed.map { now - $0 > Self.stuckAfter } ?? false }
    }

    /// Makes `run` release the Lease and return.
    package func stop() {
        state.withLock { $0.isStopping = true }
        stopping.call()
    }

    /// Takes part until `stop`.
    ///
    /// - Parameter began: called each time that this replica becomes the leader. Whoever writes asks `isLeading` before each write, so that
    ///   nothing has to be told when the Lease is lost.
    package func run(_ began: @escaping @Sendable () -> Void) async {
        var wasLeading = false
        while !isStopping {
            await attempt()
            let leads = isLeading
            if leads != wasLeading {
                wasLeading = leads
                status.record(leads ? 1 : 0)
                if leads {
                    logger.notice("leading", metadata: ["lease": "\(lease)"])
                    began()
                } else {
                    state.withLock { $0.machine.lost() }
                    logger.warning("not leading any more", metadata: ["lease": "\(lease)"])
                }
            }
            await pause()
        }
        await release()
        status.record(0)
    }

    private var isStopping: Bool { state.withLock(\.isStopping) }

    /// One look at the Lease, and one try to hold it where that is possible.
    private func attempt() async {
        let outcome = await time.limited(to: settings.callLimit) { () async -> String? in
            do throws(KubernetesError) {
                try await self.lookAndHold()
                return nil
            } catch {
                // Another replica was faster: what it wrote is seen at the next look.
                return error.code == .conflict || error.code == .alreadyExists ? nil : "\(error)"
            }
        }
        if let fault = outcome ?? "no answer within \(settings.callLimit)" {
            logger.warning("lease", metadata: ["lease": "\(lease)", LogKeys.error: "\(fault)"])
        }
    }

    private func lookAndHold() async throws(KubernetesError) {
        var record: LeaseRecord?
        do throws(KubernetesError) {
            record = LeaseRecord(try await api.get(lease, subresource: nil))
        } catch  where error.code == .notFound {
            record = nil
        }
        let begun = time.now()
        let now = clock.now().rfc3339Micros
        let action = state.withLock { state -> LeaderMachine.Action in
            state.machine.saw(record, at: begun)
            if let record, record.holder != state.machine.identity { state.machine.lost() }
            return state.machine.action(at: begun, time: now)
        }
        guard mayLead else { return }
        let answer: JSONValue
        switch action {
        case .wait: return
        case .create(let record):
            answer = try await api.create(
                record.document(name: lease.name, namespace: lease.namespace ?? ""), in: .leases,
                namespace: lease.namespace, name: nil, subresource: nil)
        case .replace(let record):
            answer = try await api.replace(
                record.document(name: lease.name, namespace: lease.namespace ?? ""), at: lease, subresource: nil)
        }
        let ended = time.now()
        state.withLock { $0.machine.held(LeaseRecord(answer), begun: begun, now: ended) }
    }

    private func release() async {
        let now = clock.now().rfc3339Micros
        let record = state.withLock { state -> LeaseRecord? in
            defer { state.machine.lost() }
            return state.machine.release(time: now)
        }
        guard let record else { return }
        let fault = await time.limited(to: settings.callLimit) { () async -> String? in
            do throws(KubernetesError) {
                _ = try await self.api.replace(
                    record.document(name: self.lease.name, namespace: self.lease.namespace ?? ""), at: self.lease,
                    subresource: nil)
                return nil
            } catch {
                return "\(error)"
            }
        }
        if let fault = fault ?? "no answer" {
            logger.warning("the lease was not released", metadata: [LogKeys.error: "\(fault)"])
        } else {
            logger.notice("lease released", metadata: ["lease": "\(lease)"])
        }
    }

    /// The retry period, up to a fifth longer, but not past the instant from which a dead leader's Lease may be taken; cut short by `stop`.
    private func pause() async {
        let longest = settings.retryPeriod * (1 + 0.2 * random.fraction())
        let now = time.now()
        let takeable = state.withLock { $0.machine.takeableAt }
        let pause = takeable.map { $0 > now ? min(longest, $0 - now) : longest } ?? longest
        _ = await time.limited(to: pause) { [stopping] in await stopping.wait() }
    }
}
