// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Reconcilers
internal import ResourceModel
internal import Testing

@Suite struct SubscriptionCompilerTests {
    private static let now = Manifests.start

    private func compile(
        _ inputs: [CompilerInput], earlier: [ObjectKey: JSONValue] = [:], now: Timestamp = now
    ) throws -> SubscriptionCompiler.Output {
        var output = try Manifests.subscriptions().compile(inputs, earlier: earlier, now: now)
        for key in output.statuses.keys { output.statuses[key]?.sumUp() }
        return output
    }

    private func key(_ name: String, _ namespace: String = "default") -> ObjectKey {
        ObjectKey(kind: .subscription, namespace: namespace, name: name)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var spec: String
        var namespace = "default"
        var conditions: [String: String]
        /// state, plan, boughtPlan
        var status: [String?] = ["active", "pro", "pro"]
        var rate: RequestRate? = RequestRate(minute: 120, hour: 2500, day: 25_000)
        var testDescription: String { name }
    }

    private static let free = RequestRate(minute: 30, hour: 500, day: 5000)

    static let rows: [Row] = [
        Row(
            name: "manual", spec: "{tenant: t, plan: pro}",
            conditions: [
                "Ready": "True InForce", "PlanKnown": "True Known", "Entitled": "True Active", "Conflicted": "-",
            ]),
        Row(
            name: "overrides", spec: "{tenant: t, plan: pro, overrides: {rate: {minute: 7, day: -1}, apiKeys: -1}}",
            conditions: ["Ready": "True InForce"], rate: RequestRate(minute: 7, hour: 2500)),
        Row(
            name: "unknown plan", spec: "{tenant: t, plan: gold}",
            conditions: ["Ready": "False UnknownPlan", "PlanKnown": "False UnknownPlan"],
            status: ["active", "free", nil], rate: free),
        Row(
            name: "ended", spec: "{tenant: t, plan: pro, validUntil: '2026-03-01T12:00:00Z'}",
            conditions: ["Ready": "False Ended", "Entitled": "False Ended"], status: ["canceled", "free", "pro"],
            rate: free),
        Row(
            name: "not ended", spec: "{tenant: t, plan: pro, validUntil: '2026-03-01T12:00:01Z'}",
            conditions: ["Ready": "True InForce"]),
        Row(
            name: "suspended", spec: "{tenant: t, plan: pro, suspended: true}",
            conditions: ["Ready": "False Suspended", "Entitled": "False Suspended"]),
        Row(
            name: "provider", spec: "{tenant: t, source: stripe, plan: pro}",
            conditions: ["Ready": "True InForce", "ProviderSynced": "-", "PlanMatches": "-"],
            status: ["active", "free", nil], rate: free),
        Row(
            name: "no tenant there", spec: "{tenant: t, plan: pro}", namespace: "nowhere",
            conditions: ["Ready": "False NotAllowedInNamespace"], status: [nil, nil, nil], rate: nil),
        Row(
            name: "another tenant", spec: "{tenant: t, plan: pro}", namespace: "acme",
            conditions: ["Ready": "False NotAllowedInNamespace"], status: [nil, nil, nil], rate: nil),
        Row(
            name: "grants", spec: "{tenant: t, plan: pro, grants: [{key: a, credits: 5, reason: r}]}",
            conditions: ["Ready": "True InForce", "Unenforced": "-"]),
        Row(
            name: "invalid", spec: "{tenant: t}", conditions: ["Ready": "False InvalidSpec"], status: [nil, nil, nil],
            rate: nil),
    ]

    @Test(arguments: rows) func compiles(_ row: Row) throws {
        let output = try compile([Manifests.subscription("s", namespace: row.namespace, row.spec)])
        let status = try #require(output.statuses[key("s", row.namespace)])
        for (type, wanted) in row.conditions { #expect(status.shown(type) == wanted, "\(type)") }
        #expect(["state", "plan", "boughtPlan"].map { status.members[$0]?.stringValue } == row.status)
        let state = output.accounts.state(of: "t", at: Self.now)
        #expect(state.isSubscribed == (row.rate != nil))
        #expect(state.rate == row.rate ?? Self.free)
    }

    @Test func theOlderObjectSpeaksForTheAccount() throws {
        let young = try Manifests.subscription("a", created: 5, "{tenant: t, plan: pro}")
        let old = try Manifests.subscription("b", created: 1, "{tenant: t, plan: enterprise}")
        for inputs in [[young, old], [old, young]] {
            let output = try compile(inputs)
            #expect(output.accounts.state(of: "t").plan == "enterprise")
            #expect(output.statuses[key("a")]?.shown("Conflicted") == "True AccountTaken")
            #expect(output.statuses[key("a")]?.shown("Ready") == "False AccountTaken")
            #expect(output.statuses[key("b")]?.shown("Ready") == "True InForce")
        }
        let twin = try Manifests.subscription("c", created: 1, "{tenant: t, plan: pro}")
        #expect(try compile([twin, old]).accounts.state(of: "t").plan == "enterprise", "then the smaller name")
    }

    @Test func anAccountWhosePlanIsGoneStaysOnTheOneThatItHad() throws {
        let input = try Manifests.subscription("s", "{tenant: t, plan: gold}")
        let output = try compile([input], earlier: [key("s"): ["boughtPlan": "enterprise"]])
        #expect(output.accounts.state(of: "t").plan == "enterprise")
        #expect(output.statuses[key("s")]?.members["boughtPlan"] == "enterprise")
        #expect(output.statuses[key("s")]?.shown("PlanKnown") == "False UnknownPlan")
    }

    @Test func theEndHoldsFromItsInstantOn() throws {
        let output = try compile([
            Manifests.subscription("s", "{tenant: t, plan: pro, validUntil: '2026-03-01T12:01:00Z'}")
        ])
        #expect(output.accounts.state(of: "t", at: Self.now.adding(seconds: 59)).plan == "pro")
        let ended = output.accounts.state(of: "t", at: Self.now.adding(seconds: 60))
        #expect(ended.plan == "free")
        #expect(ended.isSubscribed)
    }
}
