// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Testing

@Suite struct DurableFileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "tollgate-\(UUID().uuidString)").path

    @Test func writesReadsAndRemoves() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try DurableFile.makeDirectory("\(folder)/a/b")
        let path = "\(folder)/a/b/file"
        #expect(try DurableFile.read(path) == nil)
        try DurableFile.write([1, 2, 3], to: path)
        try DurableFile.write([4], to: path)
        #expect(try DurableFile.read(path) == [4])
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/a/b") == ["file"])
        try DurableFile.remove(path)
        try DurableFile.remove(path)
        #expect(try DurableFile.read(path) == nil)
    }

    @Test func makesFilesPrivateAgain() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/a/file"
        try DurableFile.makeDirectory("\(folder)/a")
        try DurableFile.write([1], to: path, mode: 0o644)
        #expect(try DurableFile.makePrivate(path) == true)
        #expect(try DurableFile.makePrivate(path) == false)
        #expect(try DurableFile.makePrivate("\(folder)/none") == nil)
        for (place, mode) in [(path, 0o600), ("\(folder)/a", 0o700), (folder, 0o700)] {
            let found = try FileManager.default.attributesOfItem(atPath: place)[.posixPermissions] as? Int
            #expect(found == mode, "\(place)")
        }
    }

    @Test func replacesOnlyWhatIsStillAsItWas() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/file"
        try DurableFile.makeDirectory(folder)
        #expect(try DurableFile.replace([1], with: [2], at: path) == false)
        try DurableFile.write([1, 2], to: path, mode: 0o640)
        for other: [UInt8] in [[], [1], [2, 1], [1, 2, 3]] {
            #expect(try DurableFile.replace(other, with: [9], at: path) == false)
        }
        #expect(try DurableFile.read(path) == [1, 2])
        #expect(try DurableFile.replace([1, 2], with: [3], at: path))
        #expect(try DurableFile.read(path) == [3])
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o640)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
        #expect(throws: DurableFile.Failure(operation: "look at", path: "\(path)/x", errorNumber: ENOTDIR)) {
            try DurableFile.replace([3], with: [4], at: "\(path)/x")
        }
    }

    @Test func tellsWhetherAFileMayBeReplaced() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try DurableFile.makeDirectory("\(folder)/inner")
        try DurableFile.write([1], to: "\(folder)/file")
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "file")
        #expect(DurableFile.isReplaceable("\(folder)/file"))
        for name in ["link", "inner", "none"] { #expect(!DurableFile.isReplaceable("\(folder)/\(name)")) }
    }

    @Test func saysWhatIsWrong() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try DurableFile.makeDirectory(folder)
        try DurableFile.write([1, 2], to: "\(folder)/plain")
        #expect(
            throws: DurableFile.Failure(operation: "make the directory", path: "\(folder)/plain", errorNumber: ENOTDIR)
        ) {
            try DurableFile.makeDirectory("\(folder)/plain")
        }
        #expect(throws: DurableFile.Failure(operation: "read", path: "\(folder)/plain", errorNumber: EFBIG)) {
            try DurableFile.read("\(folder)/plain", limit: 1)
        }
    }
}
