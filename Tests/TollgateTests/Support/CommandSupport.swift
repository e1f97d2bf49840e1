// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Synchronization
internal import TestSupport

@testable internal import tollgate

/// Keeps what a command writes.
final class CollectingOutput: Output {
    private let bytes = Mutex<[UInt8]>([])

    func write(_ bytes: [UInt8]) { self.bytes.withLock { $0 += bytes } }

    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
}

/// What a command left behind.
struct CommandRun: Sendable {
    let status: Int32
    let output: String
    let errors: String
}

/// A home directory of its own for the time of a test.
func withHome<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let home = FileManager.default.temporaryDirectory.appending(path: "tollgate-test-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    do {
        let result = try await body(home.path)
        try FileManager.default.removeItem(at: home)
        return result
    } catch {
        try FileManager.default.removeItem(at: home)
        throw error
    }
}

/// Runs one command line in a world of its own.
func run(
    _ arguments: [String], home: String = "/nonexistent", environment: [String: String] = [:], terminal: Bool = true,
    input: String = "", calledAs name: String = "tollgate"
) async -> CommandRun {
    let output = CollectingOutput()
    let errors = CollectingOutput()
    let clock = ManualClock()
    let context = CommandContext(
        environment: environment.merging(["HOME": home]) { first, _ in first }, input: { Array(input.utf8) },
        output: output, errors: errors,
        outputIsTerminal: terminal, clock: clock, random: SeededRandom(seed: 7),
        host: HostFacts(hostName: "Test.Host", workingDirectory: "/work-dir"),
        pause: { clock.advance(seconds: $0.wholeSeconds) })
    let status = await CommandLineTool(
        root: CommandLineTool.root(calledAs: name), context: context
    ).run(arguments)
    return CommandRun(status: status, output: output.text, errors: errors.text)
}

/// The permission bits of a path.
func mode(of path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
}

/// Writes a file with that mode, and its directory.
func put(_ text: String, at path: String, mode: Int = 0o600) throws {
    let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try Data(text.utf8).write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
}
