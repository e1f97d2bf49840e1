// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

extension RealCluster {
    /// The number of own replicas follows the load, on a real API server.
    @Suite(.serialized, .timeLimit(.minutes(20))) struct AutoscaleTests {}
}

extension RealCluster.AutoscaleTests {
    /// Waits for so many seconds of further passes, and says which numbers of replicas stood after them.
    private static func seen(
        for seconds: Int64, _ daemon: ClusterDaemon, _ own: OwnInstallation
    ) async throws -> Set<JSONValue?> {
        var seen: Set<JSONValue?> = []
        var first: Timestamp?
        try await Eventually.holds("passes of \(seconds) s") {
            let status = try await daemon.ask("GET", "/v1/k8s/status").json
            guard let last = status["last_reconcile"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }) else {
                return false
            }
            #expect(status["last_error"] == .null, "\(status)")
            seen.insert(try await own.document()["spec"]?["replicas"])
            if first == nil { first = last }
            return first.map { last.seconds - $0.seconds >= seconds } ?? false
        }
        return seen
    }

    /// Asks without a pause while `body` runs.
    private static func underLoad(_ daemon: ClusterDaemon, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { while !Task.isCancelled { _ = try? await daemon.ask("GET", "/v1/auth/me") } }
            defer { group.cancelAll() }
            try await body()
        }
    }

    @Test func growsWithTheLoadWithinItsBoundsAndDoesNotFallAtOnce() async throws {
        let own = try await OwnInstallation(try RealCluster.plane(), "autoscale")
        try await own.apply(own.manifest())
        try await own.setReady(try await own.pods(1))
        let place = ReplicaSet.Place(plane: own.plane, own: own.namespace, watched: own.namespace)
        let settings = [
            "TOLLGATE_DEPLOYMENT": "tollgate", "TOLLGATE_RECONCILE_INTERVAL": "5s", "TOLLGATE_AUTOSCALE": "rps",
            "TOLLGATE_AUTOSCALE_TARGET_RPS": "1", "TOLLGATE_SCALE_MAX": "3", "TOLLGATE_AUTH_RATE_LIMIT_IP": "0",
        ]
        try await ReplicaSet.with(1, at: place, settings: settings) { set in
            let daemon = set.replicas[0].daemon
            try await daemon.leads(pods: 1)
            try await Self.underLoad(daemon) {
                try await Eventually.holds("more replicas") { try await own.document()["spec"]?["replicas"] == 3 }
                // As much as is allowed, however much more is wanted.
                try await own.setReady(try await own.pods(3))
                #expect(try await Self.seen(for: 40, daemon, own) == [3])
            }
            // The least that was wanted for five minutes is more than there is.
            #expect(try await Self.seen(for: 40, daemon, own) == [3])
            let actions = try await daemon.ask("GET", "/v1/k8s/actions").json.arrayValue ?? []
            let scalings = actions.filter { $0["action"]?.stringValue?.hasPrefix("scale:") == true }
            #expect(scalings.map { $0["action"] } == ["scale:3"], "\(actions)")
            #expect(scalings.first?["actor"] == "system" && scalings.first?["success"] == true, "\(actions)")
            #expect(scalings.first?["before"] == 1 && scalings.first?["after"] == 3, "\(actions)")
            let intents = try await AlertCalls.entries("action=self.scale", at: daemon)
            #expect(intents.first?["metadata"]?["message"] == "the load rose", "\(intents)")
        }
    }

    @Test func whatSomebodyAskedForStays() async throws {
        let own = try await OwnInstallation(try RealCluster.plane(), "asked")
        try await own.apply(own.manifest())
        try await own.setReady(try await own.pods(1))
        let place = ReplicaSet.Place(plane: own.plane, own: own.namespace, watched: own.namespace)
        let settings = [
            "TOLLGATE_DEPLOYMENT": "tollgate", "TOLLGATE_RECONCILE_INTERVAL": "5s", "TOLLGATE_AUTOSCALE": "rps",
            "TOLLGATE_AUTOSCALE_TARGET_RPS": "1", "TOLLGATE_SCALE_MAX": "4", "TOLLGATE_AUTH_RATE_LIMIT_IP": "0",
        ]
        try await ReplicaSet.with(1, at: place, settings: settings) { set in
            let daemon = set.replicas[0].daemon
            try await daemon.leads(pods: 1)
            let asked = try await daemon.ask("POST", "/v1/k8s/scale", body: ["replicas": 2])
            #expect(asked.status == 200, "\(asked.json)")
            try await own.setReady(try await own.pods(2))
            try await Self.underLoad(daemon) {
                // Long enough for two measures, several times over.
                let seen = try await Self.seen(for: 40, daemon, own)
                #expect(seen == [2])
            }
        }
    }
}
