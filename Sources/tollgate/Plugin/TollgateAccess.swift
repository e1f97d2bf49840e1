// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import Foundation
internal import KubernetesClient
internal import ResourceModel

/// How a command of the plugin speaks to the Tollgate of a cluster.
struct AccessOptions: ParsableArguments {
    @OptionGroup var cluster: ClusterOptions

    @Option(
        name: .customLong("token-secret"),
        help: "Secret of the install namespace whose key token is sent where no token is given.")
    var tokenSecret = "tollgate-admin-token"

    func validate() throws {
        guard PluginName.isName(tokenSecret) else { throw ValidationError("--token-secret: \(PluginName.expected)") }
    }
}

/// Finds out where Tollgate is and with which token it is called.
struct TollgateAccess: Sendable {
    static let forwardLimit = Duration.seconds(30)

    let options: AccessOptions
    let context: CommandContext

    /// Runs the body with options that name an address and a token.
    ///
    /// The token: that of the options, else `TOLLGATE_TOKEN`, else the one in the Secret. The address: that of the options, else
    /// `TOLLGATE_API_URL`, else a port that kubectl forwards to the Service.
    func with(_ client: ClientOptions, _ body: @Sendable (ClientOptions) async throws -> Void) async throws {
        let format = client.output ?? (context.outputIsTerminal ? .table : .json)
        var client = client
        let sources = SettingsSources(environment: context.environment)
        var reader = SettingsReader(sources)
        let address = client.apiURL ?? reader.optional(SettingsCatalog.apiURL)?.description
        let token = client.token ?? reader.optional(SettingsCatalog.token)
        if let problem = reader.problems.first {
            throw CommandFailure(.usage, problem.description, format: format)
        }
        client.apiURL = address
        client.token = token.map(ASCII.trimmed).flatMap { $0.isEmpty ? nil : $0 }
        if address != nil, client.token != nil { return try await body(client) }
        if client.token == nil, let address, let url = WebAddress(address), url.scheme != "https", !url.isLoopback {
            throw CommandFailure(
                .usage,
                "the token of a Secret is not sent to \(url) without TLS: name an https address, or give a token with TOLLGATE_TOKEN",
                format: format)
        }
        let hasToken = client.token != nil
        let found = try await ClusterSession.with(options.cluster, format: format, in: context) { session -> Found in
            var found = Found()
            if !hasToken { found.token = try await secretToken(session) }
            if address == nil { found.port = try await port(session) }
            return found
        }
        if let token = found.token { client.token = token.revealed }
        guard let service = found.port else { return try await body(client) }
        let complete = client
        let forward = PortForward(
            service: options.cluster.installName, namespace: options.cluster.installNamespace, port: service,
            selection: options.cluster.kubectlArguments(in: context), environment: context.environment)
        do {
            try await forward.with(limit: Self.forwardLimit, clock: SystemMonotonicClock()) { port in
                var reached = complete
                reached.apiURL = "http://127.0.0.1:\(port)"
                try await body(reached)
            }
        } catch let fault as PortForward.Fault {
            throw CommandFailure(
                .unavailable, "\(fault); name the address of Tollgate with --api-url", format: format)
        }
    }

    /// What the cluster says of its Tollgate.
    private struct Found: Sendable {
        var token: Redacted<String>?
        var port: Int?
    }

    private func secretToken(_ session: ClusterSession) async throws -> Redacted<String> {
        let reference = APIObjectReference(
            .secrets, namespace: options.cluster.installNamespace, name: options.tokenSecret)
        let mend = "give a token with TOLLGATE_TOKEN, or name the Secret with --token-secret and --install-namespace"
        let secret: JSONValue
        switch try await session.look(for: reference) {
        case .found(let object): secret = object
        case .missing: throw CommandFailure(.notFound, "there is no \(reference): \(mend)", format: session.format)
        case .forbidden:
            throw CommandFailure(.forbidden, "\(reference) may not be read: \(mend)", format: session.format)
        }
        let text = secret["data"]?["token"]?.stringValue.flatMap { Data(base64Encoded: $0) }
            .map { ASCII.trimmed(String(decoding: $0, as: UTF8.self)) }
        guard let text, !text.isEmpty else {
            throw CommandFailure(.otherFault, "\(reference) has no key token: \(mend)", format: session.format)
        }
        return Redacted(text)
    }

    /// The port of the Service under which the API is offered.
    private func port(_ session: ClusterSession) async throws -> Int {
        let services = APIResource(group: "", version: "v1", plural: "services", kind: "Service")
        let reference = APIObjectReference(
            services, namespace: options.cluster.installNamespace, name: options.cluster.installName)
        let service: JSONValue
        switch try await session.look(for: reference) {
        case .found(let object): service = object
        case .missing:
            throw CommandFailure(
                .notFound,
                "there is no \(reference): say where Tollgate is with --install-namespace and --install-name, or with --api-url",
                format: session.format)
        case .forbidden:
            throw CommandFailure(
                .forbidden, "\(reference) may not be read: name the address of Tollgate with --api-url",
                format: session.format)
        }
        let ports = service["spec"]?["ports"]?.arrayValue ?? []
        func port(_ name: String) -> Int? {
            ports.first { $0["name"]?.stringValue == name }?["port"]?.intValue.map { Int($0) }
        }
        if let port = port("http") { return port }
        guard port("https") != nil else {
            throw CommandFailure(
                .otherFault, "\(reference) has no port of name http: name the address of Tollgate with --api-url",
                format: session.format)
        }
        throw CommandFailure(
            .usage,
            "\(reference) speaks TLS, and its certificate is not for a forwarded port: name an address that it is for with --api-url https://…",
            format: session.format)
    }
}

/// `kubectl tollgate explain`
struct PluginExplainCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: ExplainCommand.configuration.abstract,
        discussion: ExplainCommand.configuration.discussion)

    @OptionGroup var explain: ExplainCommand
    @OptionGroup var access: AccessOptions

    func run(in context: CommandContext) async throws {
        let explain = explain
        try await TollgateAccess(options: access, context: context).with(explain.client) { client in
            var command = explain
            command.client = client
            try await command.run(in: context)
        }
    }
}

/// `kubectl tollgate audit`
struct PluginAuditCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: AuditQueryCommand.configuration.abstract)

    @OptionGroup var query: AuditQueryCommand
    @OptionGroup var access: AccessOptions

    func run(in context: CommandContext) async throws {
        let query = query
        try await TollgateAccess(options: access, context: context).with(query.client) { client in
            var command = query
            command.client = client
            try await command.run(in: context)
        }
    }
}
