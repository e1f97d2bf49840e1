// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Logging

/// Installs the log of the process, once, before the first line.
enum LoggingBootstrap {
    /// Every logger made from now on writes lines of that form and level.
    ///
    /// - Parameter metadata: stands in every line.
    static func install(
        _ settings: LoggingSettings, redactor: Redactor, metadata: [String: String] = [:], output: any Output,
        clock: any WallClock
    ) {
        LoggingSystem.bootstrap { label in
            var handler = LineLogHandler(
                label: label, level: settings.level.level, format: settings.format, redactor: redactor,
                output: output, clock: clock)
            handler.metadata = metadata.mapValues { .string($0) }
            return handler
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
    private let redactor: Redactor
    private let output: any Output
    private let clock: any WallClock

    init(
        label: String, level: Logger.Level, format: LogFormat, redactor: Redactor, output: any Output,
        clock: any WallClock
    ) {
        self.label = label
        self.logLevel = level
        self.format = format
        self.redactor = redactor
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
        let message = redactor.text(event.message.description)
        let fields = all.sorted { $0.key < $1.key }.map { key, value in
            (key, redactor.hides(name: key) ? Redactor.replacement : redactor.text("\(value)"))
        }
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
