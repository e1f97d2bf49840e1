// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// Parses arguments, runs the command and gives the exit status.
struct CommandLineTool: Sendable {
    /// `tollgate`, or the plugin of kubectl.
    var root: any ParsableCommand.Type = Tollgate.self
    let context: CommandContext

    /// Runs one command line, without the program's name.
    func run(_ arguments: [String]) async -> Int32 {
        do {
            var command = try root.parseAsRoot(arguments)
            if var contextual = command as? any ContextualCommand {
                try await contextual.run(in: context)
            } else {
                try command.run()
            }
            return ExitStatus.done.rawValue
        } catch let failure as CommandFailure {
            context.errors.line(failure.shown)
            return failure.exit.rawValue
        } catch let error as SettingsError {
            context.errors.line(error.description)
            return ExitStatus.usage.rawValue
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            return end(error)
        }
    }

    /// Help, version, a usage error, or something that broke.
    private func end(_ error: any Error) -> Int32 {
        let code = root.exitCode(for: error)
        let message = root.fullMessage(for: error)
        if code == .success {
            context.output.line(message)
            return ExitStatus.done.rawValue
        }
        context.errors.line(message)
        return (code == .validationFailure ? ExitStatus.usage : .otherFault).rawValue
    }
}
