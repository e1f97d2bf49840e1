// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The table of settings as text, JSON and the reference page.
enum SettingsTable {
    /// For people.
    static var text: String {
        var table = TextTable(["SETTING", "TYPE", "DEFAULT", "RULE"])
        for info in SettingsCatalog.all + SettingsCatalog.client {
            table.add([info.name, info.type, info.shownDefault, info.rule])
        }
        return table.text
    }

    /// `{"settings": […]}`
    static var json: JSONValue {
        let rows = (SettingsCatalog.all + SettingsCatalog.client).map { info -> JSONValue in
            [
                "name": .string(info.name), "aliases": .strings(info.aliases), "type": .string(info.type),
                "expected": .string(info.expected), "default": .optional(info.defaultText ?? info.defaultNote),
                "unit": .optional(info.unit), "secret": .bool(info.isSecret), "section": .string(info.section.rawValue),
                "rule": .string(info.rule),
            ]
        }
        return ["settings": .array(rows)]
    }

    /// `docs/reference/settings.md`
    static var markdown: String {
        var lines = [
            "# Settings", "", "<!-- Made by `tollgate settings --markdown`; a test compares both. -->", "",
            "A flag beats the environment, which beats the settings file (`tollgate run --settings FILE`, TOML with the same names as keys). A name beats its",
            "aliases; when both are there and differ, the start-up log names both. Every setting can also come from a file: `NAME_FILE` holds its path, for mounted",
            "Secrets. A blank value counts as not set. A value that does not parse stops the start, with every problem listed at once and exit status 2; the text of",
            "a secret is never shown.",
            "",
            "Durations carry their unit: `150ms`, `30s`, `5m`, `24h`. Lists are separated by commas or blanks, or are a JSON list of texts. Flags are `true` or `false`.",
        ]
        for section in SettingSection.allCases {
            let rows = (SettingsCatalog.all + SettingsCatalog.client).filter { $0.section == section }
            lines += [
                "", "## \(section.rawValue)", "", "| setting | value | default | what it does |",
                "| --- | --- | --- | --- |",
            ]
            lines += rows.map(row)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func row(_ info: SettingInfo) -> String {
        var names = "`\(info.name)`"
        if !info.aliases.isEmpty {
            names += " (alias " + info.aliases.map { "`\($0)`" }.joined(separator: ", ") + ")"
        }
        let kind = info.isSecret ? "secret" : info.type
        let unit = info.unit.map { ", in \($0)" } ?? ""
        let fallback = info.defaultNote ?? info.defaultText.map { "`\($0)`" } ?? "none"
        let cells = [names, "\(kind)\(unit): \(info.expected)", fallback, info.rule]
        return "| " + cells.map { $0.split(separator: "|").joined(separator: "\\|") }.joined(separator: " | ") + " |"
    }
}
