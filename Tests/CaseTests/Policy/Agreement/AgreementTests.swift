// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

/// The evaluator in the process and the shipped Rego policies in a real engine give the same answers.
@Suite(.timeLimit(.minutes(10))) struct AgreementTests {
    private static let count = 21_000
    private static let seed: UInt64 = 20_260_301

    /// The least number of times that each of these must come up, so that agreement means something.
    private static let floors: [(what: String, least: Int)] = [
        ("allowed", 2000), ("no matching role permission", 1000), ("api key scope does not permit action", 300),
        ("token scope does not permit action", 500), ("platform principal required", 200),
        ("cross-tenant access denied", 1000), ("not resource owner", 500), ("project access denied", 500),
        ("only no matching role permission", 200), ("only api key scope does not permit action", 50),
        ("only token scope does not permit action", 100), ("only platform principal required", 50),
        ("only cross-tenant access denied", 200), ("only not resource owner", 200),
        ("only project access denied", 200), ("several reasons", 1000), ("allowed by a share", 100),
        ("allowed without roles", 100), ("allowed with the role check off", 100),
        ("allowed to a tenant's admin", 100), ("allowed to the owner", 100), ("no permission asked", 100),
        ("anonymous", 100),
    ]

    @Test func generatedQuestionsAreAnsweredAlike() async throws {
        let documents = try RoleDocuments.all()
        let policies = try documents.flatMap { document in
            try [true, false].map { try RoleDocuments.policy(document, checksRoles: $0) }
        }
        let generator = try QuestionGenerator(policies: policies, seed: Self.seed)
        var made: [QuestionGenerator.Made] = []
        for _ in 0..<FuzzCases.count(Self.count) { made.append(generator.next()) }
        let answers = try await RegoEngine.answers(
            made.map { .init(data: $0.policy / 2, input: $0.question.input) }, documents: documents)
        var coverage: [String: Int] = [:]
        var disagreements = 0
        for (made, answer) in zip(made, answers) {
            let decision = policies[made.policy].decide(made.question)
            let expected = ExpectedAnswer.answer(decision, to: made.question)
            count(decision, made.question, in: &coverage)
            let ofEngine = Self.decision(by: answer, policies[made.policy], made.question)
            guard answer != expected || ofEngine != decision else { continue }
            disagreements += 1
            guard disagreements <= 5 else { continue }
            Issue.record("\(made.question.input.jsonText)\nprocess: \(expected.jsonText)\nengine:  \(answer.jsonText)")
        }
        #expect(disagreements == 0)
        print("policy agreement: \(made.count) questions, seed \(Self.seed), \(disagreements) disagreements")
        for (what, least) in Self.floors {
            print("  \(coverage[what] ?? 0)  \(what)")
            #expect(coverage[what] ?? 0 >= least, "\(what) is too rare")
        }
    }

    private func count(_ decision: PolicyDecision, _ question: PolicyQuestion, in coverage: inout [String: Int]) {
        func note(_ what: String, if holds: Bool = true) { if holds { coverage[what, default: 0] += 1 } }
        let (subject, resource) = (question.subject, question.resource)
        for reason in decision.reasons { note(reason) }
        if decision.reasons.count == 1 { note("only \(decision.reasons[0])") }
        note("several reasons", if: decision.reasons.count > 1)
        note("no permission asked", if: question.action == nil)
        note("anonymous", if: subject.isAnonymous)
        guard decision.allow else { return }
        note("allowed")
        note("allowed without roles", if: decision.effectiveRoles.isEmpty && question.action != nil)
        note("allowed with the role check off", if: question.input["settings"]?["role_check"] == false)
        let isAdmin = decision.effectiveRoles.contains("admin")
        note("allowed to a tenant's admin", if: isAdmin && resource.owner != nil && resource.owner != subject.id)
        note(
            "allowed to the owner",
            if: !isAdmin && resource.owner != nil && question.action?.hasSuffix(":write") == true)
        note("allowed by a share", if: !isAdmin && resource.project != nil && resource.project != subject.project)
    }

    @Test func theCasesAreAnsweredAlike() async throws {
        var documents: [JSONValue] = []
        var asked: [(id: String, policy: CompiledPolicy, question: PolicyQuestion)] = []
        for record in CaseFile.all(area: "policy") where record.expect["code"] != "policy.roles_invalid" {
            // Rules are Tollgate's own: an engine is asked the same with and without them.
            let (policy, progress) = try PolicyCaseRun(json: record.json).progress(withRules: false)
            guard case .open(let question) = progress else { continue }
            documents.append(policy.roles.document)
            asked.append((record.id, policy, question))
        }
        let answers = try await RegoEngine.answers(
            asked.enumerated().map { .init(data: $0, input: $1.question.input) }, documents: documents)
        for (asked, answer) in zip(asked, answers) {
            let decision = asked.policy.decide(asked.question)
            #expect(answer == ExpectedAnswer.answer(decision, to: asked.question), "\(asked.id)")
            #expect(Self.decision(by: answer, asked.policy, asked.question) == decision, "\(asked.id)")
        }
        print("policy agreement: \(asked.count) cases reach the checks")
        #expect(asked.count >= 100)
    }

    /// The decision that the pipeline makes of the engine's answer, but for where it was made.
    private static func decision(
        by answer: JSONValue, _ policy: CompiledPolicy, _ question: PolicyQuestion
    ) -> PolicyDecision {
        func texts(_ name: String) -> [String] {
            answer["decision"]?[name]?.arrayValue?.compactMap(\.stringValue) ?? []
        }
        var decision = policy.decide(
            question,
            answer: .decision(
                allow: answer["decision"]?["allow"]?.boolValue ?? false, reasons: texts("reasons"),
                effectiveRoles: texts("effective_roles")))
        decision.mode = policy.decide(question).mode
        return decision
    }

    /// What never reaches the checks in Tollgate, but is part of what the packages promise.
    @Test func publicActionsAreAllowedByThePackages() async throws {
        let input: JSONValue = [
            "user": .null, "action": "health", "resource": [:], "route": .null, "settings": .null, "provenance": [:],
        ]
        let answers = try await RegoEngine.answers(
            [.init(data: 0, input: input)], documents: [try JSONParser.parse(text: BuiltInPolicy.rolesJSON)])
        #expect(answers.first?["authz"]?["allow"] == true)
        #expect(answers.first?["api_keys"]?["allow"] == true)
    }

    /// Whoever asks without filling in the input is refused.
    @Test(arguments: ["user", "resource", "route", "settings"]) func whatIsMissingIsARefusal(group: String) async throws
    {
        let whole: JSONObject = [
            "user": [
                "user_id": "u1", "roles": ["editor"], "tenant_id": "acme", "scopes": ["other:read"],
                "auth_source": "jwt",
                "project_id": nil, "platform": false,
            ],
            "action": "tasks:write",
            "resource": [
                "type": "tasks", "id": "t1", "owner_id": "u1", "tenant_id": "acme", "project_id": nil,
                "described": true, "shared_permissions": [],
            ],
            "route": ["platform": false, "ownership_required": false, "authenticated_only": false],
            "settings": ["scopes": "ignore", "ownership": "default", "role_check": true], "provenance": [:],
        ]
        var inputs: [JSONValue] = [.object(whole)]
        for broken in [JSONValue?.none, .null, [], "x", 1, [:]] where !(group == "resource" && broken == [:]) {
            var members = whole
            members[group] = broken
            inputs.append(.object(members))
        }
        let answers = try await RegoEngine.answers(
            inputs.map { .init(data: 0, input: $0) }, documents: [try JSONParser.parse(text: BuiltInPolicy.rolesJSON)])
        for (index, (input, answer)) in zip(inputs, answers).enumerated() {
            #expect(answer["decision"]?["allow"] == .bool(index == 0), "\(input.jsonText)")
        }
    }
}
