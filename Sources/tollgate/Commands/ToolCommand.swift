// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import ToolTrust

/// `tollgate tool …`
struct ToolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tool", abstract: "Make keys for tool manifests, sign manifests, verify them.",
        subcommands: [ToolKeygenCommand.self, ToolSignCommand.self, ToolVerifyCommand.self])
}

/// Files of the `tool` commands.
enum ToolFiles {
    /// The whole of a file.
    static func read(
        _ path: String, limit: Int = 1 << 20, in context: CommandContext
    ) throws(CommandFailure) -> [UInt8] {
        let place = TollgateSettings.absolute(path, environment: context.environment, host: context.host)
        do {
            guard let bytes = try DurableFile.read(place, limit: limit) else {
                throw CommandFailure(.otherFault, "there is no file \(place)")
            }
            return bytes
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.otherFault, "\(error)")
        }
    }

    /// The SHA-256 of an executable.
    static func sha256(_ path: String, in context: CommandContext) throws(CommandFailure) -> String {
        let place = TollgateSettings.absolute(path, environment: context.environment, host: context.host)
        do {
            return try ExecutableFile.sha256(of: place)
        } catch {
            throw CommandFailure(.otherFault, "\(error)")
        }
    }

    /// What this place's settings allow tools.
    static func rules(in context: CommandContext) throws(SettingsError) -> ToolRules {
        let environment = context.environment
        var reader = SettingsReader(SettingsSources(environment: environment))
        let data = TollgateSettings.dataDirectory(&reader, environment: environment, host: context.host)
        let tools = TollgateSettings.tools(
            &reader, dataDirectory: data, environment: environment, host: context.host)
        let needed = reader.problems.filter { $0.setting.hasPrefix("TOLLGATE_TOOLS_") }
        guard needed.isEmpty else { throw SettingsError(problems: needed) }
        return tools.rules
    }

    /// A refusal as a command shows it.
    static func failure(_ refusal: Refusal) -> CommandFailure {
        CommandFailure(.otherFault, "\(refusal.code.rawValue): \(refusal.message)")
    }
}
