// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

/// Accounts, credits, Stripe, roles and the development server, by the settings.
@Suite struct BillingSettingsTests {
    private static func load(
        _ environment: [String: String], flags: [String: String] = [:], files: [String: String] = [:]
    ) throws -> TollgateSettings {
        let sources = SettingsSources(
            flags: flags, environment: ["HOME": "/home/me"].merging(environment) { $1 },
            readFile: { path in
                guard let text = files[path] else { throw Missing() }
                return Array(text.utf8)
            })
        return try TollgateSettings.load(sources, host: HostFacts(hostName: "host", workingDirectory: "/srv"))
    }

    private struct Missing: Error {}

    private static func problems(_ environment: [String: String]) -> [String] {
        do {
            _ = try load(environment)
            return []
        } catch let error as SettingsError {
            return error.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    private static let database = ["TOLLGATE_DATABASE_URL": "postgresql://app@db.example/tollgate?sslmode=verify-full"]
    private static let cluster = ["KUBERNETES_SERVICE_HOST": "10.0.0.1"]

    @Test func defaultsAreThoseOfTheTable() throws {
        let settings = try Self.load([:])
        let credits = settings.credits
        #expect(credits.mode == .direct)
        #expect(credits.makesAccounts)
        #expect(credits.pastDueGrace == .seconds(168 * 3600))
        #expect(credits.renewalSlack == .seconds(24 * 3600))
        #expect(credits.staleAfter == .seconds(72 * 3600))
        #expect(credits.lapseAfter == .seconds(336 * 3600))
        #expect(credits.redirectAllow.isEmpty)
        #expect(credits.dedupWindow == .seconds(768 * 3600))
        let stripe = settings.stripe
        #expect(stripe.apiKey == nil)
        #expect(stripe.webhookSecrets.isEmpty)
        #expect(stripe.base.description == "https://api.stripe.com")
        #expect(stripe.version == nil)
        #expect(stripe.webhookTolerance == .seconds(300))
        #expect(stripe.meterEventName == nil)
        #expect(settings.process.role == .all)
        #expect(!settings.process.isDevnet)
    }

    @Test func readsWhatIsSet() throws {
        let settings = try Self.load(
            [
                "TOLLGATE_BILLING_AUTO_ACCOUNTS": "false", "TOLLGATE_BILLING_PAST_DUE_GRACE": "0",
                "TOLLGATE_BILLING_RENEWAL_SLACK": "1h", "TOLLGATE_BILLING_STALE_AFTER": "1h",
                "TOLLGATE_BILLING_LAPSE_AFTER": "2h",
                "TOLLGATE_BILLING_REDIRECT_ALLOW": "App.Example.com, localhost:3000 [::1]:8443",
                "TOLLGATE_USAGE_DEDUP_WINDOW": "800h", "STRIPE_API_KEY_FILE": "/secrets/key",
                "STRIPE_WEBHOOK_SECRET": "whsec_new, whsec_old", "STRIPE_API_BASE": "http://127.0.0.1:8420/",
                "STRIPE_API_VERSION": "2025-03-31.basil", "STRIPE_WEBHOOK_TOLERANCE": "10m",
                "STRIPE_METER_EVENT_NAME": "tollgate_usage",
            ], files: ["/secrets/key": "sk_test_0123456789\n"])
        let credits = settings.credits
        #expect(!credits.makesAccounts)
        #expect(credits.pastDueGrace == .zero)
        #expect(
            [credits.renewalSlack, credits.staleAfter, credits.lapseAfter] == [
                .seconds(3600), .seconds(3600), .seconds(7200),
            ])
        #expect(credits.redirectAllow == ["app.example.com", "localhost:3000", "[::1]:8443"])
        #expect(credits.dedupWindow == .seconds(800 * 3600))
        #expect(settings.stripe.apiKey?.revealed == "sk_test_0123456789")
        #expect(settings.stripe.webhookSecrets.map(\.revealed) == ["whsec_new", "whsec_old"])
        #expect(settings.stripe.base.description == "http://127.0.0.1:8420")
        #expect(settings.stripe.version == "2025-03-31.basil")
        #expect(settings.stripe.webhookTolerance == .seconds(600))
        #expect(settings.stripe.meterEventName == "tollgate_usage")
        #expect(!"\(settings.stripe)".contains("sk_test"))
    }

    @Test(arguments: [
        ("TOLLGATE_BILLING_MODE", "other"), ("TOLLGATE_BILLING_AUTO_ACCOUNTS", "maybe"),
        ("TOLLGATE_BILLING_PAST_DUE_GRACE", "168"), ("TOLLGATE_BILLING_REDIRECT_ALLOW", "https://app.example.com"),
        ("TOLLGATE_BILLING_REDIRECT_ALLOW", "app.example.com/path"),
        ("TOLLGATE_BILLING_REDIRECT_ALLOW", "app.example.com/"),
        ("TOLLGATE_BILLING_REDIRECT_ALLOW", "user@app.example.com"),
        ("TOLLGATE_BILLING_REDIRECT_ALLOW", "*.example.com"),
        ("TOLLGATE_USAGE_DEDUP_WINDOW", "767h"), ("STRIPE_API_KEY", "pk_test_0123456789"),
        ("STRIPE_API_KEY", "sk_te st_0123456789"), ("STRIPE_API_BASE", "api.stripe.com"),
        ("STRIPE_API_BASE", "https://user@api.stripe.com"), ("STRIPE_API_VERSION", "a b"),
        ("STRIPE_WEBHOOK_TOLERANCE", "0"), ("STRIPE_METER_EVENT_NAME", "a/b"), ("TOLLGATE_ROLE", "both"),
        ("TOLLGATE_DEVNET", "maybe"),
    ])
    func aBadValueStopsTheStart(_ name: String, _ text: String) {
        let found = Self.problems([name: text])
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("\(name): ") == true)
        #expect(found.first?.contains("does not parse") == true)
        if name.hasPrefix("STRIPE_API_KEY") { #expect(found.first?.contains("0123456789") == false) }
    }

    @Test func moreThanSixteenWebhookSecretsAreRefused() {
        let many = (0..<17).map { "whsec_hidden\($0)" }.joined(separator: ",")
        let found = Self.problems(["STRIPE_WEBHOOK_SECRET": many])
        #expect(found.count == 1)
        #expect(found.first?.contains("hidden") == false)
        #expect(Self.problems(["STRIPE_WEBHOOK_SECRET": (0..<16).map { "w\($0)" }.joined(separator: ",")]) == [])
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let environment: [String: String]
        /// Nil = it starts.
        let problem: String?

        var testDescription: String { name }
    }

    static let rows = [
        Row(
            name: "stale before the slack is over", environment: ["TOLLGATE_BILLING_STALE_AFTER": "23h"],
            problem:
                "TOLLGATE_BILLING_STALE_AFTER: it is shorter than TOLLGATE_BILLING_RENEWAL_SLACK: make it at least as long"
        ),
        Row(
            name: "lapsed before it is stale", environment: ["TOLLGATE_BILLING_LAPSE_AFTER": "71h"],
            problem:
                "TOLLGATE_BILLING_LAPSE_AFTER: it is shorter than TOLLGATE_BILLING_STALE_AFTER: make it at least as long"
        ),
        Row(
            name: "plain text to Stripe", environment: ["STRIPE_API_BASE": "http://stripe.example"],
            problem:
                "STRIPE_API_BASE: the key to Stripe would go over the network in plain text: use https, or name stripe.example in TOLLGATE_EGRESS_ALLOW"
        ),
        Row(
            name: "plain text to an allowed host",
            environment: ["STRIPE_API_BASE": "http://stripe.example", "TOLLGATE_EGRESS_ALLOW": "stripe.example"],
            problem: nil),
        Row(
            name: "plain text to an allowed address",
            environment: ["STRIPE_API_BASE": "http://10.1.2.3:80", "TOLLGATE_EGRESS_ALLOW": "10.0.0.0/8"], problem: nil),
        Row(name: "a front end", environment: ["TOLLGATE_BILLING_MODE": "frontend"], problem: nil),
        Row(
            name: "a front end with a key",
            environment: ["TOLLGATE_BILLING_MODE": "frontend", "STRIPE_API_KEY": "sk_test_0123"],
            problem:
                "STRIPE_API_KEY: in mode frontend no key to Stripe is held here: unset it, or set TOLLGATE_BILLING_MODE to direct"
        ),
        Row(name: "api on the embedded database", environment: ["TOLLGATE_ROLE": "api"], problem: nil),
        Row(name: "worker on the embedded database", environment: ["TOLLGATE_ROLE": "worker"], problem: nil),
        Row(
            name: "controller on the embedded database", environment: ["TOLLGATE_ROLE": "controller"],
            problem:
                "TOLLGATE_ROLE: controller needs a database that all processes share: set TOLLGATE_DATABASE_URL, or use all, or one api and one worker over one data directory"
        ),
        Row(
            name: "split in a cluster without a database",
            environment: cluster.merging(["TOLLGATE_ROLE": "worker"]) { $1 },
            problem:
                "TOLLGATE_ROLE: worker in a cluster needs a database that all processes share: set TOLLGATE_DATABASE_URL, or set it to all"
        ),
        Row(
            name: "split in a cluster",
            environment: cluster.merging(database) { $1 }.merging(["TOLLGATE_ROLE": "controller"]) { $1 },
            problem: nil),
        Row(name: "whole in a cluster", environment: cluster, problem: nil),
        Row(name: "devnet", environment: ["TOLLGATE_DEVNET": "true", "STRIPE_API_KEY": "sk_test_0123"], problem: nil),
        Row(
            name: "devnet with a live key", environment: ["TOLLGATE_DEVNET": "true", "STRIPE_API_KEY": "sk_live_0123"],
            problem: "STRIPE_API_KEY: a live key does not belong into a development server: unset it or TOLLGATE_DEVNET"
        ),
        Row(
            name: "devnet with a restricted live key",
            environment: ["TOLLGATE_DEVNET": "true", "STRIPE_API_KEY": "rk_live_0123"],
            problem: "STRIPE_API_KEY: a live key does not belong into a development server: unset it or TOLLGATE_DEVNET"
        ),
        Row(
            name: "devnet in a cluster", environment: cluster.merging(["TOLLGATE_DEVNET": "true"]) { $1 },
            problem:
                "TOLLGATE_DEVNET: everything would be lost with the Pod: unset it, or set TOLLGATE_DEVNET_IN_CLUSTER (--devnet-in-cluster) too"
        ),
        Row(
            name: "devnet in a cluster on purpose",
            environment: cluster.merging(["TOLLGATE_DEVNET": "true", "TOLLGATE_DEVNET_IN_CLUSTER": "true"]) { $1 },
            problem: nil),
        Row(
            name: "devnet in parts", environment: ["TOLLGATE_DEVNET": "true", "TOLLGATE_ROLE": "api"],
            problem: "TOLLGATE_ROLE: api shares nothing with other processes in a development server: set it to all"),
        Row(
            name: "a sidecar in parts",
            environment: [
                "TOLLGATE_ROLE": "worker", "TOLLGATE_UPSTREAM": "https://tollgate.example",
                "TOLLGATE_SIDECAR_AUTH_CONFIG": "acme/shop",
            ], problem: "TOLLGATE_ROLE: a sidecar is one process: set it to all, or unset TOLLGATE_UPSTREAM"),
    ]

    @Test(arguments: rows) func startsOrSaysWhyNot(_ row: Row) {
        #expect(Self.problems(row.environment) == (row.problem.map { [$0] } ?? []))
    }

    @Test func devnetIsNamedAtTheStart() throws {
        let settings = try Self.load(["TOLLGATE_DEVNET": "true"].merging(Self.database) { $1 })
        #expect(settings.process.isDevnet)
        #expect(settings.notes.contains { $0.kind == .unsafe && $0.setting == "TOLLGATE_DEVNET" })
        #expect(settings.notes.contains { $0.kind == .overruled && $0.setting == "TOLLGATE_DATABASE_URL" })
        let others = try Self.load([
            "TOLLGATE_DEVNET": "true", "REDIS_URL": "redis://127.0.0.1:6379", "STRIPE_API_KEY": "sk_test_0123",
        ])
        for name in ["REDIS_URL", "STRIPE_API_KEY"] {
            #expect(others.notes.contains { $0.kind == .overruled && $0.setting == name }, "\(name)")
        }
    }

    @Test(arguments: ProcessRole.allCases) func theFlagSaysTheRole(_ role: ProcessRole) throws {
        let settings = try Self.load(Self.database, flags: ["TOLLGATE_ROLE": role.rawValue])
        #expect(settings.process.role == role)
    }
}
