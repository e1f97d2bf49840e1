// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

extension RealCluster {
    /// Subscriptions on the real API server become accounts of the daemon's ledger, and accounts their status.
    @Suite struct AccountTests {
        /// A daemon's namespaces, and its API as the administrator of the platform uses it.
        private struct Place {
            let plane: Plane
            let namespace: String
            let daemon: ClusterDaemon

            /// A Subscription of the tenant `acme`.
            func apply(_ spec: String, as name: String = "plan") async throws {
                let text = """
                    apiVersion: tollgate.dev/v1alpha1
                    kind: Subscription
                    metadata: {name: \(name), namespace: \(namespace)}
                    spec: \(spec)
                    """
                let path = try plane.write(text, to: "\(namespace)-\(name).yaml")
                _ = try await plane.plane.kubectlOutput(["apply", "-f", path])
            }

            func kubectl(_ words: String...) async throws -> String {
                try await plane.plane.kubectlOutput(["-n", namespace] + words)
            }

            /// A member of the status.
            func status(_ path: String, of name: String = "plan") async throws -> String {
                try await kubectl("get", "subscription", name, "-o", "jsonpath={.status.\(path)}")
            }

            /// `True Reason`
            func condition(_ type: String, of name: String = "plan") async throws -> String {
                let condition = "conditions[?(@.type==\"\(type)\")]"
                return try await kubectl(
                    "get", "subscription", name, "-o",
                    "jsonpath={.status.\(condition).status} {.status.\(condition).reason}")
            }

            func account() async throws -> JSONValue { try await send("GET", "/v1/billing/subscription?account=acme") }

            func send(_ method: String, _ target: String, _ body: JSONValue? = nil) async throws -> JSONValue {
                try await PlainHTTP.send(
                    method, target, port: daemon.port,
                    headers: [
                        ("Authorization", "Bearer \(ClusterDaemon.adminToken)"), ("Content-Type", "application/json"),
                    ], body: body?.encoded() ?? []
                ).json()
            }
        }

        private func place(_ name: String) async throws -> Place {
            let plane = try RealCluster.plane()
            let own = try await plane.makeNamespace("own")
            let namespace = try await plane.makeNamespace(name)
            _ = try await plane.plane.kubectlOutput(["label", "namespace", namespace, "tollgate.dev/tenant=acme"])
            let daemon = try ClusterDaemon(
                name, kubeconfig: plane.plane.kubeconfig, own: own, watched: "\(own),\(namespace)")
            return Place(plane: plane, namespace: namespace, daemon: daemon)
        }

        private static let spec = "{tenant: acme, plan: pro, grants: [{key: gift, credits: 5, reason: welcome}]"

        @Test func aSubscriptionIsAnAccountUntilItIsDeleted() async throws {
            let place = try await place("account")
            try await place.apply("\(Self.spec)}")
            try await place.daemon.running { (_: PeerProcess) async throws -> Void in
                _ = try await place.kubectl("wait", "--for=condition=Ready", "--timeout=120s", "subscription/plan")
                #expect(try await place.status("creditsRemaining") == "1005000000")
                #expect(try await place.status("plan") == "pro")
                #expect(try await place.condition("OverLimit") == "False WithinLimits")
                let shown = try await place.kubectl("get", "subscription")
                #expect(shown.contains("1005000000") && shown.contains("active"), "\(shown)")
                let account = try await place.account()
                #expect(account["plan"] == "pro" && account["source"] == "manual" && account["status"] == "active")
                #expect(account["credits"]?["remaining_micro_credits"] == 1_005_000_000)
                #expect(try await place.status("periodEnd") == account["current_period_end"]?.stringValue)

                // Suspended: every check refuses, and nothing is deleted.
                try await place.apply("\(Self.spec), suspended: true}")
                try await Eventually.holds("the suspension to be said") {
                    try await place.condition("Entitled") == "False Suspended"
                }
                #expect(try await place.account()["suspended"] == true)
                let answer = try await place.send(
                    "POST", "/v1/billing/eligibility", ["account": "acme", "action": "task"])
                #expect(answer["allowed"] == false, "\(answer)")
                #expect(answer["reason"]?["code"]?.stringValue?.hasSuffix("account_suspended") == true, "\(answer)")
                #expect(try await place.status("creditsRemaining") == "1005000000")
            }
            // Another process over the same ledger finds the account as it is: nothing is granted again.
            try await place.daemon.running { (_: PeerProcess) async throws -> Void in
                try await place.apply("\(Self.spec), suspended: false}")
                try await Eventually.holds("the account to be ready again") {
                    try await place.condition("Ready") == "True InForce"
                }
                #expect(
                    try await place.account()["credits"]?["remaining_micro_credits"] == 1_005_000_000)
                _ = try await place.kubectl("delete", "subscription", "plan", "--timeout=120s")
                let account = try await place.account()
                #expect(account["plan"] == "free" && account["source"] == "fallback")
                // The fallback plan's own credits: the gift and the pool are void, the ledger has them still.
                #expect(account["credits"]?["remaining_micro_credits"] == 100_000_000)
                let ledger = try await place.send("GET", "/v1/billing/ledger?account=acme")
                let kinds = ledger["entries"]?.arrayValue?.compactMap { $0["type"]?.stringValue } ?? []
                #expect(kinds.count { $0 == "void" } == 2 && kinds.count { $0 == "grant" } == 3, "\(ledger)")
            }
        }

        @Test func theOlderOfTwoHoldsTheAccountAndTheOtherFollowsIt() async throws {
            let place = try await place("two")
            try await place.apply("{tenant: acme, plan: pro}")
            try await Eventually.holds("another second") {
                let first = try await place.kubectl(
                    "get", "subscription", "plan", "-o", "jsonpath={.metadata.creationTimestamp}")
                return Timestamp(rfc3339: first).map { $0.adding(seconds: 1) < SystemWallClock().now() } ?? false
            }
            try await place.apply("{tenant: acme, plan: enterprise}", as: "later")
            try await place.daemon.running { (_: PeerProcess) async throws -> Void in
                try await Eventually.holds("the conflict to be said") {
                    try await place.condition("Conflicted", of: "later") == "True AccountTaken"
                }
                try await Eventually.holds("the older one to be ready") {
                    try await place.condition("Ready") == "True InForce"
                }
                #expect(try await place.account()["plan"] == "pro")
                _ = try await place.kubectl("delete", "subscription", "plan", "--timeout=120s")
                try await Eventually.holds("the other one to hold the account") {
                    try await place.account()["plan"] == "enterprise"
                }
                try await Eventually.holds("the other one to be ready") {
                    try await place.condition("Ready", of: "later") == "True InForce"
                }
            }
        }
    }
}
