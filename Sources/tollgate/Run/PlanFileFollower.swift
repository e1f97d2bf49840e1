// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Logging
internal import Metrics

/// Reads the file of the plan catalogue again when it changes. A file that cannot be used leaves the last good catalogue in force.
actor PlanFileFollower {
    private static let interval = Duration.seconds(2)

    private let file: String
    private let book: PlanBook
    private let logger: Logger
    private let invalid: Gauge
    /// What the file said when it was looked at last: its bytes, or why it could not be read.
    private var seen: Seen?

    private enum Seen: Equatable {
        case bytes([UInt8])
        case unreadable(String)
    }

    /// Takes the book to write into; the catalogue in it is what the file held at the start.
    init(file: String, book: PlanBook, logger: Logger, metricsFactory: any MetricsFactory) {
        self.file = file
        self.book = book
        self.logger = logger
        invalid = Self.gauge(metricsFactory)
    }

    /// Shows whether the file on disk is refused; 0 where there is none.
    static func gauge(_ factory: any MetricsFactory) -> Gauge {
        let gauge = Gauge(label: "tollgate_billing_catalogue_invalid", factory: factory)
        gauge.record(0)
        return gauge
    }

    /// Looks every two seconds, until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            look()
            // A cancelled wait ends the loop at its condition.
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Looks once.
    func look() {
        do throws(StartupProblem) {
            let bytes: [UInt8]
            do throws(StartupProblem) {
                bytes = try PlanLoader.read(file)
            } catch {
                guard note(.unreadable(error.description)) else { return }
                throw error
            }
            guard note(.bytes(bytes)) else { return }
            let catalogue = try PlanLoader.parse(bytes, name: file)
            invalid.record(0)
            guard catalogue != book.catalogue else { return }
            book.replace(catalogue)
            logger.notice(
                "plan catalogue in force",
                metadata: ["file": "\(file)", "plans": "\(catalogue.plans.map(\.name).joined(separator: " "))"])
        } catch {
            invalid.record(1)
            logger.error(
                "the plan catalogue is refused, the last good one stays in force",
                metadata: ["file": "\(file)", LogKeys.reason: "\(error.description)"])
        }
    }

    /// Whether this is something else than last time.
    private func note(_ now: Seen) -> Bool {
        defer { seen = now }
        return seen != now
    }
}
