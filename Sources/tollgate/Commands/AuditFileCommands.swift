// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import AuditTrail
internal import Essentials
internal import Persistence

/// Where the trail of this machine is, and the key of its chain.
struct AuditPlace: Sendable {
    let directory: String
    let hmacKey: Redacted<[UInt8]>?

    /// By the option, else by the settings that `tollgate run` would use.
    static func resolve(_ path: String?, in context: CommandContext) throws(SettingsError) -> AuditPlace {
        let environment = context.environment
        var reader = SettingsReader(SettingsSources(environment: environment))
        let data = TollgateSettings.dataDirectory(&reader, environment: environment, host: context.host)
        let audit = TollgateSettings.audit(
            &reader, dataDirectory: data, podName: nil, environment: environment, host: context.host)
        let needed = reader.problems.filter { path == nil || $0.setting.hasPrefix("TOLLGATE_AUDIT_HMAC_KEY") }
        guard needed.isEmpty else { throw SettingsError(problems: needed) }
        let directory = path.map { TollgateSettings.absolute($0, environment: environment, host: context.host) }
        return AuditPlace(directory: directory ?? audit.trail.directory, hmacKey: audit.trail.hmacKey)
    }
}

/// `tollgate audit verify`
struct AuditVerifyCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check the hash chain of the audit segments; needs no running server.",
        discussion: "Exit status: 0 intact, 1 broken, 2 unreadable.")

    @Option(help: "Directory of the segments (default: that of the settings).")
    var path: String?

    @Option(help: "First sequence number.")
    var from: Int64?

    @Option(help: "Last sequence number.")
    var to: Int64?

    @Option(help: ArgumentHelp("An entry that must be there.", valueName: "SEQ:HASH"))
    var head: String?

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        if let head, AuditVerification.Head(head) == nil {
            throw ValidationError("--head takes SEQ:HASH, the hash being 64 hex digits")
        }
    }

    func run(in context: CommandContext) async throws {
        let place = try AuditPlace.resolve(path, in: context)
        let options = AuditVerifier.Options(
            from: from, to: to, head: head.flatMap { AuditVerification.Head($0) }, hmacKey: place.hmacKey)
        let report = AuditVerifier.verify(directory: place.directory, options: options)
        context.output.line(json ? report.json.jsonText : report.text)
        if report.exitCode != 0 { throw ExitCode(report.exitCode) }
    }
}

/// `tollgate audit backup`
struct AuditBackupCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the audit segments that are not there yet.")

    @Option(help: "Directory of the copy; made when it is not there.")
    var output: String

    @Option(help: "Directory of the segments (default: that of the settings).")
    var path: String?

    func run(in context: CommandContext) async throws {
        let place = try AuditPlace.resolve(path, in: context)
        let target = TollgateSettings.absolute(output, environment: context.environment, host: context.host)
        do {
            let report = try AuditBackup.run(from: place.directory, to: target)
            context.output.line("\(report.copied) copied, \(report.present) already there, \(report.bytes) bytes")
        } catch {
            throw CommandFailure(.otherFault, "\(error)")
        }
    }
}

/// `tollgate audit reindex`
struct AuditReindexCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex",
        abstract: "Build the SQLite index of the audit trail anew from its segments; the server must not run.")

    @Option(help: "Directory of the segments (default: that of the settings).")
    var path: String?

    func run(in context: CommandContext) async throws {
        let place = try AuditPlace.resolve(path, in: context)
        do {
            for (writer, directory) in try AuditVerifier.writers(in: place.directory) {
                let index = try SQLiteAuditIndex(path: "\(directory)/index.sqlite")
                let count = try await AuditReindex.run(directory: directory, writer: writer, index: index)
                context.output.line("\(writer): \(count) entries")
            }
        } catch {
            throw CommandFailure(.otherFault, "\(error)")
        }
    }
}
