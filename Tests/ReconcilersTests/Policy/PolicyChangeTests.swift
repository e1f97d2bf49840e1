// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import RuntimeState
internal import TestSupport
internal import Testing

/// Changes of roles, from what is read to what is written.
@Suite struct PolicyChangeTests {
    private let source = FakePolicySource()
    private let night = PolicyWorld.night()

    @Test func aChangeIsWrittenAndInForceAtOnce() async throws {
        let world = try PolicyWorld([source])
        let before = world.revision
        world.clock.advance(seconds: 5)
        let change = try await world.keeper.change(night, onRevision: [before])
        #expect(change.revisionBefore == before)
        #expect(change.before == nil && change.after?.inherits == "viewer")
        #expect(change.state.revision == world.revision && world.revision != before)
        #expect(change.state.loadedAt == world.clock.now())
        #expect(source.writes == 1)
        // What was written is what the next reading gives.
        await world.keeper.refresh()
        #expect(world.revision == change.state.revision && world.keeper.state.lastError == nil)
        #expect(world.keeper.state.policy.roles.permissions(ofRole: "night").contains("tasks:read"))
    }

    @Test func theSameChangeTwiceIsWrittenOnce() async throws {
        let world = try PolicyWorld([source])
        let first = try await world.keeper.change(night, onRevision: nil)
        world.clock.advance(seconds: 60)
        let second = try await world.keeper.change(night, onRevision: nil)
        #expect(source.writes == 1)
        #expect(second.after == first.after && second.before == first.after)
        #expect(second.state.revision == first.state.revision)
        #expect(second.state.loadedAt == first.state.loadedAt)
    }

    @Test func whatIsWrittenIsSortedAndIndented() async throws {
        let world = try PolicyWorld([source])
        _ = try await world.keeper.change(night, onRevision: nil)
        guard case .texts(let texts)? = source.read()?.content else { Issue.record("nothing was written"); return }
        let text = String(decoding: texts.roles ?? [], as: UTF8.self)
        #expect(text.hasPrefix("{\n  \"api_key_default_scopes\": [\n    \"tasks:read\",\n"))
        #expect(
            text.contains(
                "    \"night\": {\n      \"description\": \"Nights\",\n      \"inherits\": \"viewer\"\n    },\n"))
        #expect(text.hasSuffix("  }\n}\n"))
    }

    @Test func staleRevisionsAreRefused() async throws {
        let world = try PolicyWorld([source])
        let refusal = await world.refusal(night, onRevision: ["0000000000000000", "x"])
        #expect(refusal?.code == .policyStaleRevision && refusal?.status == 412)
        #expect(refusal?.message == "The policy data has changed since that revision")
        #expect(refusal?.details == ["revision": .string(world.revision)])
        #expect(source.writes == 0)
    }

    /// The revision is compared with what the source says now, not with what was read last.
    @Test func aRevisionThatSomebodyElseOvertookIsStale() async throws {
        let world = try PolicyWorld([source])
        let read = world.revision
        source.say(roles: try PolicyWorld.roles(with: "other"))
        #expect(await world.refusal(night, onRevision: [read])?.code == .policyStaleRevision)
        #expect(world.keeper.state.policy.roles.isKnown("other"))
        #expect(!world.keeper.state.policy.roles.isKnown("night"))
    }

    @Test func aChangeBetweenReadAndWriteIsNotOverwritten() async throws {
        let world = try PolicyWorld([source])
        source.intrude(try PolicyWorld.roles(with: "other"))
        _ = try await world.keeper.change(night, onRevision: nil)
        #expect(world.keeper.state.policy.roles.isKnown("other"))
        #expect(world.keeper.state.policy.roles.isKnown("night"))
        source.intrude(try PolicyWorld.roles(with: "third"))
        let refusal = await world.refusal(PolicyWorld.night("late"), onRevision: [world.revision])
        #expect(refusal?.code == .policyStaleRevision)
        source.fail(Array(repeating: PolicyWriteFailure(.changed, "changed"), count: 3))
        let restless = await world.refusal(PolicyWorld.night("last"))
        #expect(restless?.code == .policyStaleRevision)
    }

    @Test func aSourceThatCannotBeWrittenIsReadOnly() async throws {
        let builtIn = try PolicyWorld([])
        let refusal = await builtIn.refusal(night)
        #expect(refusal?.code == .policyReadOnly && refusal?.status == 409)
        #expect(refusal?.message.hasPrefix("The policy data is the built-in copy: ") == true)
        source.say(.builtIn, origin: PolicyOrigin(kind: .configMap, location: "a/b", readOnlyReason: "elsewhere"))
        #expect(await (try PolicyWorld([source])).refusal(night)?.message == "elsewhere")
        // What is not there is not there, wherever the data comes from.
        #expect(await builtIn.refusal(.delete("nobody"))?.code == .policyRoleNotFound)
        #expect(await builtIn.refusal(.delete("nobody"))?.message == "Role not found")
    }

    @Test func dataThatIsInvalidWhereItIsKeptIsNotWrittenOver() async throws {
        let world = try PolicyWorld([source])
        source.say(roles: "{")
        let refusal = await world.refusal(night)
        #expect(refusal?.code == .policyReadOnly)
        #expect(refusal?.message == "The policy data in /policy is invalid as it stands there: mend it first")
        #expect(refusal?.details?["problems"]?.arrayValue?.first?["document"] == "data.json")
        source.sayUnreadable("there is no x")
        #expect(await world.refusal(night)?.code == .policyReadOnly)
        #expect(source.writes == 0)
    }

    @Test func aFailedWriteChangesNothing() async throws {
        let world = try PolicyWorld([source])
        let before = world.revision
        source.fail([PolicyWriteFailure(.failed, "No space left on device")])
        let refusal = await world.refusal(night)
        #expect(refusal?.code == .policyUnavailable && refusal?.status == 503)
        #expect(refusal?.message == "The policy data cannot be stored: No space left on device")
        #expect(world.revision == before)
    }

    @Test(arguments: [
        (RoleEdit.delete("editor"), ErrorCode.policyRoleInUse),
        (.put("x", RoleDefinition(description: "d", permissions: ["a:b"])), .policyRolesInvalid),
        (.put("admin", RoleDefinition(description: "d", permissions: ["a:b"])), .policyLockout),
    ])
    func refusedEditsAreNotWritten(edit: RoleEdit, code: ErrorCode) async throws {
        let world = try PolicyWorld([source])
        let before = world.revision
        #expect(await world.refusal(edit)?.code == code)
        #expect(source.writes == 0 && world.revision == before)
    }

    @Test func writersComeOneAfterAnother() async throws {
        let world = try PolicyWorld([source])
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<24 {
                group.addTask {
                    #expect(await world.refusal(PolicyWorld.night("night-\(number)")) == nil)
                }
                group.addTask { await world.keeper.refresh() }
            }
        }
        #expect(!source.overlapped)
        #expect(source.writes == 24)
        for number in 0..<24 { #expect(world.keeper.state.policy.roles.isKnown("night-\(number)")) }
    }
}
