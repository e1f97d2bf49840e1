// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import Essentials
internal import Foundation
internal import KubernetesClient
internal import ResourceModel
internal import TestSupport

/// What the operator costs on a real API server. Prints Markdown.
@main
final class OperatorBenchmark {
    private let settings: BenchmarkSettings
    private let plane: Plane
    private let fleet: Fleet
    private let daemon: Daemon
    private let report = Report()
    private var revoked = 0

    static func main() async throws {
        let settings = try BenchmarkSettings()
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            try await Plane.with(try TemporaryDirectory()) { plane in
                let benchmark = try OperatorBenchmark(settings, plane, client)
                try await benchmark.run()
            }
            try await client.shutdown()
        } catch {
            // The first fault is the one to tell about.
            try? await client.shutdown()
            throw error
        }
    }

    private init(_ settings: BenchmarkSettings, _ plane: Plane, _ client: HTTPClient) throws {
        self.settings = settings
        self.plane = plane
        fleet = try Fleet(
            count: settings.objects, namespaces: Plane.tenantNamespaces(settings.namespaces),
            own: Plane.ownNamespace, prefix: "bench")
        daemon = try Daemon(plane, settings: settings, fleet: fleet, client: client)
    }

    private func run() async throws {
        let namespaces = Plane.tenantNamespaces(settings.namespaces) + [Plane.ownNamespace, Plane.bareNamespace]
        for namespace in namespaces { try await plane.make(namespace: namespace) }
        let making = try await make(fleet)
        let bare = try await measureBareClient()
        report.say(
            "\(grouped(Int64(settings.objects))) objects, as many of each kind, in \(settings.namespaces) namespaces "
                + "and the daemon's own; the API server and etcd run on the same machine.")
        try await daemon.running("tollgate-first") { process in
            try await measureConvergence(process, bare: bare, making: making)
            report.table(
                "| changes | count | a second | acknowledged p50 / p99 ms | in force p50 ms | p99 ms | largest ms | lost | not made |",
                "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
            let alone = try await measureChanges(process, "objects alone")
            try await makeForeignSecrets()
            phases = [alone]
        }
        try await daemon.running("tollgate-second") { process in
            let restart = try await measureRestart(process)
            phases.append(try await measureChanges(process, "beside foreign Secrets"))
            reportCosts()
            reportRestart(restart)
        }
    }

    private var phases: [Report.ChangePhase] = []

    // MARK: Making

    /// How many objects a second the server takes.
    private func make(_ fleet: Fleet) async throws -> Double {
        let start = ContinuousClock().now
        try await forEach(fleet.items, writers: settings.makers) { [api = plane.api] item in
            _ = try await api.create(
                item.document, in: .of(item.kind), namespace: item.namespace, name: nil, subresource: nil)
        }
        return Double(fleet.items.count) / (ContinuousClock().now - start).inSeconds
    }

    private func makeForeignSecrets() async throws {
        let namespaces = Plane.tenantNamespaces(settings.namespaces)
        let data = Data(repeating: 7, count: 1024).base64EncodedString()
        try await forEach(Array(0..<settings.foreignSecrets), writers: settings.makers) { [api = plane.api] index in
            let namespace = namespaces[index % namespaces.count]
            _ = try await api.create(
                [
                    "apiVersion": "v1", "kind": "Secret",
                    "metadata": ["name": .string("foreign-\(index)"), "namespace": .string(namespace)],
                    "type": "Opaque", "data": ["value": .string(data)],
                ], in: .secrets, namespace: namespace, name: nil, subresource: nil)
        }
    }

    private func measureBareClient() async throws -> (count: Int, duration: Duration) {
        let fleet = try Fleet(
            count: settings.bareObjects, namespaces: [Plane.bareNamespace], own: Plane.bareNamespace, prefix: "bare")
        _ = try await make(fleet)
        let client = BareClient(plane.api, fleet: fleet)
        let follower = Convergence(plane.api, fleet: fleet, kinds: ResourceKind.own)
        // Somebody watches here as well as later.
        let result = try await following(follower) { try await client.run() }
        try await client.cleanUp(writers: settings.makers)
        return result
    }

    private func following<Value: Sendable>(
        _ follower: Convergence, _ body: () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await follower.run() }
            let value = try await body()
            group.cancelAll()
            return value
        }
    }
}

// MARK: - Convergence

extension OperatorBenchmark {
    private func measureConvergence(
        _ process: PeerProcess, bare: (count: Int, duration: Duration), making: Double
    ) async throws {
        let start = ContinuousClock().now
        let before = try ProcessFigures(of: process.id)
        let machine = try MachineFigures()
        let follower = Convergence(
            plane.api, fleet: fleet,
            kinds: ResourceKind.own.filter { settings.awaitsTools || $0 != .toolManifest })
        do {
            try await following(follower) {
                try await daemon.waitUntilReady(process)
                try await process.wait(for: "every object to be good", within: settings.patience) {
                    follower.completedAt != nil
                }
            }
        } catch {
            let (good, wanted) = follower.progress
            throw BenchmarkFault("\(good) of \(wanted) objects are good: \(error)")
        }
        let figures = try ProcessFigures(of: process.id)
        let convergedMachine = try MachineFigures().load(since: machine)
        let metrics = try await daemon.metrics()
        let tokens = Double(fleet.items(of: .serviceToken).count)
        let finalizers = tokens + Double(fleet.items(of: .subscription).count)
        let patches = metrics["calls PATCH"] ?? 0
        let window = follower.writes.duration.inSeconds
        let rate = (patches + tokens) / window
        let bareRate = Double(bare.count) / bare.duration.inSeconds
        let calls = metrics["rest_client_requests_total"] ?? 0
        report.table("| the first time | measured | aim |", "| --- | ---: | ---: |")
        let seconds = ((follower.completedAt ?? start) - start).inSeconds
        report.row("from the start of the process until every object is good, s", fixed(seconds))
        report.row("objects made a second, by \(settings.makers) clients", fixed(making, 0))
        report.row(
            "calls of the API an object", fixed(calls / Double(settings.objects), 2))
        for method in ["GET", "POST", "PATCH", "PUT", "DELETE"] {
            report.row("of these \(method)", fixed(metrics["calls \(method)"] ?? 0, 0))
        }
        report.row("statuses written, an object", fixed((patches - finalizers) / Double(settings.objects), 2))
        report.row("finalizers, Secrets and statuses written a second", fixed(rate, 0))
        report.row("the same by a bare client with as many writers", fixed(bareRate, 0))
        report.row("ratio", fixed(rate / bareRate, 2), "≥ 0.8")
        report.row("snapshots made", fixed(metrics["tollgate_snapshot_generation"] ?? 0, 0))
        report.row("processor, % of a core", fixed(figures.load(since: before), 0))
        report.row("whole machine, % of all cores", fixed(convergedMachine, 0))
        try await measureIdle(process)
    }

    private func measureIdle(_ process: PeerProcess) async throws {
        // Events are still written, and memory is given back.
        var calls = -1.0
        while true {
            let now = try await daemon.metrics()
            let writes = (now["calls POST"] ?? 0) + (now["calls PATCH"] ?? 0)
            if writes == calls { break }
            calls = writes
            try await Task.sleep(for: .seconds(5))
        }
        let before = try ProcessFigures(of: process.id)
        let metrics = try await daemon.metrics()
        try await Task.sleep(for: settings.idle)
        let after = try ProcessFigures(of: process.id)
        let later = try await daemon.metrics()
        func more(_ name: String) -> Double { (later[name] ?? 0) - (metrics[name] ?? 0) }
        report.row("resident memory when idle, MiB", fixed(after.resident), "< 120")
        report.row("of it its own, MiB", fixed(after.anonymous))
        report.row("the most resident memory so far, MiB", fixed(after.peak), "< 120")
        report.row(
            "processor when idle for \(fixed(settings.idle.inSeconds, 0)) s, % of a core",
            fixed(after.load(since: before), 2), "< 2")
        report.row("writes meanwhile (the lease's are PUT)", fixed(more("calls POST") + more("calls PATCH"), 0), "0")
        report.row("snapshots made meanwhile", fixed(more("tollgate_snapshot_generation"), 0))
    }

    // MARK: Restart

    private func measureRestart(_ process: PeerProcess) async throws -> (seconds: Double, writes: Double, peak: Double)
    {
        let start = ContinuousClock().now
        try await daemon.waitUntilReady(process)
        let seconds = (ContinuousClock().now - start).inSeconds
        try await Task.sleep(for: settings.idle)
        let metrics = try await daemon.metrics()
        return (
            seconds, (metrics["calls PATCH"] ?? 0) + (metrics["calls POST"] ?? 0),
            try ProcessFigures(of: process.id).peak
        )
    }

    private func reportRestart(_ restart: (seconds: Double, writes: Double, peak: Double)) {
        report.table(
            "| started again beside \(grouped(Int64(settings.foreignSecrets))) foreign Secrets | measured | aim |",
            "| --- | ---: | ---: |")
        report.row("from the start of the process until it is ready, s", fixed(restart.seconds))
        report.row("writes in the first \(fixed(settings.idle.inSeconds, 0)) s", fixed(restart.writes, 0))
        report.row("the most resident memory, MiB", fixed(restart.peak), "< 120")
    }
}

// MARK: - Changes

extension OperatorBenchmark {
    private func measureChanges(_ process: PeerProcess, _ name: String) async throws -> Report.ChangePhase {
        let changes = Changes(plane.api, daemon: daemon, fleet: fleet, after: phases.count * 1_000_000)
        let count = Int(Double(settings.revocations) * settings.changing.inSeconds)
        let tokens = try await changes.tokens(fleet.items(of: .serviceToken).dropFirst(revoked).prefix(count))
        revoked += tokens.count
        let before = try ProcessFigures(of: process.id)
        let machine = try MachineFigures()
        let metrics = try await daemon.metrics()
        try await changes.run(edits: settings.edits, revoking: tokens, for: settings.changing)
        let after = try ProcessFigures(of: process.id)
        let later = try await daemon.metrics()
        func more(_ name: String) -> Double { (later[name] ?? 0) - (metrics[name] ?? 0) }
        let phase = Report.ChangePhase(
            name: name, changes: changes, seconds: settings.changing.inSeconds, cpu: after.load(since: before),
            machine: try MachineFigures().load(since: machine), memory: after,
            passes: more("tollgate_snapshot_generation"), calls: more("rest_client_requests_total"))
        report.row(phase)
        return phase
    }

    private func reportCosts() {
        report.table(
            "| while objects change | % of a core | % of the machine | resident MiB | its own MiB | peak MiB "
                + "| snapshots | calls a change | decisions asked |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        for phase in phases { report.cost(of: phase) }
    }
}
