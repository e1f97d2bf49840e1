// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The world of a command: everything that it reads or writes beside its arguments, so that a test can give another one.
struct CommandContext: Sendable {
    /// The environment of the process.
    var environment: [String: String]
    /// Reads the whole standard input.
    var input: @Sendable () throws -> [UInt8]
    var output: any Output
    var errors: any Output
    /// Whether a person reads the output.
    var outputIsTerminal: Bool
    var clock: any WallClock
    var random: any RandomSource
    var host: HostFacts
    /// Waits before something is tried again.
    var pause: @Sendable (Duration) async throws -> Void

    /// The world of this process.
    static var process: CommandContext {
        CommandContext(
            environment: ProcessFacts.environment, input: { try BoundedFile.readStandardInput() },
            output: DescriptorOutput.standardOutput,
            errors: DescriptorOutput.standardError, outputIsTerminal: DescriptorOutput.standardOutput.isTerminal,
            clock: SystemWallClock(), random: SystemRandomSource(),
            host: HostFacts(hostName: ProcessFacts.hostName, workingDirectory: ProcessFacts.workingDirectory),
            pause: { try await Task.sleep(for: $0) })
    }

    /// Says something beside the result.
    func warn(_ text: String) { errors.line("warning: " + text) }
}

/// A command that runs in a given world.
protocol ContextualCommand: AsyncParsableCommand {
    /// Does its work; a `CommandFailure` says why it could not.
    mutating func run(in context: CommandContext) async throws
}

extension ContextualCommand {
    mutating func run() async throws { try await run(in: .process) }
}

/// What the system tells about this process.
private enum ProcessFacts {
    static var environment: [String: String] {
        var result: [String: String] = [:]
        var pointer = environ
        while let entry = pointer.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                result[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            pointer += 1
        }
        return result
    }

    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static var workingDirectory: String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }
}
