// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Foundation

/// Where a development server puts what must be files, as its audit trail: in memory where the system has a folder for that. Gone at the end.
struct DevnetFolder: ~Copyable {
    let path: String

    /// Makes it (mode 0700).
    ///
    /// - Throws: `StartupProblem`.
    init() throws {
        let name = "tollgate-devnet-\(UUID().uuidString.lowercased())"
        var faults: [String] = []
        for parent in ["/dev/shm", FileManager.default.temporaryDirectory.path] {
            do {
                try DurableFile.makeDirectory("\(parent)/\(name)")
                path = "\(parent)/\(name)"
                return
            } catch {
                faults.append("\(error)")
            }
        }
        throw StartupProblem("TOLLGATE_DEVNET: no folder can be made: \(faults.joined(separator: "; ")). Set TMPDIR.")
    }

    deinit {
        // What is left goes with the machine's memory, or with its temporary files.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The settings as a development server has them: in memory, alone, and without a payment provider.
    func settings(_ settings: TollgateSettings) -> TollgateSettings {
        var settings = settings
        settings.dataDirectory = path
        settings.audit.trail.directory = "\(path)/audit"
        settings.audit.index = .memory
        settings.database = DatabaseSettings(server: nil, administrator: nil)
        settings.redis = nil
        settings.stripe.apiKey = nil
        settings.stripe.webhookSecrets = []
        settings.stripe.meterEventName = nil
        return settings
    }

    /// The objects of the demo accounts, beside others from files. A cluster has its own.
    ///
    /// - Throws: `StartupProblem`.
    func source(_ source: ObjectSource, accounts: [DevnetAccount]) throws -> ObjectSource {
        guard case .manifests(let paths) = source else { return source }
        do {
            try DurableFile.makeDirectory("\(path)/manifests")
            try DurableFile.write(
                Array(accounts.map(\.manifest).joined(separator: "---\n").utf8), to: "\(path)/manifests/accounts.yaml")
        } catch {
            throw StartupProblem("TOLLGATE_DEVNET: the demo accounts cannot be written: \(error)")
        }
        return .manifests(paths + ["\(path)/manifests"])
    }
}
