// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Testing

@Suite struct ClaimsMapperTests {
    private func principal(_ claims: JSONObject, _ change: (inout IssuerEntry) -> Void = { _ in }) throws -> Principal {
        var entry = IssuerEntry(name: "test")
        change(&entry)
        return try ClaimsMapper.principal(claims: claims, entry: entry)
    }

    @Test(arguments: ["admin", "bootstrap", "anonymous", "system"])
    func renamesReservedSubjects(_ name: String) throws {
        let principal = try principal(["sub": .string(name)])
        #expect(principal.subject == "jwt:\(name)")
        #expect(principal.tokenID == "jwt:\(name)")
        #expect(!principal.admin)
    }

    @Test func findsTheSubject() throws {
        #expect(try principal(["sub": 42]).subject == "42")
        #expect(try principal(["sub": "", "jti": "j"]).subject == "j")
        #expect(try principal(["sub": true, "token_id": "t"]).subject == "t")
        #expect(throws: Refusal(.authInvalidToken)) { try principal(["sub": " "]) }
    }

    @Test func searchesTheObjectsInOrder() throws {
        let nested: JSONObject = [
            "sub": "u", "tollgate": ["tenant": "second", "project_id": "p2", "roles": ["r1"], "groups": ["g1"]],
            "orcheo": ["tenant_id": "third", "account_id": "a3", "project": "p3", "role": "r2, r3", "scp": "s:t"],
        ]
        let principal = try principal(nested)
        #expect(principal.tenantID == "second")
        #expect(principal.projectID == "p2")
        #expect(principal.accountID == "a3")
        #expect(principal.roles == ["r1", "r2", "r3"])
        #expect(principal.groups == ["g1"])
        #expect(principal.scopes == ["s:t"])
        #expect(principal.scoped)
        #expect(try self.principal(["sub": "u", "tollgate": "text", "orcheo": ["x"]]).tenantID == nil)
    }

    @Test func neverBelievesATokenAboutItsRank() throws {
        let principal = try principal(["sub": "u", "admin": true, "platform": true, "workspaces": ["*", "w"]])
        #expect(!principal.admin && !principal.platform)
        #expect(principal.workspaceIDs == ["w"])
        let trusted = try self.principal(["sub": "u", "workspaces": ["*", "w"]]) { $0.platform = true }
        #expect(trusted.platform)
        #expect(trusted.workspaceIDs == ["*", "w"])
    }

    @Test func countsRolesOfEveryClientWhenAsked() throws {
        let claims: JSONObject = ["sub": "u", "resource_access": ["a": ["roles": ["x"]], "b": ["roles": ["y"]]]]
        #expect(try principal(claims).roles == [])
        #expect(try principal(claims) { $0.roleClients = ["*"] }.roles == ["x", "y"])
    }

    @Test(
        arguments: [
            ("A@B.example", "a@b.example"), ("a@b@c", nil), ("@b", nil), ("a@", nil), ("a b@c", nil), ("a\n@c", nil),
            ("ab", nil),
            ("a@b\u{7F}", nil), ("a\u{A0}@b", nil),
        ] as [(String, String?)])
    func readsMailAddresses(_ text: String, _ address: String?) throws {
        #expect(try principal(["sub": "u", "email": .string(text)]).email == address)
    }

    @Test func namesTheCaller() throws {
        let principal = try principal([
            "sub": "u", "email": "a@b", "email_verified": true, "upn": "upn", "name": "N", "client_id": "c", "sid": "s",
        ])
        #expect(principal.username == "upn")
        #expect(principal.emailVerified)
        #expect(principal.name == "N")
        #expect(principal.clientID == "c")
        #expect(principal.sessionID == "s")
        #expect(try self.principal(["sub": "u", "email": "a@b"]).username == "a@b")
    }
}
