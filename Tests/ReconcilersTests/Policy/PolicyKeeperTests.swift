// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import MetricsTestKit
internal import RuntimeState
internal import Synchronization
internal import TestSupport
internal import Testing

/// Which data is in force, and what becomes of new data.
@Suite struct PolicyKeeperTests {
    private let first = FakePolicySource()
    private let second = FakePolicySource()

    @Test func theFirstSourceThatIsThereCounts() async throws {
        second.say(roles: try PolicyWorld.roles(with: "second"))
        let world = try PolicyWorld([first, second])
        #expect(world.keeper.state.origin.kind == .files)
        #expect(!world.keeper.state.policy.roles.isKnown("second"))
        first.say(nil)
        await world.keeper.refresh()
        #expect(world.keeper.state.policy.roles.isKnown("second"))
        second.say(nil)
        await world.keeper.refresh()
        #expect(world.keeper.state.origin.kind == .builtIn)
        #expect(!world.keeper.state.origin.isWritable)
        #expect(world.keeper.state.lastError == nil)
    }

    @Test func newDataIsInForceInThePresentSnapshotAndInEveryLaterOne() async throws {
        let world = try PolicyWorld([first])
        let old = world.keeper.state.policy
        _ = world.snapshots.publish { _ in Snapshots.empty(policy: old, generation: 1) }
        first.say(roles: try PolicyWorld.roles(with: "night"))
        world.clock.advance(seconds: 60)
        await world.keeper.refresh()
        #expect(world.snapshots.current()?.policy === world.keeper.state.policy)
        #expect(world.snapshots.current()?.policy.roles.isKnown("night") == true)
        #expect(world.keeper.state.loadedAt == world.clock.now())
        // A controller that still holds what it was given at the start takes nothing back.
        let next = world.snapshots.publish { Snapshots.empty(policy: old, generation: $0) }
        #expect(next.policy === world.keeper.state.policy)
    }

    @Test func badDataLeavesTheLastGoodInForce() async throws {
        let world = try PolicyWorld([first])
        let good = world.revision
        first.say(roles: #"{"roles": {"viewer": {"inherits": "none"}, "X": {}}}"#, routes: "{version: 2, rules: []}")
        world.clock.advance(seconds: 10)
        await world.keeper.refresh()
        await world.keeper.refresh()
        let state = world.keeper.state
        #expect(state.revision == good)
        #expect(
            state.lastError?.problems.map(\.text) == [
                "data.json: role X: bad_name", "data.json: role X: empty", "data.json: role viewer: unknown_parent",
                "routes.yaml: version: must be 1",
            ])
        #expect(state.lastError?.at == world.clock.now())
        #expect(state.condition.reason == "InvalidPolicy" && !state.condition.isTrue)
        #expect(state.condition.message.contains("role X: bad_name; data.json: role X: empty"))
        #expect(try world.metrics.expectCounter("tollgate_policy_load_failures_total").totalValue == 1)
        first.say(.builtIn)
        await world.keeper.refresh()
        #expect(world.keeper.state.lastError == nil && world.revision == good)
        #expect(world.keeper.state.condition.reason == "Loaded")
    }

    @Test func theSameDataInOtherWordsIsNoNewRevision() async throws {
        let world = try PolicyWorld([first])
        let before = world.keeper.state
        world.clock.advance(seconds: 5)
        first.say(roles: BuiltInPolicy.rolesJSON + "\n\n", routes: "# a comment\n" + BuiltInPolicy.routesYAML)
        await world.keeper.refresh()
        #expect(world.keeper.state.policy === before.policy)
        #expect(world.keeper.state.loadedAt == before.loadedAt)
    }

    @Test func badDataAtTheStartStopsIt() {
        first.say(roles: #"{"roles": {}}"#, routes: "7")
        let error = #expect(throws: PolicyDataError.self) { try PolicyWorld([first]) }
        #expect(error?.code == .invalid)
        #expect(
            error?.problems.map(\.text) == [
                "data.json: role editor: DEFAULT_USER_ROLE names the role, which the data does not have",
                "data.json: role editor: DEFAULT_KEYCLOAK_TENANT_ROLE names the role, which the data does not have",
                "routes.yaml: rules: must be a list",
            ])
        second.sayUnreadable("there is no x")
        #expect(throws: PolicyDataError([PolicyProblem(.roles, "there is no x")])) { try PolicyWorld([second]) }
    }

    @Test func unreachableRoutesAreNamedAndInForce() async throws {
        first.say(
            roles: BuiltInPolicy.rolesJSON,
            routes: """
                version: 1
                rules:
                  - {methods: [GET], path: "/a/**", permission: "tasks:read"}
                  - {methods: [GET], path: "/a/b", permission: "tasks:write"}
                """)
        let world = try PolicyWorld([first])
        let condition = world.keeper.state.condition
        #expect(condition.isTrue && condition.reason == "UnreachableRoutes")
        #expect(condition.message == "rule 2 (GET /a/b) can never match: rule 1 (GET /a/**) covers it")
    }

    @Test func oneInfoSeriesNamesWhatIsInForce() async throws {
        let world = try PolicyWorld([first])
        let before = world.revision
        first.say(roles: try PolicyWorld.roles(with: "night"))
        await world.keeper.refresh()
        let series = world.metrics.recorders.filter { $0.label == "tollgate_policy_info" }
        #expect(series.count == 1, "\(before) is gone")
        #expect(series.first?.dimensions.map(\.1) == [world.revision, "files"])
        #expect(series.first?.lastValue == 1)
    }

    @Test func observersHearOfReloadsAndNotOfTheirOwnChanges() async throws {
        let world = try PolicyWorld([first])
        let heard = Mutex<[String]>([])
        world.keeper.observe { before, after in heard.withLock { $0 += [before.revision, after.revision] } }
        let old = world.revision
        first.say(roles: try PolicyWorld.roles(with: "night"))
        await world.keeper.refresh()
        _ = try await world.keeper.change(PolicyWorld.night("late"), onRevision: nil)
        #expect(heard.withLock { $0 }.first == old)
        #expect(heard.withLock { $0 }.count == 2)
    }

    @Test func checkingDocumentsStoresNothing() throws {
        let world = try PolicyWorld([first])
        let before = world.revision
        #expect(world.keeper.problems(roles: nil, routes: nil).isEmpty)
        #expect(world.keeper.problems(roles: ["roles": [:]], routes: nil).count == 2)
        #expect(world.keeper.problems(roles: nil, routes: 7).map(\.text) == ["routes.yaml: rules: must be a list"])
        #expect(world.revision == before)
    }

    /// Readers never see roles of one version with routes of another.
    @Test func readersSeeTheOldOrTheNewAndNeverAMixture() async throws {
        func say(_ version: Int) {
            first.say(
                roles: #"{"roles": {"editor": {"permissions": ["v\#(version):read"]}}}"#,
                routes: "{version: 1, rules: [{methods: [GET], path: /v, permission: 'v\(version):read'}]}")
        }
        say(0)
        let world = try PolicyWorld([first])
        let snapshots = world.snapshots
        _ = snapshots.publish { Snapshots.empty(policy: world.keeper.state.policy, generation: $0) }
        let path = try CanonicalPath.parse("/v").get()
        let mixed = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var mixed = 0
                    var last: UInt64 = 0
                    while !Task.isCancelled {
                        guard let snapshot = snapshots.current() else { continue }
                        let permission = snapshot.policy.match(method: "GET", path: path)?.rule.permission ?? ""
                        if !snapshot.policy.roles.permissions.contains(permission) || snapshot.generation < last {
                            mixed += 1
                        }
                        last = snapshot.generation
                        await Task.yield()
                    }
                    return mixed
                }
            }
            for version in 1...200 {
                say(version)
                await world.keeper.refresh()
            }
            group.cancelAll()
            return await group.reduce(0, +)
        }
        #expect(mixed == 0)
        #expect(snapshots.current()?.policy.roles.permissions == ["v200:read"])
    }
}
