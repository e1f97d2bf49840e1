// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import KubernetesClient
internal import TestSupport

/// The rounds of the soak.
struct SoakRun {
    /// How long things change before they are let come to rest.
    private static let burst = Duration.seconds(10)
    /// How long it may take until all is as it should be. Paid only when it never is.
    private static let patience = Duration.seconds(180)
    /// How long nothing may be written any more.
    private static let rest = Duration.seconds(5)
    /// By how much a process may grow from its first rest on.
    private static let growthKiB = 96 * 1_024
    private static let moreDescriptors = 48

    private let replicas: [SoakReplica]
    private let history: WriteHistory
    private let time = SystemMonotonicClock()
    private let length: Duration
    private var driver: SoakDriver
    private var checker: SoakChecker
    private var stalled: (replica: SoakReplica, until: Duration)?
    private var dead: (replica: SoakReplica, steps: Int)?
    private var kills = 0
    /// What was the last to come right.
    private var lastComplaint = "nothing"

    /// Runs for so long.
    ///
    /// - Throws: `PeerFault` with what does not hold, the steps, and the ends of the daemons' logs.
    static func perform(plane: ControlPlane, api: HTTPKubernetesAPI, seed: UInt64, length: Duration) async throws {
        var made = SoakDriver(api: api, seed: seed)
        try await made.prepare()
        let driver = made
        let server = try plane.port()
        try await CuttingProxy.with(to: server) { first in
            try await CuttingProxy.with(to: server) { second in
                let replicas = try [("first", first), ("second", second)].map { name, proxy in
                    try replica(
                        name, proxy, plane: plane, namespaces: driver.model.places.keys.sorted())
                }
                let history = WriteHistory()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await history.follow(api) }
                    defer { group.cancelAll() }
                    var run = SoakRun(
                        replicas: replicas, history: history, length: length, driver: driver,
                        checker: SoakChecker(
                            api: api, plane: plane, replicas: replicas, namespaces: Set(driver.model.places.keys)))
                    do {
                        try await run.rounds()
                    } catch {
                        let report = run.report(error, seed: seed)
                        for replica in replicas { _ = await replica.stop() }
                        throw PeerFault(message: report)
                    }
                    for replica in replicas {
                        if let fault = await replica.stop() { throw PeerFault(message: fault) }
                    }
                }
            }
        }
    }

    private init(
        replicas: [SoakReplica], history: WriteHistory, length: Duration, driver: SoakDriver, checker: SoakChecker
    ) {
        self.replicas = replicas
        self.history = history
        self.length = length
        self.driver = driver
        self.checker = checker
    }

    /// A daemon that reaches its API server through the proxy.
    private static func replica(
        _ name: String, _ proxy: CuttingProxy, plane: ControlPlane, namespaces: [String]
    ) throws -> SoakReplica {
        let path = try plane.kubeconfig(through: proxy, named: name)
        let daemon = try ClusterDaemon(
            name, kubeconfig: path, own: SoakDriver.ownNamespace, watched: namespaces.joined(separator: ","),
            settings: [
                "TOLLGATE_RECONCILE_INTERVAL": "5s", "TOLLGATE_AUTH_RATE_LIMIT_IP": "0",
                "TOLLGATE_AUTH_RATE_LIMIT_IDENTITY": "0",
                "TOLLGATE_BILLING_PLANS_FILE": try UnlimitedPlans.file(in: plane.folder),
            ])
        return SoakReplica(name, daemon: daemon, proxy: proxy)
    }

    // MARK: Rounds

    private mutating func rounds() async throws {
        for replica in replicas { try replica.start() }
        for replica in replicas { try await replica.waitReady() }
        let start = time.now()
        var round = 0
        repeat {
            history.mark()
            let steps = try await change(round, mayKill: time.now() - start < length * 3 / 5)
            let began = time.now()
            try await comeToRest(steps: steps)
            let usage = try replicas.map { replica in
                let usage = try replica.usage()
                return "\(replica.name) \(usage.first.residentKiB / 1024) → \(usage.now.residentKiB / 1024) MiB, "
                    + "\(usage.now.descriptors) descriptors, \(replica.proxy.open) connections"
            }.joined(separator: "; ")
            print(
                "operator soak: round \(round), \(steps) steps, \(history.writes) statuses written, right after \(time.now() - began); \(usage); the last to come right: \(lastComplaint.prefix(300))"
            )
            round += 1
        } while time.now() - start < length
    }

    /// Lets things happen for a while.
    ///
    /// - Returns: how many did.
    private mutating func change(_ round: Int, mayKill: Bool) async throws -> Int {
        driver.note("--- round \(round)")
        let end = time.now() + Self.burst
        let random = driver.random
        var steps = 0
        var kill = mayKill && round % 2 == 1 ? 3 + random.below(8) : -1
        let label = random.below(2) == 0 ? random.below(10) : -1
        let namespace =
            random.below(3) == 0 || driver.model.places[SoakDriver.fleeting]?.isThere == false ? random.below(10) : -1
        while time.now() < end {
            try await driver.step()
            if steps == label { try await driver.changeTenant() }
            if steps == namespace { try await driver.toggleNamespace() }
            if steps == kill {
                kill = -1
                try await killLeader()
            }
            try await meddle(steps)
            steps += 1
            try await time.pause(for: .milliseconds(20 + random.below(400)))
        }
        stalled?.replica.proxy.resume()
        stalled = nil
        if let (replica, _) = dead {
            dead = nil
            try replica.start()
            driver.note("start \(replica.name)")
        }
        return steps
    }

    /// Connections end, or go silent for a while; the dead come back.
    private mutating func meddle(_ steps: Int) async throws {
        let random = driver.random
        if let (replica, until) = stalled, time.now() >= until {
            replica.proxy.resume()
            stalled = nil
            driver.note("\(replica.name) hears its API server again")
        }
        if let (replica, due) = dead, steps >= due {
            dead = nil
            try replica.start()
            driver.note("start \(replica.name)")
        }
        let replica = replicas[random.below(replicas.count)]
        switch random.below(24) {
        case 0, 1:
            replica.proxy.cut()
            driver.note("cut the connections of \(replica.name)")
        case 2 where stalled == nil:
            let length = Duration.seconds(2 + random.below(12))
            replica.proxy.stall()
            stalled = (replica, time.now() + length)
            driver.note("\(replica.name) hears nothing for \(length)")
        default: break
        }
    }

    private mutating func killLeader() async throws {
        guard dead == nil, let leader = try await checker.leader() else { return }
        kills += 1
        if kills % 2 == 1 {
            try await leader.kill()
            driver.note("SIGKILL \(leader.name)")
        } else {
            // A server that cannot be reached must not keep a replica from its clean end: that is another test.
            leader.proxy.resume()
            if let fault = await leader.stop() { throw PeerFault(message: fault) }
            driver.note("SIGTERM \(leader.name)")
        }
        dead = (leader, 20)
    }

    /// Waits until all is as the model says and nothing is written any more.
    private mutating func comeToRest(steps: Int) async throws {
        let deadline = time.now() + Self.patience
        var complaints: [String] = []
        lastComplaint = "nothing"
        var versions: [String: String]?
        var since = time.now()
        while true {
            complaints = try await checker.complaints(driver.model)
            let now = try await Dictionary(uniqueKeysWithValues: checker.objects().map { ($0.uid, $0.version) })
            if !complaints.isEmpty || now != versions {
                if complaints.isEmpty, versions != nil { complaints = ["objects are still written to"] }
                lastComplaint = complaints.first ?? lastComplaint
                versions = complaints.isEmpty ? now : nil
                since = time.now()
            } else if time.now() - since >= Self.rest {
                break
            }
            guard time.now() < deadline else {
                complaints += history.complaints(steps: steps)
                // On one line: a short form of a long log shows the first.
                throw PeerFault(message: "after \(Self.patience): " + complaints.joined(separator: " | "))
            }
            try await time.pause(for: .milliseconds(250))
        }
        try await judgeRound(steps: steps)
    }

    /// What must hold of a whole round.
    private func judgeRound(steps: Int) async throws {
        var complaints = history.complaints(steps: steps) + (try await checker.foreignWriters())
        for replica in replicas {
            let (first, now) = try replica.usage()
            if now.residentKiB > first.residentKiB + Self.growthKiB {
                complaints.append("\(replica.name) grew from \(first.residentKiB) to \(now.residentKiB) KiB")
            }
            if now.descriptors > first.descriptors + Self.moreDescriptors {
                complaints.append("\(replica.name) has \(now.descriptors) descriptors, had \(first.descriptors)")
            }
            if !replica.runs { complaints.append("\(replica.name) has ended") }
        }
        guard complaints.isEmpty else { throw PeerFault(message: complaints.joined(separator: " | ")) }
    }

    private func report(_ error: any Error, seed: UInt64) -> String {
        let logs = replicas.map { replica in
            let lines = (replica.process?.output ?? "").split(separator: "\n")
                .filter { !$0.contains(" tollgate: decision ") }
            return "--- \(replica.name):\n" + lines.suffix(60).joined(separator: "\n")
        }
        return "the operator soak with seed \(seed): \(error)\n--- steps:\n"
            + driver.log.suffix(120).joined(separator: "\n") + "\n" + logs.joined(separator: "\n")
    }
}
