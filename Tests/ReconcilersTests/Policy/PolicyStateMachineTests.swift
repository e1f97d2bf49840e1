// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Reconcilers
internal import TestSupport
internal import Testing

@testable internal import RuntimeState

/// Every move of the machine that decides what is in force.
@Suite struct PolicyStateMachineTests {
    /// What a source may say in a step.
    enum Word: Sendable {
        /// Roles with this one more.
        case roles(String)
        /// The same data in other bytes.
        case reworded(String)
        case bad(String)
        case elsewhere(String)
    }

    /// A step and what it must come to.
    struct Step: Sendable {
        var word: Word
        var action: String
        var inForce: String
        var isSound: Bool
    }

    private static func documents(_ role: String) -> PolicyDocuments {
        PolicyDocuments(
            roles: ["roles": .object([role: ["permissions": ["tasks:read"]], "editor": ["permissions": ["a:b"]]])],
            routes: ["version": 1, "rules": []])
    }

    private static func reading(_ text: String, _ kind: PolicyOrigin.Kind) -> PolicyReading {
        PolicyReading(
            origin: PolicyOrigin(kind: kind), content: .texts(PolicyTexts(roles: Array(text.utf8))))
    }

    private static func judged(
        _ word: Word
    ) throws -> (PolicyReading, Result<(PolicyDocuments, CompiledPolicy), PolicyDataError>) {
        func sound(_ role: String) throws -> Result<(PolicyDocuments, CompiledPolicy), PolicyDataError> {
            .success((documents(role), try documents(role).compile(PolicySettings())))
        }
        switch word {
        case .roles(let role): return (reading(role, .files), try sound(role))
        case .reworded(let role): return (reading(role + " ", .files), try sound(role))
        case .elsewhere(let role): return (reading(role, .configMap), try sound(role))
        case .bad(let problem):
            return (reading("!" + problem, .files), .failure(PolicyDataError([PolicyProblem(.roles, problem)])))
        }
    }

    @Test(arguments: [
        [Step(word: .roles("aa"), action: "nothing", inForce: "aa", isSound: true)],
        [Step(word: .roles("bb"), action: "publish", inForce: "bb", isSound: true)],
        [Step(word: .reworded("aa"), action: "nothing", inForce: "aa", isSound: true)],
        [Step(word: .elsewhere("aa"), action: "publish", inForce: "aa", isSound: true)],
        [
            Step(word: .bad("x"), action: "report", inForce: "aa", isSound: false),
            Step(word: .bad("x"), action: "nothing", inForce: "aa", isSound: false),
            Step(word: .bad("y"), action: "report", inForce: "aa", isSound: false),
            Step(word: .roles("aa"), action: "recovered", inForce: "aa", isSound: true),
            Step(word: .bad("x"), action: "report", inForce: "aa", isSound: false),
            Step(word: .reworded("aa"), action: "recovered", inForce: "aa", isSound: true),
            Step(word: .bad("x"), action: "report", inForce: "aa", isSound: false),
            Step(word: .roles("bb"), action: "publish", inForce: "bb", isSound: true),
            Step(word: .roles("aa"), action: "publish", inForce: "aa", isSound: true),
        ],
    ])
    func moves(steps: [Step]) throws {
        let (first, result) = try Self.judged(.roles("aa"))
        let (documents, policy) = try result.get()
        var machine = PolicyStateMachine(
            first, documents: documents, policy: policy, at: Timestamp(seconds: 1))
        for (index, step) in steps.enumerated() {
            let (reading, result) = try Self.judged(step.word)
            let action = machine.took(reading, result, at: Timestamp(seconds: Int64(index) + 2))
            #expect(Self.name(action) == step.action, "step \(index)")
            #expect(machine.state.policy.roles.isKnown(step.inForce), "step \(index)")
            #expect((machine.state.lastError == nil) == step.isSound, "step \(index)")
            #expect(!machine.isNew(reading))
            if case .publish(let state) = action { #expect(state.loadedAt == Timestamp(seconds: Int64(index) + 2)) }
        }
    }

    private static func name(_ action: PolicyStateMachine.Action) -> String {
        switch action {
        case .nothing: "nothing"
        case .publish: "publish"
        case .report: "report"
        case .recovered: "recovered"
        }
    }
}
