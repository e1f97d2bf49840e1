// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Foundation
internal import ManifestFiles
internal import Reconcilers
internal import RuntimeState
internal import TestSupport
internal import Testing

/// Policy data in files, as people and kubelets change them.
@Suite struct FolderPolicySourceTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        try folder.write(BuiltInPolicy.rolesJSON, to: "data.json")
        try folder.write(BuiltInPolicy.routesYAML, to: "routes.yaml")
    }

    private var source: FolderPolicySource { FolderPolicySource(folder: folder.path) }

    private func problems(_ world: PolicyWorld) -> [String] {
        world.keeper.state.lastError?.problems.map(\.text) ?? []
    }

    @Test func readsBothFiles() throws {
        #expect(source.read()?.content == .texts(.builtIn))
        #expect(source.read()?.origin == PolicyOrigin(kind: .files, location: folder.path))
    }

    @Test func halfAFileLeavesTheLastGoodInForceUntilItIsWhole() async throws {
        let world = try PolicyWorld([source])
        let good = world.revision
        let whole = try PolicyWorld.roles(with: "night")
        for length in [0, 1, 40, whole.utf8.count - 1] {
            try folder.write(String(whole.prefix(length)), to: "data.json")
            await world.keeper.refresh()
            #expect(world.revision == good)
            #expect(problems(world).first?.hasPrefix("data.json: line ") == true, "\(length)")
        }
        try folder.write(whole, to: "data.json")
        await world.keeper.refresh()
        #expect(world.keeper.state.policy.roles.isKnown("night") && problems(world).isEmpty)
    }

    @Test func filesThatGoAwayOrCannotBeReadLeaveTheLastGoodInForce() async throws {
        let world = try PolicyWorld([source])
        let good = world.revision
        try FileManager.default.removeItem(atPath: folder.path("data.json"))
        await world.keeper.refresh()
        #expect(problems(world) == ["data.json: there is no \(folder.path)/data.json"])
        // A folder in the place of a file is refused by the system whoever asks, unlike missing rights.
        _ = try folder.makeFolder("data.json")
        try FileManager.default.removeItem(atPath: folder.path("routes.yaml"))
        await world.keeper.refresh()
        #expect(
            problems(world) == [
                "data.json: cannot read \(folder.path)/data.json: Is a directory",
                "routes.yaml: there is no \(folder.path)/routes.yaml",
            ])
        #expect(world.revision == good)
        #expect(await world.refusal(PolicyWorld.night())?.code == .policyReadOnly)
    }

    @Test func oneMebibyteIsTheBound() async throws {
        let world = try PolicyWorld([source])
        try folder.write(BuiltInPolicy.rolesJSON + String(repeating: " ", count: 1 << 20), to: "data.json")
        await world.keeper.refresh()
        #expect(problems(world) == ["data.json: cannot read \(folder.path)/data.json: File too large"])
    }

    @Test func aMissingFileAtTheStartStopsIt() throws {
        try FileManager.default.removeItem(atPath: folder.path("routes.yaml"))
        let problem = PolicyProblem(.routes, "there is no \(folder.path)/routes.yaml")
        #expect(throws: PolicyDataError([problem])) { try PolicyWorld([source]) }
    }

    /// As kubelet mounts a ConfigMap: the names point through `..data`, which is swapped by a rename.
    private func mount(_ version: String, roles: String) throws {
        try folder.write(roles, to: "mount/..\(version)/data.json")
        try folder.write(BuiltInPolicy.routesYAML, to: "mount/..\(version)/routes.yaml")
        let manager = FileManager.default
        try manager.createSymbolicLink(atPath: folder.path("mount/..data_tmp"), withDestinationPath: "..\(version)")
        #expect(rename(folder.path("mount/..data_tmp"), folder.path("mount/..data")) == 0)
        for name in ["data.json", "routes.yaml"] where !manager.fileExists(atPath: folder.path("mount/\(name)")) {
            try manager.createSymbolicLink(
                atPath: folder.path("mount/\(name)"), withDestinationPath: "..data/\(name)")
        }
    }

    @Test func aMountThatIsSwappedIsFollowedAndReadOnly() async throws {
        try mount("v1", roles: BuiltInPolicy.rolesJSON)
        let path = folder.path("mount")
        let world = try PolicyWorld([FolderPolicySource(folder: path)])
        let keeper = world.keeper
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await FolderFollower.run(folders: [path]) { _ in
                    await keeper.refresh()
                    return [path]
                }
            }
            for version in 2...4 {
                try mount("v\(version)", roles: try PolicyWorld.roles(with: "night-\(version)"))
                try await Eventually.holds("the swapped mount to be in force") {
                    keeper.state.policy.roles.isKnown("night-\(version)")
                }
            }
            group.cancelAll()
        }
        let refusal = await world.refusal(PolicyWorld.night())
        #expect(refusal?.code == .policyReadOnly)
        #expect(
            refusal?.message
                == "The policy data comes from \(path), which this process cannot write: change data.json where it is kept"
        )
    }

    @Test func aFileWrittenInPlaceIsFollowed() async throws {
        let path = folder.path
        let world = try PolicyWorld([source])
        let keeper = world.keeper
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await FolderFollower.run(folders: [path]) { _ in
                    await keeper.refresh()
                    return [path]
                }
            }
            try folder.write("{", to: "data.json")
            try await Eventually.holds("the fault to be seen") { keeper.state.lastError != nil }
            try folder.write(try PolicyWorld.roles(with: "night"), to: "data.json")
            try await Eventually.holds("the mended file to be in force") {
                keeper.state.lastError == nil && keeper.state.policy.roles.isKnown("night")
            }
            group.cancelAll()
        }
    }

    @Test func aWriteKeepsTheModeAndLeavesNothingBeside() async throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.path("data.json"))
        let world = try PolicyWorld([source])
        let change = try await world.keeper.change(PolicyWorld.night(), onRevision: nil)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path("data.json"))
        #expect(attributes[.posixPermissions] as? Int == 0o644)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["data.json", "routes.yaml"])
        let again = try PolicyWorld([source])
        #expect(again.revision == change.state.revision)
    }

    /// A process that is killed between the temporary file and the rename leaves the old data and a file that nobody reads.
    @Test func aKilledWriteLeavesTheOldData() async throws {
        let good = try PolicyWorld([source]).revision
        try folder.write(try PolicyWorld.roles(with: "night"), to: "data.json.tmp-\(getpid())")
        try folder.write("{", to: "data.json.tmp-1")
        let world = try PolicyWorld([source])
        #expect(world.revision == good && world.keeper.state.lastError == nil)
        #expect(await world.refusal(PolicyWorld.night("late")) == nil)
        #expect(!world.keeper.state.policy.roles.isKnown("night"))
    }

    @Test func aWriteOverSomebodyElsesIsRefused() async throws {
        let texts = PolicyTexts.builtIn
        try folder.write(try PolicyWorld.roles(with: "other"), to: "data.json")
        let changed = PolicyWriteFailure(.changed, "the files in \(folder.path) were changed by somebody else")
        await #expect(throws: changed) { try await source.write(roles: [0x7B], over: texts) }
        try folder.write(BuiltInPolicy.rolesJSON, to: "data.json")
        try folder.write("version: 1", to: "routes.yaml")
        await #expect(throws: changed) { try await source.write(roles: [0x7B], over: texts) }
        try FileManager.default.removeItem(atPath: folder.path("data.json"))
        let failure = await #expect(throws: PolicyWriteFailure.self) {
            try await source.write(roles: [0x7B], over: texts)
        }
        #expect(failure?.code == .failed)
    }
}
