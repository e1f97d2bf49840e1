// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ToolTrust

// Whose signatures under tool manifests count, and what tools may have at the most.
extension SettingsCatalog {
    /// In the order of the table.
    static let tools: [SettingInfo] = [
        toolKeys.info, toolsMaxMemory.info, toolsMaxCPU.info, toolsMaxTimeout.info, toolsMaxOutput.info,
        toolsAllowedPaths.info, toolsWritablePaths.info, toolsDirectory.info,
    ]

    static let toolKeys = Setting(
        "TOLLGATE_TOOL_KEYS", .raw("JSON", expected: "a list of keys"), in: .tools,
        "Public keys that may sign tool manifests: a list of {key_id, public_key, not_before, expires_at, revoked_at}, at most 64."
    )
    static let toolsMaxMemory = Setting(
        "TOLLGATE_TOOLS_MAX_MEMORY_MB", .count(1...16_777_216), default: "4096", in: .tools,
        "Memory that any policy allows a tool at the most, in MiB.")
    static let toolsMaxCPU = Setting(
        "TOLLGATE_TOOLS_MAX_CPU_SECONDS", .count(1...604_800), default: "600", in: .tools,
        "CPU time that any policy allows a tool at the most, in seconds.")
    static let toolsMaxTimeout = Setting(
        "TOLLGATE_TOOLS_MAX_TIMEOUT_SECONDS", .count(1...604_800), default: "900", in: .tools,
        "Time from start to end that any policy allows a tool at the most, in seconds.")
    static let toolsMaxOutput = Setting(
        "TOLLGATE_TOOLS_MAX_OUTPUT_BYTES", .bytes(1...1_073_741_824), default: "16777216", in: .tools,
        "Bytes that any policy keeps of standard output and of standard error, each.")
    static let toolsAllowedPaths = Setting(
        "TOLLGATE_TOOLS_ALLOWED_PATHS", .pathList, default: ToolRules.defaultAllowedPaths.joined(separator: ":"),
        in: .tools, "Absolute paths with colons between them under which what a manifest asks to read must lie.")
    static let toolsWritablePaths = Setting(
        "TOLLGATE_TOOLS_WRITABLE_PATHS", .pathList, in: .tools,
        "Absolute paths with colons between them under which what a manifest asks to write must lie.")
    static let toolsDirectory = Setting(
        "TOLLGATE_TOOLS_DIR", .path(), defaultNote: "tools in TOLLGATE_DATA_DIR", in: .tools,
        "Directory of the executables: TOOL_ID/VERSION, or what a ToolManifest names.")
}

extension SettingFormat where Value == [String] {
    /// Absolute paths with colons between them, or a JSON list of them.
    static var pathList: SettingFormat {
        SettingFormat(
            "path list", expected: "absolute paths with colons between them, without empty, . or .. segments"
        ) { text in
            let trimmed = ASCII.trimmed(text)
            let elements =
                trimmed.utf8.first == UInt8(ascii: "[")
                ? ListText.elements(trimmed) : trimmed.split(separator: ":").map { ASCII.trimmed($0) }
            guard let elements, elements.count <= 256, elements.allSatisfy({ ToolPath.segments($0) != nil }) else {
                return nil
            }
            return elements
        }
    }
}
