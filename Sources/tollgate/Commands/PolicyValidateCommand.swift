// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import ManifestFiles

/// `tollgate policy validate`
struct PolicyValidateCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Ask the server whether it would take policy data; nothing is stored.",
        discussion: "Takes data.json, routes.yaml, or a directory with both. Exit status: 0 valid, 1 not.")

    @Argument(help: ArgumentHelp("The file or directory.", valueName: "FILE|DIR"))
    var file: String

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let document = try document(HomeDirectory.expand(file, environment: context.environment))
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.post, PolicyOutput.path + "/validate", body: .object(document))
        }
        let body = answer.body ?? .null
        let problems = body["problems"]?.arrayValue ?? []
        if target.format == .table {
            for problem in problems { context.output.line(PolicyOutput.text(ofProblem: problem)) }
            if problems.isEmpty { context.output.line("valid") }
        } else {
            context.output.line(target.format.text(of: body))
        }
        guard body["valid"] != true else { return }
        throw CommandFailure(
            .otherFault, problems.count == 1 ? "1 problem" : "\(problems.count) problems", format: target.format)
    }

    /// What is sent: the members of `data.json`, and the route table as `routes`.
    private func document(_ path: String) throws(CommandFailure) -> JSONObject {
        guard DurableFile.exists(path + "/data.json") || DurableFile.exists(path + "/routes.yaml") else {
            let object = try read(path)
            return object["rules"] == nil ? object : ["routes": .object(object)]
        }
        var document = try read(path + "/data.json")
        document["routes"] = .object(try read(path + "/routes.yaml"))
        return document
    }

    private func read(_ path: String) throws(CommandFailure) -> JSONObject {
        let bytes: [UInt8]
        do throws(FileFault) {
            bytes = try BoundedFile.read(path)
        } catch {
            throw CommandFailure(.otherFault, "cannot read \(path): \(error)")
        }
        do throws(YAMLFault) {
            let documents = try YAMLReader.parse(bytes)
            if documents.count == 1, let object = documents[0].value.objectValue { return object }
        } catch {
            throw CommandFailure(.otherFault, "\(path): \(error)")
        }
        throw CommandFailure(.otherFault, "\(path): must hold one document, an object")
    }
}
