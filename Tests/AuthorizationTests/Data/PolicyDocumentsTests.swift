// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

/// Texts and documents of policy data, read as a whole.
@Suite struct PolicyDocumentsTests {
    private static let roles = #"{"roles": {"viewer": {"permissions": ["tasks:read"]}}}"#
    private static let settings = PolicySettings(defaultUserRole: "viewer")

    private static func yaml(_ text: [UInt8]) throws(PolicyTextFault) -> JSONValue {
        do {
            return try YAMLText.json(String(decoding: text, as: UTF8.self))
        } catch {
            throw PolicyTextFault("is not YAML")
        }
    }

    private static func problems(_ roles: String?, _ routes: String?) -> [String] {
        let texts = PolicyTexts(roles: roles.map { Array($0.utf8) }, routes: routes.map { Array($0.utf8) })
        do throws(PolicyDataError) {
            _ = try texts.parsed(readYAML: yaml).compile(settings)
            return []
        } catch {
            return error.problems.map(\.text)
        }
    }

    @Test(
        arguments: [
            (roles, nil, []), (nil, "{version: 1, rules: []}", []),
            ("{", nil, ["data.json: line 1: is not JSON: unexpectedEnd at byte 1"]),
            ("{\n\n]", nil, ["data.json: line 3: is not JSON: unexpectedByte at byte 3"]),
            ("{", "[", ["data.json: line 1: is not JSON: unexpectedEnd at byte 1", "routes.yaml: is not YAML"]),
            ("[]", nil, ["data.json: bad_type"]),
            (
                #"{"roles": {"viewer": {}, "X": {"permissions": ["x"]}}, "more": 1}"#,
                "{version: 2, rules: [{methods: [GET], path: x, permission: 'a:b'}, 7]}",
                [
                    "data.json: unknown_member", "data.json: role X: bad_name", "data.json: role X: bad_permission",
                    "data.json: role viewer: empty", "routes.yaml: version: must be 1",
                    "routes.yaml: rules[0].path: must begin with /", "routes.yaml: rules[1]: must be an object",
                ]
            ),
            (
                #"{"roles": {"reader": {"permissions": ["tasks:read"]}}}"#, nil,
                [
                    "data.json: role viewer: DEFAULT_USER_ROLE names the role, which the data does not have",
                    "data.json: role viewer: DEFAULT_KEYCLOAK_TENANT_ROLE names the role, which the data does not have",
                ]
            ),
        ] as [(String?, String?, [String])])
    func tellsEveryProblemOfBoth(roles: String?, routes: String?, expected: [String]) {
        #expect(Self.problems(roles, routes) == expected)
    }

    @Test func aDocumentMayHaveOneMebibyte() {
        let blanks = String(repeating: " ", count: (1 << 20) - Self.roles.utf8.count)
        #expect(Self.problems(Self.roles + blanks, nil) == [])
        #expect(
            Self.problems(Self.roles + blanks + " ", nil)
                == ["data.json: has 1048577 bytes; at most 1048576 are read"])
    }

    @Test func problemsAreJSONWithoutWhatIsNotKnown() {
        #expect(
            PolicyProblem(.roles, "cycle", role: "a").json == [
                "document": "data.json", "role": "a", "problem": "cycle",
            ])
        #expect(
            PolicyProblem(.routes, "must begin with /", rule: 3, member: "path").json
                == ["document": "routes.yaml", "rule": 3, "member": "path", "problem": "must begin with /"])
        #expect(
            PolicyProblem(.routes, "there is no x").json == ["document": "routes.yaml", "problem": "there is no x"])
    }

    @Test func theBuiltInCopyIsTheShippedOne() throws {
        let documents = try PolicyTexts().parsed(readYAML: Self.yaml)
        let policy = try documents.compile(PolicySettings())
        #expect(policy.revision == (try ShippedPolicy.compiled.get()).revision)
    }
}
