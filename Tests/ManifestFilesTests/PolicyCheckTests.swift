// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ManifestFiles
internal import Testing

@Suite struct PolicyCheckTests {
    private static func problems(_ text: String, strict: Bool = false) -> [ManifestProblem] {
        ManifestValidator.validate([.init(name: "f.yaml", bytes: Array(text.utf8))], strict: strict)
    }

    private static let routes = config(
        "a",
        """

          hosts: [x]
          policy:
            routes:
              - {methods: [GET], path: "/a/**", permission: "a:b"}
              - {methods: [GET], path: "/a/b", permission: "a:c"}
              - {methods: [GET], path: "/{x}/c", permission: "a:c"}
        """)

    @Test func warnsOfRoutesThatAreNotMeantSo() {
        let problems = Self.problems(Self.routes)
        #expect(problems.map(\.severity) == [.warning, .warning])
        #expect(problems.map(\.field) == ["spec.policy.routes[1]", "spec.policy.routes[2]"])
        #expect(problems.map(\.line) == [9, 10])
        #expect(problems[0].message.contains("rule 2 (GET /a/b) can never match"))
        #expect(problems[1].message.contains("rule 1 (GET /a/**) and rule 3 (GET /{x}/c) cover some of the same"))
    }

    @Test func strictMakesErrorsOfThem() {
        #expect(Self.problems(Self.routes, strict: true).map(\.severity) == [.error, .error])
    }

    @Test func checksInlineRules() {
        let problems = Self.problems(
            config(
                "a",
                """

                  hosts: [x]
                  policy:
                    rules:
                      - {name: r, effect: deny, when: [{attribute: action, operator: matches, value: "(?=x)"}]}
                      - {name: s, effect: deny, when: [{attribute: principal.claims.n, operator: gt, value: many}]}
                """))
        #expect(problems.map(\.severity) == [.error, .error])
        #expect(problems.map(\.field) == ["spec.policy.rules[0].when[0].value", "spec.policy.rules[1].when[0].value"])
        #expect(problems.map(\.line) == [8, 9])
    }

    private static func map(_ routes: String) -> String {
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tollgate-policy}\ndata:\n  routes.yaml: |\n"
            + routes.split(separator: "\n").map { "    \($0)\n" }.joined()
    }

    @Test func checksRouteTablesInConfigMaps() {
        let sound = "version: 1\nrules:\n- {methods: [GET], path: /a, permission: 'a:b'}\n"
        #expect(Self.problems(Self.map(sound)).isEmpty)
        let twice = Self.problems(Self.map(sound + "- {methods: [GET], path: /a, public: true}\n"))
        #expect(twice.map(\.severity) == [.warning])
        #expect(twice.map(\.field) == ["data[\"routes.yaml\"]"])
        let bad = Self.problems(Self.map("version: 1\nrules:\n- {methods: [GET], path: a, permission: 'a:b'}\n"))
        #expect(bad.map(\.severity) == [.error])
        #expect(bad.first?.message.contains("rules[0].path") == true)
        #expect(Self.problems(Self.map("version: [")).map(\.severity) == [.error])
        #expect(Self.problems(Self.map("a: 1\n---\nb: 2")).first?.message.contains("exactly one document") == true)
    }
}
