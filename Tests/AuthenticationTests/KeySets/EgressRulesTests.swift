// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Testing

@Suite struct EgressRulesTests {
    private static let allow = ["internal.example", "10.1.0.0/16", "fd00::/8"]

    struct Row: Sendable, CustomStringConvertible {
        let url: String
        let settings: String
        let object: String
        var description: String { url }
    }

    /// `ok` = may be called, `ask` = only at a checked address, else the code of the fault.
    static let rows = [
        Row(url: "https://idp.example/keys", settings: "ok", object: "ask"),
        Row(url: "HTTPS://IDP.example:8443/keys?x=1", settings: "ok", object: "ask"),
        Row(url: "http://idp.example/keys", settings: "ask", object: "ask"),
        Row(url: "http://internal.example/keys", settings: "ok", object: "ok"),
        Row(url: "https://Internal.Example/keys", settings: "ok", object: "ok"),
        Row(url: "http://127.0.0.1:8080/keys", settings: "ok", object: "addressForbidden"),
        Row(url: "http://[::1]/keys", settings: "ok", object: "addressForbidden"),
        Row(url: "http://localhost/keys", settings: "ok", object: "addressForbidden"),
        Row(url: "https://localhost/keys", settings: "ok", object: "addressForbidden"),
        Row(url: "http://10.1.2.3/keys", settings: "ok", object: "ok"),
        Row(url: "https://10.2.2.3/keys", settings: "ok", object: "addressForbidden"),
        Row(url: "http://10.2.2.3/keys", settings: "plainTextForbidden", object: "plainTextForbidden"),
        Row(url: "http://93.184.216.34/", settings: "plainTextForbidden", object: "plainTextForbidden"),
        Row(url: "https://169.254.169.254/latest", settings: "ok", object: "addressForbidden"),
        Row(url: "https://[::ffff:10.9.0.1]/", settings: "ok", object: "addressForbidden"),
        Row(url: "https://[fd00::1]/", settings: "ok", object: "ok"),
        Row(url: "https://user@idp.example/", settings: "userInformation", object: "userInformation"),
        Row(url: "https://user:pass@idp.example/", settings: "userInformation", object: "userInformation"),
        Row(url: "https://idp.example\\@evil.example/", settings: "malformedURL", object: "malformedURL"),
        Row(url: "https://idp.example/#x", settings: "malformedURL", object: "malformedURL"),
        Row(url: "https:///keys", settings: "malformedURL", object: "malformedURL"),
        Row(url: "https://idp.example:0/", settings: "malformedURL", object: "malformedURL"),
        Row(url: "https://idp.example:99999/", settings: "malformedURL", object: "malformedURL"),
        Row(url: "https://idp example/", settings: "malformedURL", object: "malformedURL"),
        Row(url: "https://idp%2eexample/", settings: "malformedURL", object: "malformedURL"),
        Row(url: "https://ïdp.example/", settings: "malformedURL", object: "malformedURL"),
        Row(url: "file:///etc/passwd", settings: "malformedURL", object: "malformedURL"),
        Row(url: "idp.example", settings: "malformedURL", object: "malformedURL"),
    ]

    @Test(arguments: rows)
    func decidesWhatMayBeCalled(_ row: Row) throws {
        let rules = try EgressRules(allowing: Self.allow)
        func verdict(_ trust: EgressTrust) -> String {
            do {
                return try rules.check(row.url, trust: trust).demandsAddressCheck ? "ask" : "ok"
            } catch { return error.code.rawValue }
        }
        #expect(verdict(.settings) == row.settings)
        #expect(verdict(.object) == row.object)
    }

    @Test func checksTheAddressOfAnObjectsHost() throws {
        let rules = try EgressRules(allowing: Self.allow)
        let target = try rules.check("https://idp.example/", trust: .object)
        func permits(_ text: String) -> Bool { IPAddress(text).map { rules.permits($0, for: target) } ?? false }
        #expect(permits("93.184.216.34"))
        #expect(permits("10.1.0.9"))
        for address in ["10.2.0.1", "127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "::"] {
            #expect(!permits(address), "\(address)")
        }
        let plain = try rules.check("http://idp.example/", trust: .settings)
        #expect(!rules.permits(try #require(IPAddress("93.184.216.34")), for: plain))
        #expect(rules.permits(try #require(IPAddress("10.1.0.9")), for: plain))
    }

    @Test func demandsHTTPSWithoutAllowList() throws {
        let rules = try EgressRules()
        #expect(throws: EgressFault.self) { try rules.check("http://idp.example/", trust: .settings) }
    }

    @Test(arguments: ["https://x", "a b", "10.0.0.0/99", "x:80", "u@x", "x/y", ""])
    func refusesAllowEntriesThatAreNeither(_ entry: String) {
        #expect(throws: EgressFault.self) { try EgressRules(allowing: [entry]) }
    }
}
