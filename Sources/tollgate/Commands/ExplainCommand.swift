// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate explain`
struct ExplainCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show how a request would be decided, step by step, and what to change so that it passes.",
        discussion: """
            Nothing is counted or charged. The caller needs admin:access. Without --as its own credential is judged.

            Exit status: 0 the request would be allowed, 3 it would be 401, 4 it would be 402 or 403, 7 it would be 429, \
            8 it cannot be decided (503) or there is no connection, 1 it would be refused otherwise. When the server refuses \
            to explain, its own status counts, as for every command, and nothing is written to the standard output.
            """)

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "Whose request it is: anonymous, - (a credential on the standard input) or @FILE (a credential in a file).",
            valueName: "anonymous|-|@FILE"))
    var whose: String?

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp("Header of the request; may be repeated. No credentials.", valueName: "'Name: value'"))
    var headers: [String] = []

    @Option(name: .customLong("source-ip"), help: "Address of the client.")
    var sourceIP: String?

    @Option(name: .customLong("resource-type"), help: "Type of the resource, as the gateway says it.")
    var resourceType: String?

    @Option(name: .customLong("resource-id"), help: "Id of the resource.")
    var resourceID: String?

    @Option(name: .customLong("resource-tenant"), help: "Tenant of the resource.")
    var resourceTenant: String?

    @Option(name: .customLong("resource-owner"), help: "Owner of the resource.")
    var resourceOwner: String?

    @Option(name: .customLong("resource-project"), help: "Project of the resource.")
    var resourceProject: String?

    @Argument(help: "Method, such as GET.")
    var method: String

    @Argument(help: "Address, such as https://api.example.com/v1/reports/7.")
    var url: String

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let request = try request(target, in: context)
        let (status, bytes) = try await APIClient.with(target, in: context) {
            try await $0.exchange(.post, "/v1/decisions/explain", body: request.json)
        }
        // An answer that explains is one, also where nothing could be decided; everything else is a failure of the call.
        guard let body = try? JSONParser.parse(bytes), body["explain"]?.objectValue != nil,
            let judged = body["status"]?.intValue
        else { throw APIClient.failure(status: status, bytes: bytes, target: target) }
        switch target.format {
        case .table:
            let shown = "\(request.method) \(request.address.scheme)://\(request.address.host)\(request.address.target)"
            context.output.line(
                ExplainOutput(body: body, request: shown, isPlain: !context.outputIsTerminal).text)
        case let format: context.output.line(format.text(of: body))
        }
        let exit = ExplainOutput.exit(status: Int(judged))
        guard exit == .done else { throw ExitCode(exit.rawValue) }
    }

    private func request(_ target: ClientTarget, in context: CommandContext) throws(CommandFailure) -> ExplainRequest {
        let address: RequestAddress
        do throws(RequestAddress.Fault) {
            address = try RequestAddress(url)
        } catch {
            throw CommandFailure(.usage, error.message, format: target.format)
        }
        var request = ExplainRequest(method: method, address: address)
        do throws(RequestHeader.Fault) {
            for header in headers { request.headers.append(try RequestHeader(header)) }
        } catch {
            throw CommandFailure(.usage, error.message, format: target.format)
        }
        request.sourceIP = sourceIP
        let attributes = [
            ("type", resourceType), ("id", resourceID), ("tenant", resourceTenant), ("owner", resourceOwner),
            ("project", resourceProject),
        ]
        request.resource = attributes.compactMap { name, value in value.map { (name, $0) } }
        request.credential = try credential(target, in: context)
        return request
    }

    /// The credential that is judged. What it says is never shown, not even in a complaint about it.
    private func credential(
        _ target: ClientTarget, in context: CommandContext
    ) throws(CommandFailure) -> Redacted<String>? {
        guard let whose else { return target.token }
        if whose == "anonymous" { return nil }
        let bytes: [UInt8]
        if whose == "-" {
            do {
                bytes = try context.input()
            } catch {
                throw CommandFailure(.otherFault, "cannot read the standard input: \(error)", format: target.format)
            }
        } else if whose.hasPrefix("@"), whose != "@" {
            let path = HomeDirectory.expand(String(whose.dropFirst()), environment: context.environment)
            do throws(FileFault) {
                bytes = try BoundedFile.read(path, limit: Self.maximumCredentialBytes)
            } catch {
                throw CommandFailure(
                    .otherFault, "cannot read the credential from \(path): \(error)", format: target.format)
            }
        } else {
            throw CommandFailure(
                .usage, "--as takes anonymous, - or @FILE: a credential is never an argument", format: target.format)
        }
        let text = ASCII.trimmed(String(decoding: bytes, as: UTF8.self))
        guard !text.isEmpty else {
            throw CommandFailure(.usage, "--as: there is no credential in it", format: target.format)
        }
        return Redacted(text)
    }

    /// Far more than any credential, and less than a body may have.
    private static let maximumCredentialBytes = 64 << 10
}
