// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Testing

@testable internal import Authorization

@Suite struct HostTableTests {
    @Test(arguments: [
        ("API.Example.com:8443", "api.example.com"), ("*.Example.com", "*.example.com"), ("*", "*"),
        ("a.b/path", "a.b"),
        ("[::1]:80", "[::1]"), ("a.*.b", nil), ("*a.b", nil), ("", nil), ("/x", nil), ("a:0", nil), ("*.", nil),
        ("https://a.b", nil), ("*.[::1]", nil), ("**", nil),
    ])
    func normalisesEntries(_ entry: String, _ expected: String?) {
        let pattern = try? HostPattern.parse(entry).get()  // A fault is the claim where nil is expected.
        #expect(pattern?.text == expected)
    }

    @Test func theSmallestNameWinsAtEqualAge() {
        let now = Timestamp(seconds: 1)
        let table = HostTable([
            .init(key: "b/x", createdAt: now, hosts: ["h", "H:80", "bad host"]),
            .init(key: "a/x", createdAt: now, hosts: ["h"]),
        ])
        #expect(table.match("h")?.index == 1)
        #expect(table.conflicts == [.init(loser: "b/x", host: "h", winner: "a/x")])
        #expect(table.invalid.map(\.entry) == ["bad host"])
        #expect(table.match("other") == nil)
    }

    @Test func aBrokenWinnerKeepsItsHost() {
        let table = HostTable([
            .init(key: "a/old", createdAt: Timestamp(seconds: 1), hosts: ["h"], broken: true),
            .init(key: "a/new", createdAt: Timestamp(seconds: 2), hosts: ["h", "*"]),
        ])
        #expect(table.match("h")?.broken == true)
        #expect(table.match("x.y")?.rule == "*")
    }

    @Test func anEntryOfSomebodyElseIsNobodysAlsoWhereItIsHereToo() {
        let table = HostTable(
            [.init(key: "a/x", createdAt: Timestamp(seconds: 1), hosts: ["h", "i"])], elsewhere: ["H"])
        #expect(table.match("h") == nil)
        #expect(table.match("i")?.index == 0)
        #expect(table.conflicts.isEmpty)
    }
}
