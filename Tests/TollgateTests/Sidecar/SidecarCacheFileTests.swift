// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct SidecarCacheFileTests {
    private static let now = Timestamp(seconds: 1_800_000_000)
    private static let bytes = Array("{\"a\":1}\n{}".utf8)

    private static func file(_ folder: TemporaryDirectory, upstream: String = "https://up", names: [String] = ["a/b"])
        -> SidecarCacheFile
    {
        SidecarCacheFile(path: folder.path("deep/cache"), upstream: upstream, authConfigs: names)
    }

    @Test func givesBackWhatItKept() throws {
        let folder = try TemporaryDirectory()
        let file = Self.file(folder)
        #expect(try file.load(now: Self.now) == nil)
        try file.save(Self.bytes, entityTag: "\"t\"", at: Self.now)
        #expect(try mode(of: file.path) == 0o600)
        let later = Self.now.adding(seconds: 3600)
        var kept = try #require(try file.load(now: later))
        #expect(kept.bytes == Self.bytes && kept.entityTag == "\"t\"" && kept.heardAt == Self.now)
        try file.heard(of: "\"t\"", at: Self.now.adding(seconds: 60))
        #expect(try mode(of: file.path + ".heard") == 0o600)
        kept = try #require(try file.load(now: later))
        #expect(kept.heardAt == Self.now.adding(seconds: 60))
        // A note about another document says nothing, nor does one from a time to come.
        try file.heard(of: "\"other\"", at: Self.now.adding(seconds: 90))
        #expect(try file.load(now: later)?.heardAt == Self.now)
        try file.heard(of: "\"t\"", at: later.adding(seconds: 9))
        #expect(try file.load(now: later)?.heardAt == later)
        try file.remove()
        #expect(try file.load(now: later) == nil)
        try file.remove()
    }

    @Test func believesNothingThatIsNotItsOwn() throws {
        let folder = try TemporaryDirectory()
        try Self.file(folder).save(Self.bytes, entityTag: "\"t\"", at: Self.now)
        for other in [Self.file(folder, upstream: "https://else"), Self.file(folder, names: ["a/c"])] {
            #expect(throws: SidecarCacheFile.Distrust.self) { try other.load(now: Self.now) }
        }
    }

    @Test func believesNothingThatOthersMayHaveWritten() throws {
        let folder = try TemporaryDirectory()
        let file = Self.file(folder)
        try file.save(Self.bytes, entityTag: "\"t\"", at: Self.now)
        try FileManager.default.setAttributes([.posixPermissions: 0o660], ofItemAtPath: file.path)
        #expect(try file.load(now: Self.now) != nil)
        #expect(try mode(of: file.path) == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o602], ofItemAtPath: file.path)
        #expect(throws: SidecarCacheFile.Distrust.self) { try file.load(now: Self.now) }
    }

    @Test func believesNothingDamaged() throws {
        let folder = try TemporaryDirectory()
        let file = Self.file(folder)
        try file.save(Self.bytes, entityTag: "\"t\"", at: Self.now)
        let good = Array(try Data(contentsOf: URL(filePath: file.path)))
        let random = SeededRandom(seed: 5)
        for _ in 0..<FuzzCases.count(200) {
            var bad = good
            switch random.below(3) {
            case 0: bad[random.below(bad.count)] ^= UInt8(1 + random.below(255))
            case 1: bad.removeLast(1 + random.below(bad.count))
            default: bad.insert(UInt8(random.below(256)), at: random.below(bad.count))
            }
            try Data(bad).write(to: URL(filePath: file.path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            // Whatever is given back is the document as it was.
            if let kept = try? file.load(now: Self.now) { #expect(kept.bytes == Self.bytes) }
        }
    }
}
