// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import TestSupport
internal import Testing

/// Which object holds a host, whatever the order in which the objects come.
@Suite struct HostSelectionTests {
    @Test func theOldestHoldsADisputedHostAndTheOthersSaySo() throws {
        let inputs = [
            try Manifests.authConfig("b", created: 10, "{hosts: [x.example.com, only-b.example.com]}"),
            try Manifests.authConfig("a", created: 10, "{hosts: [X.example.com:443]}"),
            try Manifests.authConfig("z", created: 5, "{hosts: [y.example.com, x.example.com]}"),
        ]
        let output = try Manifests.compiler().compile(inputs)
        #expect(output.holder("x.example.com") == "default/z")
        #expect(output.holder("only-b.example.com") == "default/b")
        let loser = try #require(output.status("b"))
        #expect(loser.shown("Conflicted") == "True HostTaken")
        #expect(loser.shown("Ready") == "False HostTaken")
        #expect(loser.conditions["Ready"]?.message == "x.example.com is held by default/z")
        #expect(loser.members["linked"] == "1/2")
        #expect(
            loser.members["hosts"] == [
                ["host": "x.example.com", "state": "conflicted", "heldBy": "default/z"],
                ["host": "only-b.example.com", "state": "linked", "heldBy": .null],
            ])
        // It clears by itself when the winner goes; then the name decides.
        let after = try Manifests.compiler().compile(Array(inputs.prefix(2)))
        #expect(after.holder("x.example.com") == "default/a")
        #expect(after.status("a")?.shown("Conflicted") == "-")
    }

    @Test func aBrokenWinnerKeepsItsHostsClosed() throws {
        let broken = "{hosts: [x.example.com], assertion: {enabled: true}}"
        let inputs = [
            try Manifests.authConfig("broken", created: 1, broken),
            try Manifests.authConfig("loser", created: 2, "{hosts: [x.example.com]}"),
            try Manifests.authConfig("wide", created: 0, "{hosts: ['*.example.com', '*']}"),
            try Manifests.authConfig("never", created: 1, "{hosts: [y.example.com], nonsense: 1}"),
        ]
        let output = try Manifests.compiler().compile(inputs)
        #expect(output.holder("x.example.com") == "default/broken!")
        #expect(output.holder("y.example.com") == "default/never!")
        #expect(output.holder("z.example.com") == "default/wide")
        #expect(output.status("loser")?.shown("Conflicted") == "True HostTaken")
        let reason = output.authConfigs.first { $0.key == "default/never" }?.brokenReason
        #expect(reason?.contains("nonsense") == true)
    }

    @Test func objectsThatMayNotBeThereHoldNothing() throws {
        let inputs = [
            try Manifests.authConfig("thief", namespace: "nowhere", created: 0, "{hosts: [x.example.com, '*']}"),
            try Manifests.authConfig(
                "other", namespace: "limited", created: 0, "{hosts: [x.example.com, a.limited.example, '*.example']}"),
            try Manifests.authConfig("owner", created: 9, "{hosts: [x.example.com]}"),
        ]
        let output = try Manifests.compiler().compile(inputs)
        #expect(output.holder("x.example.com") == "default/owner")
        #expect(output.holder("y.example.com") == "-")
        #expect(output.holder("a.limited.example") == "limited/other")
        #expect(output.status("owner")?.shown("Ready") == "True InForce")
        #expect(output.status("other", namespace: "limited")?.members["linked"] == "1/3")
        let states = output.status("thief", namespace: "nowhere")?.members["hosts"]?.arrayValue?.map { $0["state"] }
        #expect(states == ["notAllowed", "notAllowed"])
    }

    /// Random sets of objects in random order give the same hosts, conditions and members.
    @Test(arguments: 0..<40) func theOrderOfObjectsDoesNotMatter(_ seed: Int) throws {
        let random = SeededRandom(seed: UInt64(seed))
        let names = ["a.example.com", "b.example.com", "*.example.com", "*.x.example.com", "*", "c.x.example.com"]
        let inputs = try (0..<8).map { index in
            let hosts = (0...random.below(3)).map { _ in "'\(names[random.below(names.count)])'" }
            let extra = ["", ", assertion: {enabled: true}", ", nonsense: 1", ", mode: disabled"][random.below(4)]
            return try Manifests.authConfig(
                "o\(index)", namespace: ["default", "acme", "nowhere", "limited"][random.below(4)],
                created: Int64(random.below(3)), "{hosts: [\(hosts.joined(separator: ", "))]\(extra)}")
        }
        let compiler = try Manifests.compiler()
        let expected = compiler.compile(inputs)
        for _ in 0..<5 {
            var shuffled = inputs
            for index in shuffled.indices.reversed() { shuffled.swapAt(index, random.below(index + 1)) }
            let output = compiler.compile(shuffled)
            for host in [
                "a.example.com", "b.example.com", "d.example.com", "c.x.example.com", "q.x.example.com", "other",
            ] {
                #expect(output.holder(host) == expected.holder(host))
            }
            #expect(output.authConfigs.map(\.key) == expected.authConfigs.map(\.key))
            #expect(output.statuses.mapValues(Self.text) == expected.statuses.mapValues(Self.text))
        }
    }

    private static func text(_ status: ObjectStatus) -> String {
        let conditions = status.conditions.json(generation: 1, previous: nil, now: Manifests.start)
        return conditions.jsonText + JSONValue.object(status.members).jsonText
    }
}
