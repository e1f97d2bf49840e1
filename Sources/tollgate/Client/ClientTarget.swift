// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// The options that every command has which speaks to a server.
struct ClientOptions: ParsableArguments {
    @Option(help: "Profile of cli.toml (TOLLGATE_PROFILE).")
    var profile: String?

    @Option(name: .customLong("api-url"), help: "Address of the server (TOLLGATE_API_URL).")
    var apiURL: String?

    @Option(help: "Token to send (TOLLGATE_TOKEN, which others on the machine cannot see).")
    var token: String?

    @Option(name: .shortAndLong, help: "table, json or yaml (default: table on a terminal, else json).")
    var output: OutputFormat?

    @Option(help: "Seconds that a call may take.")
    var timeout: Int = 30

    func validate() throws {
        guard (1...3600).contains(timeout) else { throw ValidationError("--timeout takes 1 to 3600 seconds") }
    }
}

/// Which server is called, as whom, and how its answers are shown.
struct ClientTarget: Sendable {
    var server: WebAddress
    var token: Redacted<String>?
    var format: OutputFormat
    var timeout: Duration
    /// A login near its end that can be renewed before the first call.
    var renewable: SavedLogin?
}

extension ClientTarget {
    /// Flag, else environment, else profile, else saved login, else `http://localhost:8080`; and as the very last credential, for a
    /// server on this machine, the admin token of its data directory.
    static func resolve(_ options: ClientOptions, in context: CommandContext) throws(CommandFailure) -> ClientTarget {
        let sources = SettingsSources(environment: context.environment)
        var reader = SettingsReader(sources)
        let environmentURL = reader.optional(SettingsCatalog.apiURL)
        let environmentToken = reader.optional(SettingsCatalog.token)
        let profileName = options.profile ?? reader.optional(SettingsCatalog.profile) ?? "default"
        let configDirectory = reader.optional(SettingsCatalog.configDirectory)
        let format = options.output
        if let problem = reader.problems.first {
            throw CommandFailure(.usage, problem.description, format: format ?? .table)
        }
        for note in reader.notes { context.warn(note.message) }
        let directory = ConfigDirectory(path: configDirectory, context: context)
        let isNamed = options.profile != nil || profileName != "default"
        let profile = try directory.profile(profileName, mustExist: isNamed)
        let login = try directory.savedLogin()
        var flagURL: WebAddress?
        if let text = options.apiURL {
            guard let address = WebAddress(text) else {
                throw CommandFailure(.usage, "--api-url: expected \(SettingsCatalog.apiURL.info.expected)")
            }
            flagURL = address
        }
        let server = flagURL ?? environmentURL ?? profile?.apiURL ?? login?.server ?? Self.standardServer
        guard let server else { throw CommandFailure(.otherFault, "no server") }
        var target = ClientTarget(
            server: server, token: nil,
            format: format ?? profile?.output ?? (context.outputIsTerminal ? .table : .json),
            timeout: .seconds(options.timeout), renewable: nil)
        let given = options.token ?? environmentToken
        if let given, !ASCII.trimmed(given).isEmpty {
            target.token = Redacted(ASCII.trimmed(given))
        } else if let token = profile?.serviceToken {
            target.token = token
        } else if let login, login.server == server, login.isUsable(at: context.clock.now()) {
            target.token = login.accessToken
            target.renewable = login.isNearItsEnd(at: context.clock.now()) ? login : nil
        } else {
            if let login, login.server == server { context.warn("the saved login has expired") }
            target.token = server.isLoopback ? adminToken(in: context) : nil
        }
        return target
    }

    private static let standardServer = WebAddress("http://localhost:8080")

    /// The admin token that a server on this machine made for itself.
    private static func adminToken(in context: CommandContext) -> Redacted<String>? {
        var reader = SettingsReader(SettingsSources(environment: context.environment))
        let directory =
            reader.optional(SettingsCatalog.dataDirectory)
            .map { TollgateSettings.absolute($0, environment: context.environment, host: context.host) }
            ?? DataDirectory.standard(environment: context.environment)
        // No such file, or none that this user may read: then there is no credential, and the server says so.
        guard let directory, let bytes = try? BoundedFile.read(directory + "/admin-token", limit: 4096) else {
            return nil
        }
        let text = ASCII.trimmed(String(decoding: bytes, as: UTF8.self))
        return text.isEmpty ? nil : Redacted(text)
    }
}
