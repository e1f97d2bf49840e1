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

/// Policy data as a ConfigMap among the manifests.
@Suite struct ManifestPolicySourceTests {
    private let folder: TemporaryDirectory
    private let directory: ManifestDirectory
    private let source = ManifestPolicySource(namespace: "default", name: "tollgate-policy")

    init() throws {
        folder = try TemporaryDirectory()
        directory = ManifestDirectory(paths: [folder.path], clock: ManualClock())
    }

    private func map(_ data: String, namespace: String = "default") -> String {
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tollgate-policy, namespace: \(namespace)}\n\(data)\n"
    }

    private func read() -> PolicyReading? {
        source.take(directory.load())
        return source.read()
    }

    private func problems() -> [String] {
        guard case .unreadable(let problems)? = read()?.content else { return [] }
        return problems.map(\.text)
    }

    @Test func isNotThereUntilItIs() throws {
        #expect(read() == nil)
        try folder.write(map("data: {}", namespace: "other"), to: "a.yaml")
        #expect(read() == nil)
        try folder.write(map("data: {}"), to: "b.yaml")
        #expect(read()?.content == .texts(PolicyTexts()))
        #expect(read()?.origin.location == "default/tollgate-policy")
        try FileManager.default.removeItem(atPath: folder.path("b.yaml"))
        #expect(read() == nil)
    }

    @Test func aMissingKeyIsTheBuiltInCopys() throws {
        let roles = try PolicyWorld.roles(with: "night")
        try folder.write(map("data: {data.json: '\(roles.replacing("'", with: "''"))'}"), to: "a.yaml")
        #expect(read()?.content == .texts(PolicyTexts(roles: Array(roles.utf8))))
        let world = try PolicyWorld([source])
        #expect(world.keeper.state.origin.kind == .configMap)
        #expect(world.keeper.state.policy.roles.isKnown("night"))
        #expect(world.keeper.state.policy.routes.rules.count > 300)
        try folder.write(map("binaryData: {routes.yaml: dmVyc2lvbjogMQpydWxlczogW10K}"), to: "a.yaml")
        #expect(read()?.content == .texts(PolicyTexts(routes: Array("version: 1\nrules: []\n".utf8))))
    }

    @Test func whatIsWrongWithItIsToldAndNothingElseCounts() throws {
        try folder.write(map("data: {data.json: '{}', roles.json: '{}'}"), to: "a.yaml")
        #expect(
            problems() == [
                "data.json: ConfigMap/default/tollgate-policy has the keys roles.json; it may have data.json and routes.yaml"
            ])
        try folder.write(map("data: {data.json: 7}"), to: "a.yaml")
        #expect(problems().first?.hasPrefix("data.json: ConfigMap/default/tollgate-policy: ") == true)
        try folder.write(map("data: {}"), to: "a.yaml")
        try folder.write(map("data: {}"), to: "b.yaml")
        #expect(problems().first?.contains("stands in several places: ") == true)
    }

    @Test func aFileThatCannotBeReadLeavesItAsItWas() throws {
        try folder.write(map("data: {}"), to: "a.yaml")
        let before = read()
        try folder.write("{", to: "a.yaml")
        #expect(read() == before && before != nil)
        try FileManager.default.removeItem(atPath: folder.path("a.yaml"))
        try folder.write("{", to: "b.yaml")
        #expect(read() == before)
        try FileManager.default.removeItem(atPath: folder.path("b.yaml"))
        #expect(read() == nil)
    }

    @Test func isReadOnly() async throws {
        try folder.write(map("data: {}"), to: "a.yaml")
        _ = read()
        let refusal = await (try PolicyWorld([source])).refusal(PolicyWorld.night())
        #expect(refusal?.code == .policyReadOnly)
        #expect(
            refusal?.message
                == "The policy data comes from ConfigMap default/tollgate-policy among the manifests: change it there")
        await #expect(throws: PolicyWriteFailure.self) { try await source.write(roles: [], over: PolicyTexts()) }
    }
}
