// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Where a value came from.
enum SettingOrigin: Sendable, Hashable, CustomStringConvertible {
    /// A flag of the command line.
    case flag
    /// A variable of the environment, under that name.
    case environment(String)
    /// The settings file, under that key.
    case file(String)
    /// A file that a `…_FILE` name points to.
    case pointedFile(name: String, path: String)
    /// The default of the table.
    case fallback

    var description: String {
        switch self {
        case .flag: "flag"
        case .environment(let name): "environment \(name)"
        case .file(let key): "settings file, \(key)"
        case .pointedFile(let name, let path): "file \(path) of \(name)"
        case .fallback: "default"
        }
    }
}

/// One reason why the process cannot start, without the text of any secret.
struct SettingsProblem: Sendable, Hashable, CustomStringConvertible {
    /// The setting that has to be mended.
    let setting: String
    /// What is wrong and how to mend it.
    let message: String

    var description: String { "\(setting): \(message)" }
}

/// Settings that do not allow a start: every problem at once.
struct SettingsError: Error, Sendable, CustomStringConvertible {
    /// In the order of the table.
    let problems: [SettingsProblem]

    var description: String {
        "The settings do not allow a start:\n" + problems.map { "  \($0)" }.joined(separator: "\n")
    }
}

/// Something the start-up log says about the settings.
struct SettingsNote: Sendable, Hashable {
    enum Kind: String, Sendable {
        /// A name and its alias are both there and differ.
        case aliasDiffers = "alias_differs"
        /// A name of this product that nothing reads.
        case unknownName = "unknown_name"
        /// Another setting decides instead.
        case overruled
        /// A switch that makes the process less safe is on.
        case unsafe
    }

    let kind: Kind
    let setting: String
    let message: String
}
