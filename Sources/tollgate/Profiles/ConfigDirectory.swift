// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TOMLKit

/// One profile of `cli.toml`.
struct ClientProfile: Sendable {
    var apiURL: WebAddress?
    var serviceToken: Redacted<String>?
    var output: OutputFormat?
}

/// The directory of the command line's own files: `cli.toml` and `credentials.json`.
struct ConfigDirectory: Sendable {
    /// Absolute; empty when the environment names no home.
    let path: String
    private let home: String?
    private let context: CommandContext

    /// That directory, else the one of the environment, else `~/.config/tollgate`.
    init(path: String?, context: CommandContext) {
        var reader = SettingsReader(SettingsSources(environment: context.environment))
        let chosen = path ?? reader.optional(SettingsCatalog.configDirectory)
        home = context.environment["HOME"].flatMap { $0.isEmpty ? nil : $0 }
        self.context = context
        if let chosen {
            self.path = TollgateSettings.absolute(chosen, environment: context.environment, host: context.host)
        } else {
            self.path = home.map { $0 + "/.config/tollgate" } ?? ""
        }
    }

    /// The profile of that name; `[default]` is the profile `default`.
    func profile(_ name: String, mustExist: Bool) throws(CommandFailure) -> ClientProfile? {
        guard let (text, file) = try read("cli.toml", legacy: "/.config/orcheo/cli.toml") else {
            if mustExist { throw CommandFailure(.usage, "no profile \(name): there is no \(path)/cli.toml") }
            return nil
        }
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch {
            // The library's description quotes the file, which holds tokens.
            throw CommandFailure(.otherFault, "\(file) is not TOML")
        }
        let named = table["profiles"]?.table?[name]?.table
        guard let entry = named ?? (name == "default" ? table["default"]?.table : nil) else {
            if mustExist { throw CommandFailure(.usage, "no profile \(name) in \(file)") }
            return nil
        }
        var profile = ClientProfile()
        if let text = entry["api_url"]?.string {
            guard let address = WebAddress(ASCII.trimmed(text)) else {
                throw CommandFailure(.otherFault, "\(file): api_url of profile \(name) is no http or https URL")
            }
            profile.apiURL = address
        }
        profile.serviceToken = entry["service_token"]?.string.flatMap { text in
            let trimmed = ASCII.trimmed(text)
            return trimmed.isEmpty ? nil : Redacted(trimmed)
        }
        if let text = entry["output"]?.string {
            guard let output = OutputFormat(rawValue: ASCII.lowercased(ASCII.trimmed(text))) else {
                throw CommandFailure(.otherFault, "\(file): output of profile \(name) is not table, json or yaml")
            }
            profile.output = output
        }
        return profile
    }

    /// The saved login, expired or not.
    func savedLogin() throws(CommandFailure) -> SavedLogin? {
        guard let (text, file) = try read("credentials.json", legacy: "/.config/codetether-agent/credentials.json")
        else { return nil }
        guard let login = SavedLogin(json: text) else {
            context.warn("\(file) holds no login that can be read: it is ignored")
            return nil
        }
        return login
    }

    /// Replaces `credentials.json`.
    func writeCredentials(_ json: JSONObject) throws(FileFault) {
        guard !path.isEmpty else { throw FileFault(description: "there is no HOME") }
        do {
            try DurableFile.makeDirectory(path)
            try DurableFile.write(JSONValue.object(json).encoded() + [0x0A], to: path + "/credentials.json")
        } catch {
            throw FileFault(description: error.description)
        }
    }

    /// The text of an own file, else of the older tool's, and where it stood. Rights of others on own files are taken away.
    private func read(_ name: String, legacy: String) throws(CommandFailure) -> (text: String, file: String)? {
        if !path.isEmpty {
            repair(path)
            let file = path + "/" + name
            if let text = try text(of: file, repairing: true) { return (text, file) }
        }
        guard let home, let text = try text(of: home + legacy, repairing: false) else { return nil }
        return (text, home + legacy)
    }

    private func text(of file: String, repairing: Bool) throws(CommandFailure) -> String? {
        guard DurableFile.exists(file) else { return nil }
        if repairing { repair(file) }
        do {
            return String(decoding: try BoundedFile.read(file), as: UTF8.self)
        } catch {
            throw CommandFailure(.otherFault, "cannot read \(file): \(error)")
        }
    }

    private func repair(_ file: String) {
        do {
            if try DurableFile.makePrivate(file) == true {
                context.warn("others could read \(file): their rights were taken away")
            }
        } catch {
            context.warn("the rights of \(file) cannot be repaired: \(error)")
        }
    }
}
