// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

@Suite struct ExecutableFileTests {
    private static let hello = "bfdeaeb08cffb6a36438bcd12dda25417e3cdd36f1e7e482a2849d539225288b"

    @Test func findsAFileAndRefusesLinksAndLooseModes() throws {
        let folder = try TemporaryDirectory()
        let root = folder.path("tools")
        #expect(ExecutableFile.look(at: "hello/1.0.0", below: root) == .missing)
        _ = try folder.makeFolder("tools/hello")
        #expect(ExecutableFile.look(at: "hello/1.0.0", below: root) == .missing)
        try folder.write("#!/bin/sh\necho hello\n", to: "tools/hello/1.0.0")
        let path = folder.path("tools/hello/1.0.0")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let first = ExecutableFile.look(at: "hello/1.0.0", below: root)
        guard case .found(let sha256, _) = first else {
            Issue.record("\(first)")
            return
        }
        #expect(sha256 == Self.hello)
        #expect(ExecutableFile.look(at: "hello/1.0.0", below: root, known: first) == first)
        #expect(try ExecutableFile.sha256(of: path) == Self.hello)
        try FileManager.default.setAttributes([.posixPermissions: 0o775], ofItemAtPath: path)
        #expect(isUnfit(ExecutableFile.look(at: "hello/1.0.0", below: root)))
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("tools/linked"), withDestinationPath: folder.path("tools/hello"))
        for path in ["linked/1.0.0", "linked", "hello", "../tools/hello/1.0.0", "/hello/1.0.0", "hello//1.0.0", ""] {
            #expect(isUnfit(ExecutableFile.look(at: path, below: root)), "\(path)")
        }
    }

    private func isUnfit(_ finding: ExecutableFile.Finding) -> Bool {
        if case .unfit = finding { return true }
        return false
    }

    @Test func aNewFileNeverReplacesAnother() throws {
        let folder = try TemporaryDirectory()
        try DurableFile.create([1], at: folder.path("a"), mode: 0o600)
        let failure = #expect(throws: DurableFile.Failure.self) {
            try DurableFile.create([2], at: folder.path("a"), mode: 0o600)
        }
        #expect(failure?.errorNumber == 17)
        #expect(try DurableFile.read(folder.path("a")) == [1])
    }
}
