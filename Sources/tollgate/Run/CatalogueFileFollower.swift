// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Logging
internal import Metrics

/// Reads the files of the catalogues of billing again when they change. A file that cannot be used leaves the last good catalogue in force.
actor CatalogueFileFollower {
    private static let interval = Duration.seconds(2)

    /// One file.
    private struct Followed {
        let file: String
        let title: String
        let read: @Sendable (String) throws(StartupProblem) -> [UInt8]
        /// Puts the catalogue in force that these bytes hold; false where it is in force already.
        let apply: @Sendable ([UInt8]) throws(StartupProblem) -> Bool
        /// What the file said when it was looked at last.
        var seen: Seen?
        var isRefused = false
    }

    /// Its bytes, or why it could not be read.
    private enum Seen: Equatable {
        case bytes([UInt8])
        case unreadable(String)
    }

    private var files: [Followed] = []
    private let logger: Logger
    private let invalid: Gauge

    /// Takes the books to write into; the catalogues in them are what the files held at the start. A file of nil is not followed.
    init(
        plansFile: String?, plans: PlanBook, pricesFile: String?, prices: PriceBook, logger: Logger,
        metricsFactory: any MetricsFactory
    ) {
        self.logger = logger
        invalid = Gauge(label: "tollgate_billing_catalogue_invalid", factory: metricsFactory)
        invalid.record(0)
        if let plansFile {
            files.append(
                Self.followed(plansFile, CatalogueLoader.plans, present: { plans.catalogue }, put: plans.replace))
        }
        if let pricesFile {
            files.append(
                Self.followed(pricesFile, CatalogueLoader.prices, present: { prices.prices }, put: prices.replace))
        }
    }

    /// Looks every two seconds, until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            look()
            // A cancelled wait ends the loop at its condition.
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Looks at every file once.
    func look() {
        for index in files.indices { look(&files[index]) }
        invalid.record(files.contains { $0.isRefused } ? 1 : 0)
    }

    private func look(_ followed: inout Followed) {
        let metadata: Logger.Metadata = ["file": "\(followed.file)", "catalogue": "\(followed.title)"]
        do throws(StartupProblem) {
            let bytes: [UInt8]
            do throws(StartupProblem) {
                bytes = try followed.read(followed.file)
            } catch {
                guard Self.note(.unreadable(error.description), in: &followed) else { return }
                throw error
            }
            guard Self.note(.bytes(bytes), in: &followed) else { return }
            let differs = try followed.apply(bytes)
            followed.isRefused = false
            if differs { logger.notice("a billing catalogue is in force", metadata: metadata) }
        } catch {
            followed.isRefused = true
            logger.error(
                "a billing catalogue is refused, the last good one stays in force",
                metadata: metadata.merging([LogKeys.reason: "\(error.description)"]) { $1 })
        }
    }

    /// Whether this is something else than last time.
    private static func note(_ now: Seen, in followed: inout Followed) -> Bool {
        defer { followed.seen = now }
        return followed.seen != now
    }

    private static func followed<Catalogue>(
        _ file: String, _ loader: CatalogueLoader<Catalogue>, present: @escaping @Sendable () -> Catalogue,
        put: @escaping @Sendable (Catalogue) -> Void
    ) -> Followed {
        Followed(file: file, title: loader.title, read: { (file) throws(StartupProblem) in try loader.read(file) }) {
            (bytes) throws(StartupProblem) in
            let catalogue = try loader.parse(bytes, name: file)
            guard catalogue != present() else { return false }
            put(catalogue)
            return true
        }
    }
}
