// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

// What the process does, and whether it is for development.
extension SettingsCatalog {
    /// In the order of the table.
    static let process: [SettingInfo] = [role.info, devnet.info, devnetInCluster.info]

    static let role = Setting(
        "TOLLGATE_ROLE", SettingFormat<ProcessRole>.choice, default: "all", in: .process,
        "What the process does: api = HTTP and decisions, worker = queue, resets, retries and reports, controller = objects and status. On the embedded database all, or one api and one worker over one data directory."
    )
    static let devnet = Setting(
        "TOLLGATE_DEVNET", .flag, default: "false", in: .process,
        "For development: everything in memory with seeded accounts, without queue and Stripe. Nothing survives the end."
    )
    static let devnetInCluster = Setting(
        "TOLLGATE_DEVNET_IN_CLUSTER", .flag, default: "false", in: .process,
        "Lets TOLLGATE_DEVNET start in a cluster.")
}

extension TollgateSettings {
    static func process(
        _ reader: inout SettingsReader, environment: [String: String]
    ) -> ProcessSettings {
        let isDevnet = reader.value(SettingsCatalog.devnet, orAfterProblem: false)
        let mayBeInCluster = reader.value(SettingsCatalog.devnetInCluster, orAfterProblem: false)
        if isDevnet, !mayBeInCluster, isInCluster(environment) {
            reader.problem(
                "TOLLGATE_DEVNET",
                "everything would be lost with the Pod: unset it, or set TOLLGATE_DEVNET_IN_CLUSTER (--devnet-in-cluster) too"
            )
        }
        return ProcessSettings(role: reader.value(SettingsCatalog.role, orAfterProblem: .all), isDevnet: isDevnet)
    }

    /// Roles that would not find each other's data, and a development server with what is not for development.
    static func checkProcess(
        _ settings: TollgateSettings, environment: [String: String], _ reader: inout SettingsReader
    ) {
        checkRole(settings, environment: environment, &reader)
        guard settings.process.isDevnet else { return }
        if let key = settings.stripe.apiKey?.revealed, key.hasPrefix("sk_live_") || key.hasPrefix("rk_live_") {
            reader.problem(
                "STRIPE_API_KEY", "a live key does not belong into a development server: unset it or TOLLGATE_DEVNET")
        }
        if settings.sidecar != nil {
            reader.problem("TOLLGATE_DEVNET", "a sidecar has its operator's accounts: unset it or TOLLGATE_UPSTREAM")
        }
        if settings.database.server != nil {
            reader.note(
                .overruled, "TOLLGATE_DATABASE_URL", "it is not used: TOLLGATE_DEVNET keeps everything in memory")
        }
        if settings.redis != nil {
            reader.note(.overruled, "REDIS_URL", "it is not used: TOLLGATE_DEVNET shares nothing")
        }
        if settings.stripe.apiKey != nil {
            reader.note(.overruled, "STRIPE_API_KEY", "it is not used: TOLLGATE_DEVNET speaks to no payment provider")
        }
        reader.note(.unsafe, "TOLLGATE_DEVNET", "everything is in memory and lost at the end; accounts are seeded")
    }

    private static func checkRole(
        _ settings: TollgateSettings, environment: [String: String], _ reader: inout SettingsReader
    ) {
        let role = settings.process.role
        guard role != .all else { return }
        let name = role.rawValue
        if settings.sidecar != nil {
            return reader.problem(
                "TOLLGATE_ROLE", "a sidecar is one process: set it to all, or unset TOLLGATE_UPSTREAM")
        }
        if settings.process.isDevnet {
            return reader.problem(
                "TOLLGATE_ROLE", "\(name) shares nothing with other processes in a development server: set it to all")
        }
        guard settings.database.server == nil else { return }
        if isInCluster(environment) {
            reader.problem(
                "TOLLGATE_ROLE",
                "\(name) in a cluster needs a database that all processes share: set TOLLGATE_DATABASE_URL, or set it to all"
            )
        } else if role == .controller {
            reader.problem(
                "TOLLGATE_ROLE",
                "controller needs a database that all processes share: set TOLLGATE_DATABASE_URL, or use all, or one api and one worker over one data directory"
            )
        }
    }
}
