// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import ManifestFiles

/// `tollgate validate`
struct ValidateCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check manifest files as the server would.",
        discussion: "Prints file:line: kind/namespace/name: field: message. Exit status: 0 valid, 1 not.")

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("File, directory or - for the standard input; may be repeated.", valueName: "FILE|DIR|-"))
    var files: [String]

    @Flag(help: "Also check what the objects refer to.")
    var strict = false

    func run(in context: CommandContext) async throws {
        let paths = files.filter { $0 != "-" }.map {
            HomeDirectory.expand($0, environment: context.environment)
        }
        var problems = paths.isEmpty ? [] : ManifestValidator.validate(paths: paths, strict: strict)
        if files.contains("-") {
            let input = ManifestValidator.Input(name: "-", bytes: try standardInput(context))
            problems += ManifestValidator.validate([input], strict: strict)
        }
        for problem in problems { context.output.line("\(problem)") }
        let errors = problems.filter { $0.severity == .error }.count
        guard errors > 0 else { return }
        throw CommandFailure(.otherFault, errors == 1 ? "1 problem" : "\(errors) problems")
    }

    private func standardInput(_ context: CommandContext) throws(CommandFailure) -> [UInt8] {
        do {
            return try context.input()
        } catch {
            throw CommandFailure(.otherFault, "cannot read the standard input: \(error)")
        }
    }
}
