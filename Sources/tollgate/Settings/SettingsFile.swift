// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TOMLKit

/// A settings file: TOML, the settings' names as keys of the top table. Numbers, flags and lists may be written as such.
enum SettingsFile {
    /// The texts by name, and what cannot be taken.
    static func parse(_ text: String) -> (values: [String: String], problems: [SettingsProblem]) {
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            // The library's description quotes the file's text, which may be a secret: the place is enough.
            return ([:], [SettingsProblem(setting: "--settings", message: "not TOML at \(error.source.begin)")])
        } catch {
            return ([:], [SettingsProblem(setting: "--settings", message: "not TOML")])
        }
        var values: [String: String] = [:]
        var problems: [SettingsProblem] = []
        for key in table.keys {
            if let value = table[key], let text = valueText(value) {
                values[key] = text
            } else {
                problems.append(
                    SettingsProblem(
                        setting: key, message: "in the settings file: write a text, a number, a flag or a list of texts"
                    ))
            }
        }
        return (values, problems)
    }

    private static func valueText(_ value: any TOMLValueConvertible) -> String? {
        switch value.type {
        case .string: return value.string
        case .int: return value.int.map(String.init)
        case .double: return value.double.map { String($0) }
        case .bool: return value.bool.map(String.init)
        case .array:
            guard let array = value.array else { return nil }
            var texts: [String] = []
            for element in array {
                guard element.type != .array, element.type != .table, let text = valueText(element) else { return nil }
                texts.append(text)
            }
            return JSONValue.strings(texts).jsonText
        default: return nil
        }
    }
}
