// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ToolTrust

/// Whose signatures count, what tools may have, and where they are.
struct ToolSettings: Sendable {
    var keys: [ToolKeyRecord]
    var rules: ToolRules
    /// Directory of the executables.
    var directory: String
}

extension TollgateSettings {
    /// Reads what belongs to tools.
    static func tools(
        _ reader: inout SettingsReader, dataDirectory: String, environment: [String: String], host: HostFacts
    ) -> ToolSettings {
        typealias Catalog = SettingsCatalog
        func absolute(_ path: String) -> String { self.absolute(path, environment: environment, host: host) }
        let directory = reader.optional(Catalog.toolsDirectory).map(absolute) ?? "\(dataDirectory)/tools"
        let limits = ToolLimits(
            memoryMB: Int64(reader.value(Catalog.toolsMaxMemory, orAfterProblem: 1)),
            cpuSeconds: Int64(reader.value(Catalog.toolsMaxCPU, orAfterProblem: 1)),
            timeoutSeconds: Int64(reader.value(Catalog.toolsMaxTimeout, orAfterProblem: 1)),
            outputBytes: Int64(reader.value(Catalog.toolsMaxOutput, orAfterProblem: 1)))
        return ToolSettings(
            keys: toolKeys(&reader),
            rules: ToolRules(
                maximum: limits, allowedPaths: reader.optional(Catalog.toolsAllowedPaths) ?? [],
                writablePaths: reader.optional(Catalog.toolsWritablePaths) ?? [], ownPaths: [dataDirectory]),
            directory: directory)
    }

    private static func toolKeys(_ reader: inout SettingsReader) -> [ToolKeyRecord] {
        let name = SettingsCatalog.toolKeys.info.name
        guard let text = reader.optional(SettingsCatalog.toolKeys) else { return [] }
        let records: [ToolKeyRecord]
        do {
            records = try ToolKeyRecord.list(Array(text.utf8))
        } catch {
            reader.problem(name, "\(error)")
            return []
        }
        for id in TrustedToolKeys(records).conflicting {
            reader.problem(name, "key_id \(id) stands for two different keys: give one of them another id")
        }
        for record in records {
            guard let time = record.unreadableTime else { continue }
            reader.note(.unsafe, name, "key \(record.keyID) is not used: its \(time) is no RFC 3339 time")
        }
        return records
    }
}
