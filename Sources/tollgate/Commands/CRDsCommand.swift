// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import ResourceModel

/// `tollgate crds`
struct CRDsCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "crds", abstract: "Print the CustomResourceDefinitions, or write them to files.")

    @Option(help: "Directory that gets a file for each.")
    var output: String?

    func run(in context: CommandContext) async throws {
        guard let output else {
            context.output.write(Array(CustomResourceDefinitions.yaml.utf8))
            return
        }
        let directory = TollgateSettings.absolute(output, environment: context.environment, host: context.host)
        do {
            try DurableFile.makeDirectory(directory, mode: 0o755)
            for kind in ResourceKind.own {
                let file = directory + "/" + CustomResourceDefinitions.fileName(kind)
                try DurableFile.write(Array(CustomResourceDefinitions.yaml(kind).utf8), to: file, mode: 0o644)
                context.output.line(file)
            }
        } catch {
            throw CommandFailure(.otherFault, "\(error)")
        }
    }
}
