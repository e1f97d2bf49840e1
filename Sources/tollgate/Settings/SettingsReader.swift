// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads typed settings one by one and keeps every problem, so that all of them are told at once.
struct SettingsReader {
    private let sources: SettingsSources
    private(set) var problems: [SettingsProblem] = []
    private(set) var notes: [SettingsNote] = []
    /// The names that were asked for: the tests compare them with the table.
    private(set) var namesRead: [String] = []

    init(_ sources: SettingsSources) { self.sources = sources }

    /// The value, or the default of the table; nil where there is neither, or where the value does not parse.
    mutating func optional<Value>(_ setting: Setting<Value>) -> Value? {
        found(setting)?.value
    }

    /// The value with where it came from, or the default of the table.
    mutating func found<Value>(_ setting: Setting<Value>) -> (value: Value, origin: SettingOrigin, name: String)? {
        namesRead.append(setting.info.name)
        guard let found = sources.find(setting.info, problems: &problems, notes: &notes) else {
            guard let text = setting.info.defaultText, let value = setting.format.read(text) else { return nil }
            return (value, .fallback, setting.info.name)
        }
        guard let value = setting.format.read(found.text) else {
            problems.append(
                SettingsProblem(
                    setting: setting.info.name,
                    message: "\(Self.shape(of: found, info: setting.info)); expected \(setting.info.expected)"))
            return nil
        }
        return (value, found.origin, found.name)
    }

    /// The value or the default of the table; after a problem a stand-in, which never gets out because the problem stops the start.
    mutating func value<Value>(_ setting: Setting<Value>, orAfterProblem standIn: Value) -> Value {
        optional(setting) ?? standIn
    }

    /// Adds a problem that concerns several settings.
    mutating func problem(_ setting: String, _ message: String) {
        problems.append(SettingsProblem(setting: setting, message: message))
    }

    /// Adds a line for the start-up log.
    mutating func note(_ kind: SettingsNote.Kind, _ setting: String, _ message: String) {
        notes.append(SettingsNote(kind: kind, setting: setting, message: message))
    }

    /// What a bad value looks like: its text only where that cannot be a secret in the wrong place.
    private static func shape(of found: SettingsSources.Found, info: SettingInfo) -> String {
        let count = found.text.utf8.count
        let plain = found.text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        var mayShow = !info.isSecret && plain && count <= 24 && info.type != "URL"
        if case .pointedFile = found.origin { mayShow = false }
        let shown = mayShow ? "\"\(found.text)\"" : "a text of \(count) bytes"
        return "\(shown) (\(found.origin)) does not parse"
    }
}
