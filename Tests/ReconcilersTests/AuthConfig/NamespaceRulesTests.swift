// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Reconcilers
internal import Testing

@Suite struct NamespaceRulesTests {
    private let rules = NamespaceRules(platform: ["default"], tenants: ["acme": "acme-corp"])

    @Test func tenantsComeFromTheNamespaceOutsideThePlatform() throws {
        #expect(try rules.tenant(stated: nil, namespace: "acme") == "acme-corp")
        #expect(try rules.tenant(stated: "acme-corp", namespace: "acme") == "acme-corp")
        #expect(try rules.tenant(stated: nil, namespace: "default") == nil)
        #expect(try rules.tenant(stated: "any", namespace: "default") == "any")
        #expect(throws: NamespaceRules.Violation.self) { try rules.tenant(stated: "other", namespace: "acme") }
        #expect(throws: NamespaceRules.Violation.self) { try rules.tenant(stated: nil, namespace: "elsewhere") }
    }

    @Test func platformRightsStayInPlatformNamespaces() throws {
        try rules.checkGrant(roles: ["admin"], scopes: ["admin:tokens:read"], namespace: "default")
        try rules.checkGrant(roles: ["editor"], scopes: ["tasks:read"], namespace: "acme")
        try rules.checkPlatform(false, namespace: "acme")
        for role in ["admin", "a2a-admin"] {
            #expect(throws: NamespaceRules.Violation.self) {
                try rules.checkGrant(roles: [role], scopes: [], namespace: "acme")
            }
        }
        #expect(throws: NamespaceRules.Violation.self) {
            try rules.checkGrant(roles: [], scopes: ["admin:tokens:read"], namespace: "acme")
        }
        #expect(throws: NamespaceRules.Violation.self) { try rules.checkPlatform(true, namespace: "acme") }
    }
}
