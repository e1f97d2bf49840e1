// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import ManifestFiles
internal import ResourceModel
internal import TestSupport
internal import Testing

/// A folder of its own for each test.
final class Folder {
    let path = NSTemporaryDirectory() + "manifests-" + UUID().uuidString
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
    }
    func directory(memory: [ObjectKey: ObjectMemory] = [:]) -> ManifestDirectory {
        ManifestDirectory(paths: [path], clock: ManualClock(), memory: memory)
    }
}

func config(_ name: String, _ spec: String) -> String {
    "apiVersion: tollgate.dev/v1alpha1\nkind: AuthConfig\nmetadata: {name: \(name)}\nspec: \(spec)\n"
}

@Suite struct ManifestDirectoryTests {
    @Test func countsGenerationsBySpec() throws {
        let folder = try Folder()
        let directory = folder.directory()
        try folder.write("a.yaml", config("a", "{hosts: [x]}"))
        #expect(directory.load().objects.first?.generation == 1)
        try folder.write("a.yaml", "# a comment\n" + config("a", "{hosts: [x], serviceTokens: true}"))
        #expect(directory.load().objects.first?.generation == 1)
        try folder.write("a.yaml", config("a", "{hosts: [x, z]}"))
        let object = try #require(directory.load().objects.first)
        #expect(object.generation == 2 && object.object?.metadata.generation == 2)
        #expect(object.key.namespace == "default" && object.creationTimestamp == ManualClock().now())
        #expect(folder.directory(memory: directory.memory()).load().objects.first?.generation == 2)
    }

    @Test func keepsTheLastGoodState() throws {
        let folder = try Folder()
        let directory = folder.directory()
        try folder.write("a.yaml", config("a", "{hosts: [x]}"))
        _ = directory.load()
        try folder.write("a.yaml", "a: [")
        let broken = directory.load()
        #expect(broken.objects.first?.isCurrent == true)
        #expect(broken.problems.count == 1)
        try folder.write("a.yaml", config("a", "{hosts: [x, z], mode: nothing}"))
        let refused = directory.load()
        #expect(refused.objects.first?.isCurrent == false)
        #expect(refused.objects.first?.object?.specDocument?["hosts"] == ["x"])
        #expect(refused.objects.first?.claimedHosts == ["x", "z"])
        #expect(refused.problems.first?.field == "spec.mode" && refused.problems.first?.line == 4)
        try FileManager.default.removeItem(atPath: folder.path + "/a.yaml")
        #expect(directory.load().objects.isEmpty)
    }

    @Test func refusesForbiddenChangesOfStoredObjects() throws {
        let folder = try Folder()
        let directory = folder.directory()
        let head = "apiVersion: tollgate.dev/v1alpha1\nkind: ServiceToken\nmetadata: {name: t}\nspec:\n  secretName: "
        try folder.write("t.yaml", head + "a\n")
        _ = directory.load()
        try folder.write("t.yaml", head + "b\n")
        for _ in 0..<2 {
            let load = directory.load()
            #expect(load.problems.map(\.field) == ["spec.secretName"])
            #expect(load.objects.first?.object?.specDocument?["secretName"] == "a")
        }
    }

    @Test func takesDuplicatesOutOfForceAndNamesBothPlaces() throws {
        let folder = try Folder()
        try folder.write("a.yaml", config("a", "{hosts: [x]}"))
        try folder.write(
            "b.json",
            #"{"apiVersion":"tollgate.dev/v1alpha1","kind":"AuthConfig","metadata":{"name":"a"},"spec":{"hosts":["x"]}}"#
        )
        try folder.write("c.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n")
        try folder.write("d.txt", "not: read: at all")
        let load = folder.directory().load()
        #expect(load.objects.isEmpty)
        #expect(load.duplicates.first?.sources.count == 2)
        #expect(load.problems.filter { $0.severity == .error }.count == 2)
        #expect(load.problems.filter { $0.severity == .warning }.map(\.field) == ["kind"])
    }

    @Test(.timeLimit(.minutes(10))) func tellsOfChangesAndVolumeSwaps() async throws {
        let folder = try Folder()
        let files = FileManager.default
        for version in ["1", "2"] {
            try files.createDirectory(atPath: folder.path + "/..v" + version, withIntermediateDirectories: true)
            try folder.write("..v\(version)/a.yaml", config("a", "{hosts: [x\(version)]}"))
        }
        try files.createSymbolicLink(atPath: folder.path + "/..data", withDestinationPath: "..v1")
        try files.createSymbolicLink(atPath: folder.path + "/a.yaml", withDestinationPath: "..data/a.yaml")
        let directory = folder.directory()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await directory.run() }
            var changes = directory.changes().makeAsyncIterator()
            await changes.next()
            #expect(directory.load().objects.first?.object?.specDocument?["hosts"] == ["x1"])
            try files.createSymbolicLink(atPath: folder.path + "/..tmp", withDestinationPath: "..v2")
            #expect(rename(folder.path + "/..tmp", folder.path + "/..data") == 0)
            await changes.next()
            #expect(directory.load().objects.first?.object?.specDocument?["hosts"] == ["x2"])
            group.cancelAll()
        }
    }

    @Test func loadsAThousandObjectsQuickly() throws {
        let folder = try Folder()
        let sample = try String(
            contentsOf: Repository.root.appending(path: "manifests/samples/20-acme-api.yaml"), encoding: .utf8)
        for index in 0..<1000 {
            try folder.write(
                "o\(index).yaml",
                sample.replacing("  name: api", with: "  name: api-\(index)").replacing(
                    "api.acme.example", with: "h\(index).example"))
        }
        let directory = folder.directory()
        let took = ContinuousClock().measure { #expect(directory.load().objects.count == 1000) }
        let again = ContinuousClock().measure { _ = directory.load() }
        #expect(took < .seconds(10), "first pass \(took), second \(again)")
        if ProcessInfo.processInfo.environment["TOLLGATE_FIGURES"] != nil {
            FileHandle.standardError.write(Data("1000 objects: first pass \(took), second \(again)\n".utf8))
        }
    }
}

@Suite struct SampleTests {
    @Test func samplesAreValidInStrictMode() {
        let problems = ManifestValidator.validate(
            paths: [Repository.root.appending(path: "manifests/samples").path], strict: true)
        #expect(problems.isEmpty, "\(problems.map(\.description))")
    }

    @Test func strictModeChecksReferences() {
        let text = config("a", "{hosts: [x], issuers: [{name: i, secretRef: {name: s, key: k}, audiences: [a]}]}")
        let input = ManifestValidator.Input(name: "f.yaml", bytes: Array(text.utf8))
        #expect(ManifestValidator.validate([input], strict: false).isEmpty)
        let problems = ManifestValidator.validate([input], strict: true)
        #expect(problems.map(\.field) == ["spec.issuers[0].secretRef.name"])
        #expect(
            problems.first?.description.hasPrefix("f.yaml:4: AuthConfig/default/a: spec.issuers[0].secretRef.name: ")
                == true)
        let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: x}\n"
        let both = ManifestValidator.Input(name: "f.yaml", bytes: Array((text + secret).utf8))
        #expect(ManifestValidator.validate([both], strict: true).map(\.severity) == [.warning])
    }
}
