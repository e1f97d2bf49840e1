// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Testing

@testable internal import AuditTrail

@Suite struct RedactionTests {
    private static let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"

    @Test(arguments: [
        ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln y", "x [REDACTED] y"), ("Bearer abc.def", "[REDACTED]"),
        ("auth: bearer  abc, next", "auth: [REDACTED], next"), ("tgs_abc_def", "[REDACTED]"),
        ("k=tgk_live_1234&x=1", "k=[REDACTED]&x=1"), ("tgk_test_1", "[REDACTED]"), ("sk_live_1", "[REDACTED]"),
        ("sk_test_1", "[REDACTED]"), ("rk_live_1", "[REDACTED]"), ("whsec_1", "[REDACTED]"), ("ghp_1", "[REDACTED]"),
        ("gho_1", "[REDACTED]"), ("ghs_1", "[REDACTED]"), ("github_pat_1", "[REDACTED]"),
        ("xoxb-12-ab", "[REDACTED]"), ("AKIAIOSFODNN7EXAMPLE", "[REDACTED]"), ("ASIAIOSFODNN7EXAMPLE", "[REDACTED]"),
        ("a\(pem)b", "a[REDACTED]b"), ("https://user:pw@host/a@b", "https://[REDACTED]@host/a@b"),
        ("/v1/tools/bash", "/v1/tools/bash"), ("the bearer", "the bearer"), ("https://host/a@b", "https://host/a@b"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("mail ann@example.com", "mail ann@example.com"),
    ])
    func replacesSecretsByShape(text: String, expected: String) {
        #expect(Redactor(level: .secrets).text(text) == expected)
        #expect(Redactor(level: .off).text(text) == text)
    }

    @Test(arguments: [
        ("mail ann@example.com now", "mail [REDACTED] now"), ("call +49 (30) 1234567", "call [REDACTED]"),
        ("card 4111 1111 1111 1111.", "card [REDACTED]."), ("card 4111111111111112", "card 4111111111111112"),
        ("request 1234567890", "request 1234567890"),
    ])
    func replacesPersonalDataWhenAsked(text: String, expected: String) {
        #expect(Redactor(level: .secretsAndPersonalData).text(text) == expected)
    }

    @Test(arguments: [
        "authorization", "Cookie", "Set-Cookie", "password", "passwd", "secret", "client_secret", "token",
        "access_token", "accessToken", "refresh_token", "id_token", "api_key", "apikey", "X-API-Key", "private_key",
        "credential", "signature", "db_password", "x-hub-signature", "my.token",
    ])
    func hidesMembersByName(name: String) {
        #expect(Redactor(level: .secrets).hides(name: name))
        #expect(!Redactor(level: .off).hides(name: name))
    }

    @Test(arguments: [
        "token_id", "method", "route", "status", "code", "auth_source", "user_agent", "tokens", "key", "",
    ])
    func keepsOtherMembers(name: String) {
        #expect(!Redactor(level: .secrets).hides(name: name))
    }

    @Test func looksIntoEveryDepth() {
        let object: JSONObject = ["a": [["token": 5, "b": "tgs_x"]], "password": nil]
        #expect(
            Redactor(level: .secrets).object(object)
                == ["a": [["token": "[REDACTED]", "b": "[REDACTED]"]], "password": nil])
    }

    @Test func cutsWhatIsTooLong() throws {
        let preparer = DraftPreparer(redactor: Redactor(level: .secrets))
        let long = String(repeating: "é", count: 6000)
        var draft = AuditDraft(
            actor: long, action: long, resource: "x" + long, outcome: .success, metadata: ["a": .string(long), "b": 1])
        let prepared = preparer.prepare(draft)
        #expect(prepared.actor.utf8.count == 256)
        #expect(prepared.action.utf8.count == 128)
        #expect(prepared.resource.utf8.count == 511)
        #expect(prepared.metadata["truncated"] == true)
        #expect(JSONValue.object(prepared.metadata).encoded().count <= 8192)

        draft.metadata = JSONObject((0..<70).map { ("m\($0)", 1) })
        #expect(preparer.prepare(draft).metadata.count == 64)
        draft.metadata = ["a": ["b": ["c": ["d": ["e": ["f": ["g": 1]]]]]]]
        #expect(preparer.prepare(draft).metadata["truncated"] == true)
        draft.metadata = ["a": .double(1.5), "b": .double(2)]
        #expect(preparer.prepare(draft).metadata == ["a": "1.5", "b": 2])
    }
}
