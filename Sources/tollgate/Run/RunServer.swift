// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging

/// Runs the server until it is told to stop.
///
/// - Throws: `StartupProblem` before anything listens; what a service threw later.
func runServer(_ settings: TollgateSettings, source: ObjectSource) async throws {
    let logger = Logger(label: "tollgate")
    for note in settings.notes {
        logger.warning(
            "setting",
            metadata: [
                LogKeys.setting: "\(note.setting)", "kind": "\(note.kind.rawValue)", LogKeys.reason: "\(note.message)",
            ])
    }
    // Held until the last service has ended.
    let lock = try DataDirectoryLock(path: settings.dataDirectory, role: settings.process.role)
    try ListenerCheck.run(settings.listeners)
    let assembly = try await ServerAssembly(settings, source: source, logger: logger)
    try await assembly.run()
    _ = consume lock
}
