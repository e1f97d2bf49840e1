// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
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
    if settings.process.isDevnet { return try await runDevnet(settings, source: source, logger: logger) }
    // Held until the last service has ended.
    let lock = try DataDirectoryLock(path: settings.dataDirectory, role: settings.process.role)
    try ListenerCheck.run(settings.listeners, role: settings.process.role)
    if settings.process.role == .worker {
        try await WorkerServer(settings, logger: logger).run()
    } else {
        try await ServerAssembly(settings, source: source, logger: logger).run()
    }
    _ = consume lock
}

/// Runs a development server: in memory, with demo accounts.
private func runDevnet(_ settings: TollgateSettings, source: ObjectSource, logger: Logger) async throws {
    // Gone when the last service has ended.
    let folder = try DevnetFolder()
    let settings = folder.settings(settings)
    try ListenerCheck.run(settings.listeners)
    let catalogues = try BillingCatalogues(
        plansFile: settings.plans.plansFile, pricesFile: settings.plans.pricesFile)
    let accounts = DevnetAccount.all(catalogues.plans, now: SystemWallClock().now())
    let source = try folder.source(source, accounts: accounts)
    try await ServerAssembly(settings, source: source, demo: accounts, logger: logger).run()
    _ = consume folder
}
