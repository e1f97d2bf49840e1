// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import TestSupport
internal import Testing

/// What requests cost, as objects and their routes say it.
@Suite struct MeteringCompileTests {
    private func compiled(_ spec: String) throws -> CompiledAuthConfig {
        let output = try Manifests.compiler().compile([try Manifests.authConfig("it", spec)])
        #expect(output.status("it")?.shown("Ready") == "True InForce")
        #expect(output.status("it")?.shown("Unenforced") == "-")
        return try #require(output.authConfigs.first)
    }

    @Test func withoutMeteringThereIsNone() throws {
        for spec in ["{hosts: [a.example.com]}", "{hosts: [a.example.com], metering: {action: none}}"] {
            let config = try compiled(spec)
            #expect(config.metering == nil)
            #expect(!config.isMetered)
        }
    }

    @Test func theObjectSpeaksForEveryRequest() throws {
        let config = try compiled(
            """
            {hosts: [a.example.com], metering: {action: tokens, model: gpt-4o, requires: {plan: pro, modelTier: advanced,
             premiumAgents: true}, estimate: {input: 10, maxOutput: 20}, microCreditsPerRequest: 30}}
            """)
        let metering = try #require(config.metering(for: nil))
        #expect(metering.action == .tokens)
        #expect(metering.model == "gpt-4o")
        #expect(metering.slot == nil)
        #expect(
            metering.requirements
                == CompiledMetering.Requirements(plan: "pro", modelTier: "advanced", premiumAgents: true))
        #expect(metering.estimate == TokenEstimate(input: 10, maxOutput: 20))
        #expect(metering.microCreditsPerRequest == 30)
    }

    @Test func aRouteSpeaksForItselfAndReplacesTheObject() throws {
        let config = try compiled(
            """
            {hosts: [a.example.com], metering: {action: task}, policy: {builtinRoutes: false, routes: [
             {methods: [GET], path: /plain, authenticated: true},
             {methods: [GET], path: /none, authenticated: true, metering: {}},
             {methods: [GET], path: '/workers/{id}', authenticated: true, metering: {action: slot, slot: worker}},
             {methods: [GET], path: /required, authenticated: true, metering: {requires: {plan: pro}}},
             {methods: [GET], path: /charged, authenticated: true, metering: {microCreditsPerRequest: 5}}]}}
            """)
        let routes = try #require(config.policy.routes)
        #expect(routes.rules.map(\.isMetered) == [false, true, true, true, true])
        let metering = routes.rules.map { config.metering(for: $0) }
        #expect(
            metering.map { $0?.action } == [
                .task, nil, .slot, CompiledMetering.Action.none, CompiledMetering.Action.none,
            ])
        #expect(metering[2]?.slot == .worker)
        #expect(metering[3]?.requirements.plan == "pro")
        #expect(metering[4]?.microCreditsPerRequest == 5)
    }

    @Test func aRouteAloneMetersItsRequests() throws {
        let config = try compiled(
            """
            {hosts: [a.example.com], policy: {routes: [
             {methods: [GET], path: /task, authenticated: true, metering: {action: task}}]}}
            """)
        #expect(config.isMetered)
        #expect(config.metering(for: nil) == nil)
        #expect(config.metering(for: config.policy.routes?.rules.first)?.action == .task)
    }

    @Test(arguments: [
        ("metering: {action: tokens}", "spec.metering.model"), ("metering: {action: slot}", "spec.metering.slot"),
        ("metering: {action: other}", "spec.metering.action"),
        ("metering: {microCreditsPerRequest: -1}", "spec.metering.microCreditsPerRequest"),
        (
            "policy: {routes: [{methods: [GET], path: /a, authenticated: true, metering: {action: tokens}}]}",
            "spec.policy.routes[0].metering.model"
        ),
        (
            "policy: {routes: [{methods: [GET], path: /a, public: true, metering: {action: task}}]}",
            "spec.policy.routes[0].metering"
        ),
    ])
    func aFaultClosesTheHostsAndIsNamed(_ fault: String, _ place: String) throws {
        let output = try Manifests.compiler().compile([
            try Manifests.authConfig("it", "{hosts: [a.example.com], \(fault)}")
        ])
        #expect(output.status("it")?.shown("Invalid") == "True InvalidSpec")
        #expect(output.status("it")?.conditions["Invalid"]?.message.contains(place) == true)
        #expect(output.authConfigs.first?.brokenReason != nil)
    }

    @Test(arguments: [
        (#"[]"#, "m: must be an object"),
        (#"{"action":1}"#, "m.action: must be one of none, task, tokens, agent.hire, slot"),
        (#"{"action":"tokens"}"#, "m.model: is missing; action tokens needs it"),
        (#"{"action":"tokens","model":""}"#, "m.model: must be a text"),
        (#"{"action":"slot"}"#, "m.slot: is missing; action slot needs it"),
        (#"{"action":"slot","slot":"agent"}"#, "m.slot: must be one of worker, workspace"),
        (#"{"requires":1}"#, "m.requires: must be an object"),
        (#"{"requires":{"plan":1}}"#, "m.requires.plan: must be a text"),
        (#"{"requires":{"premiumAgents":"x"}}"#, "m.requires.premiumAgents: must be true or false"),
        (#"{"estimate":{"input":-1}}"#, "m.estimate.input: must be a whole number from 0 to 9007199254740992"),
        (
            #"{"microCreditsPerRequest":9007199254740993}"#,
            "m.microCreditsPerRequest: must be a whole number from 0 to 9007199254740992"
        ),
    ])
    func aDocumentThatIsWrongIsRefused(_ document: String, _ message: String) throws {
        let value = try JSONParser.parse(Array(document.utf8))
        #expect {
            _ = try MeteringDocument.read(value)
        } throws: {
            ($0 as? MeteringDocument.Fault)?.text(at: "m") == message
        }
    }
}
