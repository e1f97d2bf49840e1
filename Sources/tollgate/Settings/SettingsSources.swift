// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Where settings are looked for. A flag beats the environment, which beats the settings file; in each of them a name beats its aliases,
/// and a value beats the file that `NAME_FILE` points to.
struct SettingsSources: Sendable {
    /// Values given on the command line, by name.
    var flags: [String: String] = [:]
    /// The environment of the process.
    var environment: [String: String] = [:]
    /// The settings file, by key.
    var file: [String: String] = [:]
    /// Reads a whole file of at most 1 MiB; throws when it cannot.
    var readFile: @Sendable (_ path: String) throws -> [UInt8] = { path in try BoundedFile.read(path) }

    /// A value that was found.
    struct Found: Sendable {
        var text: String
        var origin: SettingOrigin
        /// The name or alias under which it stood.
        var name: String
    }

    /// The value of a setting; blank counts as not there.
    func find(_ info: SettingInfo, problems: inout [SettingsProblem], notes: inout [SettingsNote]) -> Found? {
        var found: [Found] = []
        for source in Source.allCases {
            for name in [info.name] + info.aliases {
                if let value = value(of: name, in: source, problems: &problems) { found.append(value) }
            }
        }
        guard let first = found.first else { return nil }
        for other in found where other.name != first.name && other.text != first.text {
            notes.append(
                SettingsNote(
                    kind: .aliasDiffers, setting: info.name,
                    message: "\(first.name) and \(other.name) differ: \(first.name) is used"))
        }
        return first
    }

    private enum Source: CaseIterable {
        case flags
        case environment
        case file
    }

    private func values(of source: Source) -> [String: String] {
        switch source {
        case .flags: flags
        case .environment: environment
        case .file: file
        }
    }

    private func value(of name: String, in source: Source, problems: inout [SettingsProblem]) -> Found? {
        let values = values(of: source)
        let direct = values[name].flatMap { ASCII.trimmed($0).isEmpty ? nil : $0 }
        let pointer = name + "_FILE"
        let path = values[pointer].map { ASCII.trimmed($0) }.flatMap { $0.isEmpty ? nil : $0 }
        if let direct {
            if path != nil {
                problems.append(SettingsProblem(setting: name, message: "\(pointer) is set as well: keep one of them"))
            }
            let origin: SettingOrigin =
                switch source {
                case .flags: .flag
                case .environment: .environment(name)
                case .file: .file(name)
                }
            return Found(text: direct, origin: origin, name: name)
        }
        guard let path else { return nil }
        let expanded = HomeDirectory.expand(path, environment: environment)
        do {
            let bytes = try readFile(expanded)
            guard var text = String(validating: bytes, as: UTF8.self) else {
                problems.append(SettingsProblem(setting: pointer, message: "the file \(path) is not UTF-8 text"))
                return nil
            }
            if text.utf8.last == 0x0A { text = String(text.utf8.dropLast(text.hasSuffix("\r\n") ? 2 : 1)) ?? text }
            guard !ASCII.trimmed(text).isEmpty else { return nil }
            return Found(text: text, origin: .pointedFile(name: pointer, path: path), name: name)
        } catch {
            problems.append(SettingsProblem(setting: pointer, message: "cannot read \(path): \(error)"))
            return nil
        }
    }
}

/// The home directory as the environment tells it.
enum HomeDirectory {
    /// `~` and `~/…` with the home directory in place of the tilde; any other path as it is.
    static func expand(_ path: String, environment: [String: String]) -> String {
        guard path == "~" || path.hasPrefix("~/"), let home = environment["HOME"], !home.isEmpty else { return path }
        return home + path.dropFirst()
    }
}
