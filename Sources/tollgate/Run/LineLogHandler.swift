// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging

/// Installs the log of the process, once, before the first line.
enum LoggingBootstrap {
    /// Every logger made from now on writes lines of that form and level.
    static func install(_ settings: LoggingSettings, output: any Output, clock: any WallClock) {
        LoggingSystem.bootstrap { label in
            LineLogHandler(
                label: label, level: settings.level.level, format: settings.format, output: output, clock: clock)
        }
    }
}

/// Writes one line an event to standard error, with the time in UTC and without secrets.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogFormat
    private let output: any Output
    private let clock: any WallClock

    init(label: String, level: Logger.Level, format: LogFormat, output: any Output, clock: any WallClock) {
        self.label = label
        self.logLevel = level
        self.format = format
        self.output = output
        self.clock = clock
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all[LogKeys.error] = "\(error)" }
        let time = clock.now().rfc3339Micros
        let message = LogRedaction.clean(event.message.description)
        let fields = all.sorted { $0.key < $1.key }.map { ($0.key, LogRedaction.clean("\($0.value)", name: $0.key)) }
        switch format {
        case .json:
            var object: JSONObject = [
                "time": .string(time), "level": .string(event.level.rawValue), "logger": .string(label),
                "message": .string(message),
            ]
            for (key, value) in fields { object[object[key] == nil ? key : "field_" + key] = .string(value) }
            output.line(JSONValue.object(object).jsonText)
        case .text:
            var line = "\(time) \(event.level.rawValue.uppercased()) \(label): \(message)"
            for (key, value) in fields { line += " \(key)=\(Self.quoted(value))" }
            output.line(line)
        }
    }

    /// The value as it is when it is one plain word, else as JSON text: a value cannot begin a line or a field of its own.
    private static func quoted(_ value: String) -> String {
        let isPlain = !value.isEmpty && value.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x3D }
        return isPlain ? value : JSONValue.string(value).jsonText
    }
}

/// Takes secrets out of log lines: by the name of a field, and by what tokens and keys look like.
enum LogRedaction {
    static let replacement = "[REDACTED]"

    private static let names: Set<String> = [
        "authorization", "cookie", "password", "passwd", "secret", "client_secret", "token", "access_token",
        "refresh_token", "id_token", "api_key", "apikey", "private_key", "credential", "signature",
    ]
    private static let prefixes = [
        "tgs_", "tgk_live_", "tgk_test_", "sk_live_", "sk_test_", "rk_live_", "whsec_", "ghp_", "gho_", "ghs_",
        "github_pat_", "xoxb-", "xoxp-", "AKIA", "ASIA", "eyJ",
    ]

    /// The text without what looks like a secret; nothing of it when the name of its field says that it is one.
    static func clean(_ text: String, name: String = "") -> String {
        if names.contains(ASCII.lowercased(name)) { return replacement }
        if text.range(ofText: "-----BEGIN") != nil, text.range(ofText: "PRIVATE KEY") != nil { return replacement }
        guard
            prefixes.contains(where: { text.range(ofText: $0) != nil }) || text.range(ofText: "://") != nil
                || ASCII.lowercased(text).range(ofText: "bearer") != nil
        else { return text }
        var words: [Substring] = []
        var changed = false
        var afterBearer = false
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let core = word.drop { "\"'([{<,;:=".contains($0) }
            if afterBearer || prefixes.contains(where: { core.range(ofText: $0) != nil }) || hasUserInfo(core) {
                words.append(Substring(replacement))
                changed = true
            } else {
                words.append(word)
            }
            afterBearer = ASCII.lowercased(core) == "bearer"
        }
        return changed ? words.joined(separator: " ") : text
    }

    /// Whether this is a URL with a user before its host.
    private static func hasUserInfo(_ word: Substring) -> Bool {
        guard let scheme = word.range(ofText: "://") else { return false }
        return word[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }.contains("@")
    }
}
